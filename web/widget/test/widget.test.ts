import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FsscDesk } from "../src/element";
import { newMessageId } from "../src/chat/identity";
import { FakeGateway, tokenOf } from "./gateway";

customElements.define("fssc-desk", FsscDesk);

let gateway: FakeGateway;
let desk: FsscDesk;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  gateway = new FakeGateway().install();
  desk = document.createElement("fssc-desk") as FsscDesk;
  desk.setAttribute("server", "http://desk.test");
  desk.setAttribute("page", "expense.travel.fill");
  document.body.append(desk);
});

afterEach(() => desk.remove());

const find = <T extends HTMLElement>(selector: string) => desk.shadowRoot!.querySelector<T>(selector)!;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

function press(key: string, init: KeyboardEventInit & { keyCode?: number } = {}): void {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  if (init.keyCode) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  find("textarea").dispatchEvent(event);
}

function type(text: string): void {
  find<HTMLTextAreaElement>("textarea").value = text;
  find("textarea").dispatchEvent(new Event("input"));
}

test("the launcher opens the dialog, Escape closes it and gives the focus back", async () => {
  expect(find(".panel").hidden).toBe(true);
  find<HTMLButtonElement>(".launcher").click();
  await settle();
  expect(find(".panel").hidden).toBe(false);
  expect(desk.shadowRoot!.activeElement).toBe(find("textarea"));
  press("Escape");
  await settle();
  expect(find(".panel").hidden).toBe(true);
  expect(desk.shadowRoot!.activeElement).toBe(find(".launcher"));
});

test("Enter sends, Shift+Enter does not, and the Enter that ends a pinyin composition does not", async () => {
  desk.open();
  type("zhusu 住宿");
  press("Enter", { isComposing: true });
  press("Enter", { keyCode: 229 });
  press("Enter", { shiftKey: true });
  await settle();
  expect(gateway.posts).toEqual([]);
  press("Enter");
  await settle();
  expect(gateway.questions).toEqual(["zhusu 住宿"]);
  expect(find<HTMLTextAreaElement>("textarea").value).toBe("");
});

test("blank and overlong text cannot be sent, and the counter tells by how much", async () => {
  desk.open();
  type("  \n ");
  expect(find<HTMLButtonElement>(".send").disabled).toBe(true);
  type("长".repeat(2_001));
  expect(find<HTMLButtonElement>(".send").disabled).toBe(true);
  expect(find(".counter").textContent).toBe("超出 1 字，最多 2000 字");
  press("Enter");
  await settle();
  expect(gateway.posts).toEqual([]);
  type("😀".repeat(2_000));
  expect(find<HTMLButtonElement>(".send").disabled).toBe(false);
});

test("what the employee types is text, never markup", async () => {
  desk.ask("<img src=x onerror=alert(1)>");
  await settle();
  expect(find(".line.user .bubble").textContent).toBe("<img src=x onerror=alert(1)>");
  expect(desk.shadowRoot!.querySelector("img")).toBeNull();
});

test("转人工 and 我的工单 are always at hand", async () => {
  desk.open();
  for (const button of desk.shadowRoot!.querySelectorAll<HTMLButtonElement>(".quick button")) button.click();
  await settle();
  expect(gateway.questions).toEqual(["handoff"]);
  expect(find(".tickets").hidden).toBe(false);
});

test("the host may move the page, and another person's token takes up another conversation", async () => {
  desk.setContext({ page: "invoice.pool", node: "upload", document: "BX20261103-0042", label: "发票池" });
  desk.ask("怎么上传");
  await settle();
  expect(gateway.posts[0]!.context).toEqual({ page: "invoice.pool", node: "upload", document_no: "BX20261103-0042" });
  expect(find(".place").textContent).toBe("发票池 · BX20261103-0042");
  expect(desk.shadowRoot!.querySelectorAll(".line").length).toBeGreaterThan(1);
  desk.setToken(tokenOf("E1001"));
  await settle();
  expect(desk.shadowRoot!.querySelectorAll(".lines .line").length).toBe(0);
});

test("an expired token is told to the host", async () => {
  const told = vi.fn();
  desk.addEventListener("fssc-token-expired", told);
  gateway.fault = { status: 401, code: "token_expired", message: "登录凭证已过期，请刷新页面。" };
  desk.ask("我的借款");
  await settle();
  expect(told).toHaveBeenCalledTimes(1);
  expect(find(".status-bar").textContent).toContain("登录凭证已过期，请刷新页面。");
});

test("a message id is a UUID on plain http too", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  expect(newMessageId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

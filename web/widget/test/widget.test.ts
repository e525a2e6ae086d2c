import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FsscDesk } from "../src/element";
import { newMessageId } from "../src/chat/identity";
import type { Message } from "../src/chat/message";
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

/** Gives the log a height of 400 and each line a height by its words, as a browser would. */
function layOut(): void {
  const rows = (element: Element) => 40 + Math.ceil((element.textContent ?? "").length / 20) * 20;
  const lines = () => [...desk.shadowRoot!.querySelectorAll(".lines > .line")];
  const measure = (name: string, get: (this: HTMLElement) => number) =>
    vi.spyOn(HTMLElement.prototype, name as "offsetTop", "get").mockImplementation(get as () => number);
  measure("clientHeight", () => 400);
  measure("scrollHeight", () => lines().reduce((sum, line) => sum + rows(line), 0));
  measure("offsetHeight", function () {
    return rows(this);
  });
  measure("offsetTop", function () {
    return lines()
      .slice(0, lines().indexOf(this))
      .reduce((sum, line) => sum + rows(line), 0);
  });
}

/** How far the top of the line with these words lies below the top of what is seen. */
function seenAt(words: string): number {
  const line = [...desk.shadowRoot!.querySelectorAll<HTMLElement>(".line")].find((one) => one.textContent!.includes(words))!;
  return line.offsetTop - find(".scroller").scrollTop;
}

test("an agent's answer stays in sight when the question how it was comes with it", async () => {
  layOut();
  gateway.takes("孙敏");
  desk.ask("退票费能报吗");
  await settle();
  gateway.agentSays(`可以报销。${"请附上退票凭证。".repeat(60)}`);
  gateway.tells({
    from: "bot",
    type: "rating",
    text: "工单已解决，您满意吗？",
    number: "FW20261122-0001",
    options: [],
    low: 2,
    reasons: { low: [], high: [] },
  } as unknown as Message);
  await vi.waitFor(() => expect(find(".rating")).not.toBeNull(), 8_000);
  expect(seenAt("可以报销。")).toBeGreaterThanOrEqual(0);
  expect(seenAt("可以报销。")).toBeLessThan(200);
  expect(find(".to-end").hidden).toBe(false);
  expect(find(".to-end").textContent).toBe("到底部");
  find<HTMLButtonElement>(".to-end").click();
  expect(find(".to-end").hidden).toBe(true);
}, 10_000);

test("the answer to a long pasted text is seen from its beginning, and so are the reasons below 没用", async () => {
  layOut();
  desk.ask("长".repeat(1_500));
  await settle();
  expect(seenAt("答：")).toBe(12);
  find(".scroller").scrollTop = 0;
  find(".scroller").dispatchEvent(new Event("scroll"));
  expect(find(".to-end").hidden).toBe(false);
  find<HTMLButtonElement>("[data-focus='vote:false']").click();
  await settle();
  const { scrollTop, scrollHeight, clientHeight } = find(".scroller");
  expect(scrollTop).toBe(scrollHeight - clientHeight);
});

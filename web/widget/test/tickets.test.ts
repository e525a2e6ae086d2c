import { afterEach, beforeEach, expect, test } from "vitest";
import { FsscDesk } from "../src/element";
import { MOST_BYTES } from "../src/chat/tickets";
import { FakeGateway, ticketOf, tokenOf } from "./gateway";

if (!customElements.get("fssc-desk")) customElements.define("fssc-desk", FsscDesk);

const NUMBER = "FW20261122-0001";
let gateway: FakeGateway;
let desk: FsscDesk;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  gateway = new FakeGateway().install();
  desk = document.createElement("fssc-desk") as FsscDesk;
  desk.setAttribute("server", "http://desk.test");
  desk.setAttribute("token", tokenOf("E1001"));
  document.body.append(desk);
});

afterEach(() => desk.remove());

const root = () => desk.shadowRoot!;
const find = <T extends HTMLElement>(selector: string) => root().querySelector<T>(selector)!;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
const button = (text: string) =>
  [...root().querySelectorAll<HTMLButtonElement>("button")].find((one) => one.textContent?.includes(text))!;

async function openTicket(differs = {}): Promise<void> {
  gateway.tickets.set(NUMBER, ticketOf(NUMBER, differs));
  desk.open();
  button("我的工单").click();
  await settle();
  find(".ticket-row").click();
  await settle();
}

test("the list leads to a ticket, back and out again", async () => {
  await openTicket();
  expect(find(".tickets h2").textContent).toBe(`工单 ${NUMBER}`);
  expect(find(".timeline").textContent).toContain("提交工单");
  find('.tickets [aria-label="返回"]').click();
  await settle();
  expect(find(".ticket-row").textContent).toContain("退票费能报吗");
  find('.tickets [aria-label="返回"]').click();
  await settle();
  expect(find(".tickets").hidden).toBe(true);
});

test("an anonymous visitor who has not said anything has no tickets, and nobody is asked", async () => {
  desk.removeAttribute("token");
  gateway.tickets.set(NUMBER, ticketOf(NUMBER));
  desk.open();
  button("我的工单").click();
  await settle();
  expect(find(".tickets .empty").textContent).toContain("还没有提交过工单");
});

test("words with a file go out once, the second try under the same id", async () => {
  await openTicket();
  const picker = find<HTMLInputElement>('.tickets input[type="file"]');
  Object.defineProperty(picker, "files", { value: [new File(["x"], "退票凭证.png", { type: "image/png" })] });
  picker.dispatchEvent(new Event("change"));
  await settle();
  find<HTMLTextAreaElement>('[aria-label="要补充的内容"]').value = "是国航的票";
  gateway.refusal = { status: 503, code: "busy", message: "服务暂时繁忙，请稍后重试。" };
  button("发送").click();
  await settle();
  expect(find(".told").textContent).toBe("服务暂时繁忙，请稍后重试。");
  expect(find<HTMLTextAreaElement>('[aria-label="要补充的内容"]').value).toBe("是国航的票");
  button("发送").click();
  await settle();
  const [, said] = gateway.deeds;
  expect(gateway.deeds.map(({ deed }) => deed)).toEqual([`attach ${NUMBER}`, `say ${NUMBER}`]);
  expect(said!.body).toMatchObject({ text: "是国航的票", attachments: ["file-1"] });
  expect(find<HTMLTextAreaElement>('[aria-label="要补充的内容"]').value).toBe("");
});

test("a file that is too large is refused before it is sent, and says what to do", async () => {
  await openTicket();
  const picker = find<HTMLInputElement>('.tickets input[type="file"]');
  const huge = new File(["x"], "扫描件.pdf");
  Object.defineProperty(huge, "size", { value: MOST_BYTES + 1 });
  Object.defineProperty(picker, "files", { value: [huge] });
  picker.dispatchEvent(new Event("change"));
  await settle();
  expect(find(".told").textContent).toBe("“扫描件.pdf”超过 20 MB，请压缩或拆分后再上传。");
  expect(gateway.deeds).toEqual([]);
});

test("urging twice within an hour says when it is possible again", async () => {
  await openTicket();
  gateway.refusal = { status: 409, code: "urged_already", message: "刚刚催办过，59 分钟后可以再次催办。" };
  button("催办").click();
  await settle();
  expect(find(".told").textContent).toContain("59 分钟后");
  button("催办").click();
  await settle();
  expect(find(".told").textContent).toContain("已催办");
});

test("withdrawing asks once more; reopening asks why", async () => {
  await openTicket();
  button("撤销").click();
  await settle();
  expect(gateway.deeds).toEqual([]);
  button("确定撤销").click();
  await settle();
  expect(gateway.deeds.map(({ deed }) => deed)).toEqual([`cancel ${NUMBER}`]);
  gateway.tickets.set(NUMBER, ticketOf(NUMBER, { status: "resolved", open: false, can: { ...ticketOf(NUMBER).can, reopen: true } }));
  find('.tickets [aria-label="返回"]').click();
  await settle();
  find(".ticket-row").click();
  await settle();
  button("没有解决，重新打开").click();
  find<HTMLTextAreaElement>('[aria-label="重新打开的原因"]').value = "还是不行";
  [...root().querySelectorAll<HTMLButtonElement>(".ask button")].find((one) => one.textContent === "重新打开")!.click();
  await settle();
  expect(gateway.deeds.at(-1)).toEqual({ deed: `reopen ${NUMBER}`, body: { reason: "还是不行" } });
});

test("a question how satisfied somebody was: score, reasons of that side, words, thanks", async () => {
  gateway.tickets.set(NUMBER, ticketOf(NUMBER));
  gateway.current = "c-1";
  gateway.tells({
    from: "bot",
    type: "rating",
    text: "请打个分",
    number: NUMBER,
    low: 2,
    reasons: { low: ["时效:回复太慢"], high: ["专业:解答清楚"] },
    given: null,
  } as never);
  desk.remove();
  document.body.append(desk);
  desk.open();
  await settle();
  const score = (n: number) => find(`[data-focus="rating:${n}"]`).click();
  score(5);
  expect(find(".rating-reasons").textContent).toContain("解答清楚");
  score(1);
  expect(find(".rating-reasons").textContent).toContain("回复太慢");
  button("回复太慢").click();
  find<HTMLTextAreaElement>('[aria-label="想说的话"]').value = "等了两天";
  button("提交评价").click();
  await settle();
  expect(gateway.deeds).toEqual([
    { deed: `rate ${NUMBER}`, body: { score: 1, reasons: ["时效:回复太慢"], words: "等了两天" } },
  ]);
});

test("a ticket that a rating has closed is no longer to be confirmed", async () => {
  gateway.tickets.set(NUMBER, ticketOf(NUMBER, { status: "closed", can: { ...ticketOf(NUMBER).can, urge: false, reopen: true, confirm: false } }));
  gateway.current = "c-1";
  gateway.tells({
    from: "bot",
    type: "notice",
    text: "工单已解决",
    number: NUMBER,
    options: [
      { label: "问题已解决", choice: `confirm:${NUMBER}` },
      { label: "没有解决，重新打开", choice: `reopen:${NUMBER}` },
    ],
  } as never);
  gateway.tells({ from: "bot", type: "rating", text: "请打个分", number: NUMBER, low: 2, reasons: { low: [], high: [] }, given: null } as never);
  desk.remove();
  document.body.append(desk);
  desk.open();
  await settle();
  const offered = () => [...root().querySelectorAll(".line .options button")].map((one) => one.textContent);
  expect(offered()).toEqual(["问题已解决", "没有解决，重新打开"]);
  find('[data-focus="rating:5"]').click();
  button("提交评价").click();
  await settle();
  expect(offered()).toEqual(["没有解决，重新打开"]);
});

test("who talks is shown above the messages, with the way back to the bot", async () => {
  gateway.current = "c-1";
  gateway.takes("孙敏", NUMBER);
  gateway.agentSays("您好", { agent_name: "孙敏" });
  desk.remove();
  document.body.append(desk);
  desk.open();
  await settle();
  expect(find(".talk-bar").textContent).toContain("孙敏 正在为您服务");
  expect(find(".line.agent").dataset.name).toBe("人工客服 · 孙敏");
  expect(find<HTMLTextAreaElement>(".composer textarea").placeholder).toBe("对 孙敏 说…");
  button("回到机器人").click();
  await settle();
  expect(gateway.posts.at(-1)).toMatchObject({ choice: "bot" });
});

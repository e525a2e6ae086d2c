import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatClient } from "../src/chat/client";
import { Conversation } from "../src/chat/conversation";
import type { TokenError } from "../src/chat/errors";
import { identityOf } from "../src/chat/identity";
import { Memory } from "../src/chat/memory";
import { FakeGateway, tokenOf } from "./gateway";

const SERVER = "http://desk.test";
const open: Conversation[] = [];
let gateway: FakeGateway;
let tokenErrors: TokenError[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  localStorage.clear();
  tokenErrors = [];
  gateway = new FakeGateway().install();
});

afterEach(() => {
  open.splice(0).forEach((conversation) => conversation.stop());
  vi.useRealTimers();
});

function begin(token: string | null = null): Conversation {
  const conversation = new Conversation(new ChatClient(SERVER, () => token), new Memory(SERVER, identityOf(token)), {
    changed: () => {},
    tokenRefused: (error) => tokenErrors.push(error),
  });
  open.push(conversation);
  conversation.start();
  return conversation;
}

const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const say = (conversation: Conversation, text: string) => conversation.say({ label: text, text });
const shown = (conversation: Conversation) =>
  conversation.lines.map((line) => (line.kind === "said" ? `我：${line.label} [${line.state}]` : line.message.text));

test("a question is shown at once, then its answer", async () => {
  const conversation = begin();
  say(conversation, "住宿标准");
  expect(shown(conversation)).toEqual(["我：住宿标准 [sending]"]);
  expect(conversation.typing).toBe(true);
  await settle();
  expect(shown(conversation)).toEqual(["我：住宿标准 [sent]", "答：住宿标准"]);
  expect(conversation.typing).toBe(false);
});

test("while the network is away, questions queue up and go out in order when it is back", async () => {
  const conversation = begin();
  gateway.fault = "unreachable";
  say(conversation, "第一");
  say(conversation, "第二");
  await settle(2_000);
  expect(shown(conversation)).toEqual(["我：第一 [waiting]", "我：第二 [waiting]"]);
  expect(conversation.connection).toBe("reconnecting");
  gateway.fault = null;
  dispatchEvent(new Event("online"));
  await settle();
  expect(gateway.questions).toEqual(["第一", "第二"]);
  expect(shown(conversation)).toEqual(["我：第一 [sent]", "答：第一", "我：第二 [sent]", "答：第二"]);
  expect(conversation.connection).toBe("online");
});

test("a reply that was lost on the way is fetched with the same id: answered once, shown once", async () => {
  const conversation = begin();
  gateway.faults = ["reply-lost"];
  say(conversation, "借款怎么冲销");
  await settle(5_000);
  await settle(60_000);
  expect(gateway.posts.length).toBe(2);
  expect(new Set(gateway.posts.map((post) => post.client_message_id)).size).toBe(1);
  expect(gateway.answered).toBe(1);
  expect(shown(conversation)).toEqual(["借款怎么冲销", "答：借款怎么冲销"]);
});

test("a message that comes again goes to the conversation it went to first", async () => {
  const conversation = begin();
  gateway.faults = ["reply-lost"];
  say(conversation, "第一");
  await settle();
  new Memory(SERVER, identityOf(null)).conversationId = "opened-in-another-tab";
  await settle(5_000);
  expect(gateway.posts.map((post) => post.conversation_id)).toEqual([undefined, undefined]);
});

test("after many attempts the employee is asked, and a retry keeps the id", async () => {
  const conversation = begin();
  gateway.fault = { status: 503, message: "服务正在重启。" };
  say(conversation, "发票抬头");
  await settle(120_000);
  const line = conversation.lines[0]!;
  expect(line.kind === "said" && [line.state, line.error?.message]).toEqual(["failed", "服务正在重启。"]);
  gateway.fault = null;
  conversation.retry(line.key);
  await settle();
  expect(gateway.posts.map((post) => post.client_message_id)).toEqual([line.key]);
  expect(shown(conversation)).toEqual(["我：发票抬头 [sent]", "答：发票抬头"]);
});

test("what a page left unsent goes out on the next page, under its id", async () => {
  const first = begin();
  gateway.fault = "unreachable";
  say(first, "差旅标准");
  await settle(1_000);
  first.stop();
  gateway.fault = null;
  const second = begin();
  await settle();
  expect(gateway.posts.length).toBe(1);
  expect(shown(second)).toEqual(["我：差旅标准 [sent]", "答：差旅标准"]);
  expect(new Memory(SERVER, identityOf(null)).unsent()).toEqual([]);
});

test("what is refused is not repeated, and does not hold up the next question", async () => {
  const conversation = begin();
  gateway.faults = [{ status: 422, message: "消息太长了。" }];
  say(conversation, "太长");
  say(conversation, "不长");
  await settle();
  expect(shown(conversation)).toEqual(["我：不长 [sent]", "答：不长", "我：太长 [refused]"]);
  expect(conversation.takeBack(conversation.lines[2]!.key)).toBe("太长");
  expect(conversation.lines.length).toBe(2);
});

test.each([true, false])("history after a reload shows each line once (client ids told: %s)", async (told) => {
  gateway.tellsClientIds = told;
  const conversation = begin();
  say(conversation, "一");
  await settle();
  conversation.say({ label: "二的标题", choice: "entry:travel-002" });
  await settle(60_000);
  expect(conversation.lines.map((line) => (line.kind === "received" ? line.message.text : line.label))).toEqual([
    "一",
    "答：一",
    "entry:travel-002",
    "答：entry:travel-002",
  ]);
  conversation.stop();
  const reloaded = begin();
  await settle();
  expect(shown(reloaded)).toEqual(["一", "答：一", "entry:travel-002", "答：entry:travel-002"]);
});

test("an agent's later reply is unread until the employee looks", async () => {
  const conversation = begin();
  say(conversation, "转人工");
  await settle();
  conversation.watch(true);
  conversation.watch(false);
  expect(conversation.unread).toBe(0);
  gateway.agentSays("您好，我是报销组小周。");
  await settle(60_000);
  expect(conversation.unread).toBe(1);
  conversation.watch(true);
  expect(conversation.unread).toBe(0);
});

test("the open dialog asks for news every 15 seconds, the closed one every 60", async () => {
  const conversation = begin();
  say(conversation, "你好");
  await settle();
  const before = gateway.polls;
  await settle(59_000);
  expect(gateway.polls).toBe(before);
  await settle(1_500);
  expect(gateway.polls).toBe(before + 1);
  conversation.watch(true);
  await settle();
  const opened = gateway.polls;
  await settle(45_500);
  expect(gateway.polls).toBe(opened + 3);
});

test("an expired token keeps what was said, tells the host once, and sends it under the new one", async () => {
  const conversation = begin(tokenOf("E1001"));
  gateway.fault = { status: 401, code: "token_expired", message: "登录凭证已过期，请刷新页面。" };
  say(conversation, "我的借款");
  await settle(120_000);
  expect(shown(conversation)).toEqual(["我：我的借款 [held]"]);
  expect(tokenErrors.map((error) => error.code)).toEqual(["token_expired"]);
  expect(conversation.tokenProblem?.message).toBe("登录凭证已过期，请刷新页面。");
  gateway.fault = null;
  conversation.tokenRenewed();
  await settle();
  expect(shown(conversation).map((text) => text.replace(/^我：| \[sent\]$/g, ""))).toEqual(["我的借款", "答：我的借款"]);
  expect(conversation.tokenProblem).toBeNull();
});

test("another person in the same browser sees nothing of the first", async () => {
  const first = begin(tokenOf("E1001"));
  say(first, "我的工资卡");
  await settle();
  first.stop();
  for (const token of [tokenOf("E1002"), null]) {
    const other = begin(token);
    await settle(60_000);
    expect(other.lines).toEqual([]);
    other.stop();
  }
  const again = begin(tokenOf("E1001", { exp: 1 }));
  await settle();
  expect(again.lines.length).toBe(2);
});

test("a conversation that the server no longer knows is begun anew with the same message", async () => {
  const conversation = begin();
  new Memory(SERVER, identityOf(null)).conversationId = "gone";
  gateway.faults = [{ status: 404, code: "conversation_not_found" }];
  say(conversation, "你好");
  await settle();
  expect(shown(conversation)).toEqual(["我：你好 [sent]", "答：你好"]);
});

test("a conversation begun in another tab is taken up here", async () => {
  const conversation = begin();
  say(conversation, "旧会话");
  await settle();
  gateway.conversationId = "c-2";
  gateway.messages.splice(0);
  gateway.agentSays("新会话里的话");
  new Memory(SERVER, identityOf(null)).conversationId = "c-2";
  await settle(60_000);
  expect(shown(conversation)).toEqual(["新会话里的话"]);
});

test("a rating is shown at once and withdrawn when it was not kept", async () => {
  const conversation = begin();
  say(conversation, "住宿标准");
  await settle();
  const rating = () => {
    const line = conversation.lines[1]!;
    return line.kind === "received" && line.message.type === "answer" ? line.message.feedback : undefined;
  };
  await conversation.rate("m-2", false, "outdated");
  expect(gateway.feedback).toEqual([{ conversation_id: "c-1", message_id: "m-2", helpful: false, reason: "outdated" }]);
  expect(rating()).toEqual({ helpful: false, reason: "outdated" });
  gateway.faults = ["unreachable"];
  await conversation.rate("m-2", true);
  expect(rating()).toEqual({ helpful: false, reason: "outdated" });
  expect(conversation.notice).toBe("评价没有提交成功，请稍后再试。");
});

test("the hot questions follow the page, and each message carries the page it was asked on", async () => {
  const conversation = begin();
  conversation.setContext({ page: "expense.list" });
  conversation.watch(true);
  await settle();
  expect(conversation.suggestions?.items[0]!.title).toBe("常问 expense.list");
  gateway.fault = "unreachable";
  say(conversation, "这里能做什么");
  await settle();
  conversation.setContext({ page: "invoice.pool", node: "upload" });
  gateway.fault = null;
  dispatchEvent(new Event("online"));
  await settle();
  expect(gateway.posts[0]!.context).toEqual({ page: "expense.list" });
  expect(conversation.suggestions?.items[0]!.title).toBe("常问 invoice.pool");
});

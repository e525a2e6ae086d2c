import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatClient } from "../src/chat/client";
import { Conversation } from "../src/chat/conversation";
import { identityOf } from "../src/chat/identity";
import { Memory } from "../src/chat/memory";
import { FakeGateway, tokenOf } from "./gateway";

const SERVER = "http://desk.test";
const LI = tokenOf("E1001");
const open: Conversation[] = [];
let gateway: FakeGateway;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  localStorage.clear();
  gateway = new FakeGateway().install();
});

afterEach(() => {
  open.splice(0).forEach((conversation) => conversation.stop());
  vi.useRealTimers();
});

function begin(token: string | null = LI): Conversation {
  const conversation = new Conversation(new ChatClient(SERVER, () => token), new Memory(SERVER, identityOf(token)), {
    changed: () => {},
    tokenRefused: () => {},
  });
  open.push(conversation);
  conversation.start();
  return conversation;
}

const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const say = (conversation: Conversation, text: string) => conversation.say({ label: text, text });
const texts = (conversation: Conversation) =>
  conversation.lines.map((line) => (line.kind === "said" ? line.label : line.message.text));

test("what an agent says arrives within seconds, also into the closed dialog, where it counts as unread", async () => {
  const conversation = begin();
  conversation.watch(true);
  say(conversation, "退票费能报吗");
  await settle();
  gateway.takes("孙敏");
  await settle(15_000);
  expect(conversation.withAgent).toBe(true);
  gateway.agentSays("请问是哪张机票？", { agent_name: "孙敏" });
  await settle(2_000);
  expect(texts(conversation).at(-1)).toBe("请问是哪张机票？");
  expect(conversation.unread).toBe(0);
  conversation.watch(false);
  gateway.agentSays("在吗？");
  await settle(10_000);
  expect(conversation.unread).toBe(1);
});

test("while an agent talks nobody is shown typing, and what is said joins without an answer", async () => {
  const conversation = begin();
  conversation.watch(true);
  gateway.current = "c-1";
  gateway.takes("孙敏");
  say(conversation, "第一句");
  await settle();
  expect(conversation.withAgent).toBe(true);
  gateway.fault = "unreachable";
  say(conversation, "第二句");
  expect(conversation.typing).toBe(false);
});

test("the same person elsewhere finds the conversation, what they had read, and what they had not", async () => {
  gateway.agentSays("查到了");
  gateway.agentSays("可以报");
  gateway.standing.read_seq = 1;
  gateway.current = "c-1";
  const elsewhere = begin();
  await settle();
  expect(texts(elsewhere)).toEqual(["查到了", "可以报"]);
  expect(elsewhere.unread).toBe(1);
  elsewhere.watch(true);
  expect(elsewhere.missedAfter).toBe(1);
  expect(elsewhere.unread).toBe(0);
  await settle(1_000);
  expect(gateway.read).toEqual([2]);
  say(elsewhere, "谢谢");
  expect(elsewhere.missedAfter).toBeNull();
});

test("an anonymous visitor is not given anybody's conversation", async () => {
  gateway.current = "c-1";
  gateway.agentSays("给李晓雯的话");
  const anonymous = begin(null);
  await settle();
  expect(texts(anonymous)).toEqual([]);
});

test("what was said in another conversation of the same person is shown there", async () => {
  const conversation = begin();
  say(conversation, "你好");
  await settle(60_000);
  gateway.current = "c-2";
  gateway.conversationId = "c-2";
  const before = gateway.messages.length;
  gateway.agentSays("工单在这里");
  const late = gateway.messages.splice(0, before);
  expect(late.length).toBe(before);
  await settle(120_000);
  expect(texts(conversation)).toEqual(["工单在这里"]);
});

test("words that arrive while the employee looks on are not called missed", async () => {
  const conversation = begin();
  conversation.watch(true);
  say(conversation, "你好");
  await settle();
  gateway.takes("孙敏");
  await settle(15_000);
  gateway.agentSays("您好");
  await settle(3_000);
  expect(conversation.missedAfter).toBeNull();
});

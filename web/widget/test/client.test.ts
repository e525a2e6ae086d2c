import { beforeEach, expect, test } from "vitest";
import { ChatClient } from "../src/chat/client";
import { ApiError, BusyError, NetworkError, TokenError } from "../src/chat/errors";
import { FakeGateway } from "./gateway";

const message = { label: "住宿标准", text: "住宿标准", client_message_id: "11111111-aaaa", context: { page: "expense.list" } };
let gateway: FakeGateway;
let client: ChatClient;
let token: string | null;

beforeEach(() => {
  gateway = new FakeGateway().install();
  token = null;
  client = new ChatClient("http://desk.test", () => token);
});

test("the page goes with the message, the token in a header, and an anonymous visitor sends none", async () => {
  await client.send(message, null);
  token = "abc";
  await client.send({ ...message, client_message_id: "22222222-bbbb" }, "c-1");
  expect(gateway.posts[0]).toEqual({ client_message_id: "11111111-aaaa", text: "住宿标准", context: { page: "expense.list" } });
  expect(gateway.posts[1]!.conversation_id).toBe("c-1");
  expect(gateway.authorizations).toEqual([null, "Bearer abc"]);
});

test("a choice is sent back unchanged, and its label is not", async () => {
  await client.send({ label: "住宿", choice: "entry:travel-001", client_message_id: "33333333", context: {} }, null);
  expect(gateway.posts[0]).toEqual({ client_message_id: "33333333", choice: "entry:travel-001", context: {} });
});

test.each([
  ["unreachable" as const, NetworkError],
  [{ status: 503 }, BusyError],
  [{ status: 429 }, BusyError],
  [{ status: 409, code: "in_progress" }, BusyError],
  [{ status: 401, code: "token_expired" }, TokenError],
  [{ status: 422 }, ApiError],
])("%o is told as its own error", async (fault, kind) => {
  gateway.faults = [fault];
  await expect(client.send(message, null)).rejects.toBeInstanceOf(kind);
});

test("the server's own Chinese words are kept, and a proxy's HTML page has words too", async () => {
  gateway.faults = [{ status: 422, message: "消息太长了，请控制在 2000 字以内。" }];
  await expect(client.send(message, null)).rejects.toThrow("消息太长了，请控制在 2000 字以内。");
  const { fetch } = globalThis;
  globalThis.fetch = async () => new Response("<html>502 Bad Gateway</html>", { status: 502 });
  await expect(client.send(message, null)).rejects.toThrow("服务暂时繁忙");
  globalThis.fetch = fetch;
});

test("a server that never answers is a network error", async () => {
  globalThis.fetch = (_url, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
  await expect(new ChatClient("http://desk.test", () => null, 10).send(message, null)).rejects.toBeInstanceOf(NetworkError);
});

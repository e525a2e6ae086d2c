import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { knowledge, session } from "../src/api/client";
import { desk } from "../src/api/desk";
import { ApiError, call, onSignedOut } from "../src/api/transport";

const answer = (status: number, body: unknown, type = "application/json") =>
  new Response(status === 204 ? null : typeof body === "string" ? body : JSON.stringify(body), {
    status,
    headers: { "Content-Type": type },
  });

let gateway: ReturnType<typeof vi.fn<typeof fetch>>;
const signedOut = vi.fn<() => Promise<boolean>>();

beforeEach(() => {
  gateway = vi.fn<typeof fetch>();
  vi.stubGlobal("fetch", gateway);
  onSignedOut(signedOut);
  signedOut.mockReset().mockResolvedValue(false);
});
afterEach(() => vi.unstubAllGlobals());

const asked = () => {
  const [url, init] = gateway.mock.calls[0]!;
  return { url: String(url), headers: new Headers(init?.headers), init: init! };
};

describe("what goes out", () => {
  it("marks every unsafe method as coming from the console, and no other", async () => {
    gateway.mockImplementation(async () => answer(200, { user: { username: "a", name: "A", roles: [] } }));
    await session.open("admin", "secret");
    expect(asked().headers.get("X-Requested-With")).toBe("fssc");
    expect(asked().headers.get("Content-Type")).toBe("application/json");
    expect(asked().init.credentials).toBe("same-origin");

    gateway.mockReset().mockResolvedValue(answer(204, null));
    await session.close();
    expect(asked().init.method).toBe("DELETE");
    expect(asked().headers.get("X-Requested-With")).toBe("fssc");

    gateway.mockReset().mockResolvedValue(answer(200, { user: { username: "a", name: "A", roles: [] } }));
    await session.current();
    expect(asked().headers.has("X-Requested-With")).toBe(false);
  });

  it("leaves out filters that are not set and joins lists", async () => {
    gateway.mockImplementation(async () => answer(200, { items: [], total: 0 }));
    await desk.find({ status: "new", urgency: "", q: "住宿 & 餐费", page: 2 });
    expect(asked().url).toBe("/api/v1/console/tickets?status=new&q=%E4%BD%8F%E5%AE%BF+%26+%E9%A4%90%E8%B4%B9&page=2");

    gateway.mockClear();
    await knowledge.tryOut({ q: "住宿", page: "", groups: ["财务", "高管"] });
    const sent = new URL(asked().url, "http://desk").searchParams;
    expect(sent.get("groups")).toBe("财务,高管");
    expect(sent.has("page")).toBe(false);
  });

  it("keeps an odd number inside its path segment", async () => {
    gateway.mockResolvedValue(answer(200, {}));
    await desk.get("../session?x=1");
    expect(asked().url).toBe("/api/v1/console/tickets/..%2Fsession%3Fx%3D1");
  });
});

describe("what comes back", () => {
  it("reads a list bare or wrapped", async () => {
    gateway
      .mockResolvedValueOnce(answer(200, [{ id: "travel" }]))
      .mockResolvedValueOnce(answer(200, { items: [{ id: "travel" }] }));
    expect(await knowledge.policies()).toEqual([{ id: "travel" }]);
    expect(await knowledge.policies()).toEqual([{ id: "travel" }]);
  });

  it("shows the gateway's own words for an error", async () => {
    gateway.mockResolvedValue(
      answer(404, { error: { code: "ticket_not_found", message: "没有这张工单，请核对工单号。" } }),
    );
    const error = await desk.get("FW1").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 404,
      code: "ticket_not_found",
      message: "没有这张工单，请核对工单号。",
      notFound: true,
    });
    expect(signedOut).not.toHaveBeenCalled();
  });

  it("says what to do when a proxy answers in HTML", async () => {
    gateway.mockResolvedValue(answer(502, "<html>Bad Gateway</html>", "text/html"));
    await expect(call("/x")).rejects.toMatchObject({
      code: "unexpected",
      message: expect.stringContaining("稍后重试"),
    });
  });

  it("says what to do when no answer comes", async () => {
    gateway.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(call("/x")).rejects.toMatchObject({
      status: 0,
      code: "network",
      message: expect.stringContaining("检查网络"),
    });
  });

  it("does not take an aborted call for a network failure", async () => {
    const stop = new AbortController();
    gateway.mockImplementation(async () => {
      stop.abort();
      throw new DOMException("stopped", "AbortError");
    });
    await expect(call("/x", { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("hears that the session ended, but not that a password was wrong", async () => {
    const refused = { error: { code: "signed_out", message: "登录已失效，请重新登录。" } };
    gateway.mockImplementation(async () => answer(401, refused));
    await expect(session.open("admin", "wrong")).rejects.toMatchObject({ unauthorized: true });
    expect(signedOut).not.toHaveBeenCalled();
    await expect(desk.find({})).rejects.toMatchObject({ unauthorized: true });
    expect(signedOut).toHaveBeenCalledTimes(1);
  });

  it("asks once more when the user has signed in again, with all that was sent", async () => {
    signedOut.mockResolvedValue(true);
    gateway
      .mockImplementationOnce(async () => answer(401, { error: { code: "signed_out", message: "登录已失效。" } }))
      .mockImplementationOnce(async () => answer(200, { saved: true }));
    expect(await call("/kb/drafts/t-1", { method: "PUT", body: { answer: "写了很久" } })).toEqual({ saved: true });
    expect(gateway.mock.calls[1]![1]?.body).toBe('{"answer":"写了很久"}');
    expect(signedOut).toHaveBeenCalledTimes(1);
  });
});

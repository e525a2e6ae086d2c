import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHistory } from "vue-router";

import { makeRouter, returnPath } from "../src/router";
import { useSession } from "../src/stores/session";

const USER = { username: "admin", name: "管理员", roles: ["admin"] };

function gatewayAnswers(status: number, body: unknown): void {
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(JSON.stringify(body), { status })),
  );
}

describe("who gets in", () => {
  beforeEach(() => setActivePinia(createPinia()));

  it("sends a visitor to sign-in and remembers where they wanted to go", async () => {
    gatewayAnswers(401, { error: { code: "signed_out", message: "请登录。" } });
    const router = makeRouter(createMemoryHistory("/console/"));
    await router.push("/tickets/FW20261121-0001");
    expect(router.currentRoute.value.name).toBe("sign-in");
    expect(router.currentRoute.value.query.next).toBe("/tickets/FW20261121-0001");
  });

  it("lets a signed-in user through, and away from sign-in to where they were", async () => {
    gatewayAnswers(200, { user: USER });
    const router = makeRouter(createMemoryHistory("/console/"));
    await router.push("/sign-in?next=/knowledge/releases");
    expect(router.currentRoute.value.name).toBe("releases");
  });

  it.each([
    [["admin"], "tickets"],
    [["editor", "agent"], "tickets"],
    [["editor", "publisher"], "entries"],
  ])("begins for %j at %s", async (roles, name) => {
    gatewayAnswers(200, { user: { ...USER, roles } });
    const router = makeRouter(createMemoryHistory("/console/"));
    await router.push("/");
    expect(router.currentRoute.value.name).toBe(name);
  });

  it("does not take an unreachable gateway for being signed out", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Promise.reject(new TypeError("down"))),
    );
    const router = makeRouter(createMemoryHistory("/console/"));
    await router.push("/tickets");
    expect(router.currentRoute.value.name).toBe("tickets");
    expect(useSession().unreachable).toContain("检查网络");
  });
});

describe("where to go after signing in", () => {
  it.each([
    ["/tickets?status=new", "/tickets?status=new"],
    ["//evil.example", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    [undefined, "/"],
  ])("%s leads to %s", (next, path) => expect(returnPath(next)).toBe(path));
});

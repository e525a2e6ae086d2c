import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import { call, onSignedOut } from "../src/api/transport";
import SignInAgain from "../src/components/SignInAgain.vue";
import { useSession } from "../src/stores/session";
import { mount } from "./mount";

const USER = { username: "wang", name: "王芳", roles: ["editor"] };
let signedIn: boolean;
let sent: string[];

beforeEach(() => {
  signedIn = false;
  sent = [];
  vi.stubGlobal(
    "fetch",
    vi.fn(async (url: string, init: RequestInit) => {
      sent.push(`${init.method} ${url}`);
      if (url.endsWith("/session") && init.method === "POST") {
        signedIn = String(init.body).includes("right");
        if (signedIn) return new Response(JSON.stringify({ user: USER }), { status: 200 });
        return new Response(JSON.stringify({ error: { code: "wrong", message: "账号或密码不对。" } }), { status: 401 });
      }
      if (signedIn) return new Response(JSON.stringify({ saved: true }), { status: 200 });
      return new Response(JSON.stringify({ error: { code: "signed_out", message: "登录已失效。" } }), { status: 401 });
    }),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = "";
});

async function settle(): Promise<void> {
  for (let n = 0; n < 8; n += 1) await new Promise((done) => setTimeout(done, 0));
  await nextTick();
}

describe("a session that ends while somebody works", () => {
  async function lapsed() {
    await mount(SignInAgain);
    const session = useSession();
    session.user = USER;
    onSignedOut(() => session.lapse());
    const saving = call("/kb/drafts/t-1", { method: "PUT", body: { answer: "写了很久" } }).catch((error: unknown) => error);
    await settle();
    return { session, saving };
  }

  async function type(password: string): Promise<void> {
    const box = document.querySelector<HTMLInputElement>("input[type=password]")!;
    box.value = password;
    box.dispatchEvent(new Event("input"));
    await nextTick();
    document.querySelector<HTMLFormElement>("#sign-in-again")!.dispatchEvent(new Event("submit"));
    await settle();
  }

  it("leaves them where they are, and what they asked for is done once they are back", async () => {
    const { session, saving } = await lapsed();
    expect(session.user).toEqual(USER);
    expect(document.body.textContent).toContain("王芳");
    await type("wrong");
    expect(document.body.textContent).toContain("账号或密码不对。");
    expect(session.expired).toBe(true);
    await type("right");
    expect(await saving).toEqual({ saved: true });
    expect(session.expired).toBe(false);
    expect(sent.filter((one) => one.startsWith("PUT"))).toHaveLength(2);
  });

  it("is over for good when they sign out", async () => {
    const { session, saving } = await lapsed();
    await session.signOut();
    expect(await saving).toMatchObject({ unauthorized: true });
    expect([session.user, session.expired]).toEqual([null, false]);
  });

  it("asks nobody who was not signed in", async () => {
    await mount(SignInAgain);
    expect(await useSession().lapse()).toBe(false);
    expect(useSession().expired).toBe(false);
  });
});

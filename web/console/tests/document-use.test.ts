import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import DocumentUse from "../src/components/DocumentUse.vue";
import { useSession } from "../src/stores/session";
import { mount, textOf } from "./mount";

const asked: { method: string; path: string; body: unknown }[] = [];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal(
    "fetch",
    vi.fn(async (url: string, init: RequestInit) => {
      asked.push({ method: init.method ?? "GET", path: url, body: init.body });
      return url.endsWith("/withdraw")
        ? new Response(JSON.stringify({ flagged: 1 }), { status: 200 })
        : new Response(null, { status: 204 });
    }),
  );
});
afterEach(() => {
  document.body.innerHTML = "";
});

async function shown(roles: string[], more: Record<string, unknown> = {}, done = vi.fn()) {
  const mounted = await mount(DocumentUse, { kind: "policies", id: "travel", title: "差旅费管理办法", onDone: done, ...more });
  useSession().user = { username: "u", name: "U", roles };
  await nextTick();
  return { ...mounted, done };
}

function press(words: string): void {
  const found = [...document.querySelectorAll("button")].find((one) => one.textContent?.trim() === words);
  if (!found) throw new Error(`no button ${words}`);
  found.click();
}

it("offers nothing to an editor", async () => {
  const { root } = await shown(["editor"]);
  expect(textOf(root, "button")).toEqual([]);
});

it("says who took it out of use and why, and brings it back", async () => {
  const withdrawn = { on: "2026-11-23", by: "li", reason: "导错了文件" };
  const { root, done } = await shown(["reviewer"], { withdrawn });
  expect(root.textContent).toContain("li 于 2026-11-23 停用：导错了文件");
  press("重新启用");
  await vi.waitFor(() => expect(done).toHaveBeenCalled());
  expect(asked).toEqual([
    expect.objectContaining({ method: "POST", path: "/api/v1/console/kb/policies/travel/bring-back" }),
  ]);
});

it("takes it out of use with a reason", async () => {
  const { root, done } = await shown(["reviewer"]);
  press("停用");
  await nextTick();
  await vi.waitFor(() => expect(document.querySelector("textarea")).not.toBeNull());
  const field = document.querySelector("textarea")!;
  field.value = " 导错了文件 ";
  field.dispatchEvent(new Event("input"));
  await nextTick();
  document.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
  await vi.waitFor(() => expect(done).toHaveBeenCalled());
  expect(asked[0]).toMatchObject({
    path: "/api/v1/console/kb/policies/travel/withdraw",
    body: JSON.stringify({ reason: "导错了文件" }),
  });
  expect(root).toBeTruthy();
});

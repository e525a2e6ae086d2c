import { createPinia, setActivePinia } from "pinia";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { createMemoryHistory } from "vue-router";

import SideNavigation from "../src/components/SideNavigation.vue";
import { makeRouter } from "../src/router";
import { useSession } from "../src/stores/session";
import { mount, textOf } from "./mount";

afterEach(() => (document.body.innerHTML = ""));

describe("the side navigation", () => {
  it("shows users to administrators alone, and no heading over nothing", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const { root } = await mount(SideNavigation, { section: "entries" });
    const session = useSession();
    session.user = { username: "li", name: "李", roles: ["editor", "publisher"] };
    await nextTick();
    expect(textOf(root, "nav a")).toContain("知识条目");
    expect(textOf(root, "nav a")).not.toContain("用户");
    expect(textOf(root, "nav h2")).not.toContain("系统");
    session.user = { username: "admin", name: "管理员", roles: ["admin"] };
    await nextTick();
    expect(textOf(root, "nav a")).toContain("用户");
  });
});

it("an entry may be called new without hiding the form for new ones", () => {
  setActivePinia(createPinia());
  const router = makeRouter(createMemoryHistory("/console/"));
  expect(router.resolve("/knowledge/new").name).toBe("entry-new");
  expect(router.resolve("/knowledge/entries/new").name).toBe("entry");
  expect(router.resolve("/knowledge/entries/travel-001/edit").name).toBe("entry-edit");
  expect(router.resolve({ name: "entry-versions", params: { id: "a b" } }).path).toBe("/knowledge/entries/a%20b/versions");
});

import { afterEach, describe, expect, it } from "vitest";
import { defineComponent, h, nextTick, type Component } from "vue";

import { ApiError } from "../src/api/transport";
import ListFrame from "../src/components/ListFrame.vue";
import { useUrlFilter } from "../src/filters";
import { useLoading } from "../src/loading";
import { mount } from "./mount";

afterEach(() => (document.body.innerHTML = ""));

async function open(answer: () => Promise<{ items: { id: string }[]; total: number }>) {
  const asked: string[] = [];
  const page = defineComponent(() => {
    const filter = useUrlFilter(["q", "state"]);
    const loading = useLoading(async () => {
      asked.push(JSON.stringify({ ...filter.values.value, page: filter.page.value }));
      return answer();
    });
    return () =>
      h(ListFrame as Component, {
        filter,
        loading,
        what: "知识条目",
        unit: "条",
        placeholder: "",
        rowKey: "id",
        pageSize: 20,
        nothing: "知识库还是空的",
      });
  });
  const mounted = await mount(page);
  const settle = async () => {
    for (let n = 0; n < 5; n += 1) await nextTick();
    await new Promise((done) => setTimeout(done, 0));
  };
  await settle();
  return { ...mounted, asked, settle };
}

describe("the frame of a list", () => {
  it("loads when words, filter or page change, and not otherwise", async () => {
    const { root, router, asked, settle } = await open(async () => ({ items: [], total: 45 }));
    expect(asked).toHaveLength(1);
    expect(root.querySelector(".total")!.textContent!.trim()).toBe("共 45 条");
    const box = root.querySelector<HTMLInputElement>("input[name=q]")!;
    box.value = " 住宿 ";
    box.dispatchEvent(new Event("input"));
    root.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    await settle();
    expect(router.currentRoute.value.query).toEqual({ q: "住宿" });
    await router.push({ query: { q: "住宿", page: "3" } });
    await settle();
    await router.push({ query: { q: "住宿", page: "3" }, hash: "#x" });
    await settle();
    expect(asked.map((one) => JSON.parse(one))).toEqual([
      { q: "", state: "", page: 1 },
      { q: "住宿", state: "", page: 1 },
      { q: "住宿", state: "", page: 3 },
    ]);
    expect(box.value).toBe("住宿");
  });

  it("tells an empty list from one that filters have emptied", async () => {
    const { root, router, settle } = await open(async () => ({ items: [], total: 0 }));
    expect(root.textContent).toContain("知识库还是空的");
    await router.push({ query: { state: "hot" } });
    await settle();
    expect(root.textContent).toContain("没有符合条件的知识条目");
  });

  it("says why nothing is shown", async () => {
    const { root } = await open(async () => {
      throw new ApiError(0, "network", "连不上服务器。");
    });
    expect(root.querySelector("[role=alert]")!.textContent).toContain("连不上服务器");
    expect(root.querySelector(".el-table")).toBeNull();
  });

  it("puts the cursor into the search box with /", async () => {
    const { root } = await open(async () => ({ items: [], total: 0 }));
    const box = root.querySelector<HTMLInputElement>("input[name=q]")!;
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true }));
    expect(document.activeElement).toBe(box);
    const typed = new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true });
    box.dispatchEvent(typed);
    expect(typed.defaultPrevented).toBe(false);
  });
});

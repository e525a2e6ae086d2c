import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import type { Draft } from "../src/api/types-care";
import DraftReview from "../src/components/care/DraftReview.vue";
import { useSession } from "../src/stores/session";
import { mount, textOf } from "./mount";

const DRAFT = {
  entry_id: "t-1",
  base_version: 3,
  revision: 2,
  author: "wang",
  state: "rejected",
  deletes: true,
  comment: "还在用",
  reviewer: "li",
  findings: [],
  updated_at: "2026-11-23T08:00:00Z",
} as unknown as Draft;

beforeEach(() => vi.stubGlobal("fetch", vi.fn(async () => new Response(JSON.stringify({ fields: [] })))));
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = "";
});

async function shown(draft: Partial<Draft>, username: string, roles: string[]): Promise<string[]> {
  const { root } = await mount(DraftReview, { draft: { ...DRAFT, ...draft }, now: new Date() });
  useSession().user = { username, name: username, roles };
  await nextTick();
  return textOf(root, "header button");
}

describe("a request to retire an entry", () => {
  it("that was rejected is asked for again or taken back by its author", async () => {
    expect(await shown({}, "wang", ["editor"])).toEqual(["撤回申请", "提交审核"]);
  });

  it("that waits can be taken back", async () => {
    expect(await shown({ state: "submitted" }, "wang", ["editor"])).toEqual(["撤回申请"]);
  });
});

describe("a draft that somebody left lying", () => {
  const left: Partial<Draft> = { deletes: false, state: "draft" };

  it("is thrown away by an administrator", async () => {
    expect(await shown(left, "admin", ["admin"])).toEqual(["放弃草稿"]);
  });

  it("is left to its author by other editors", async () => {
    expect(await shown(left, "zhao", ["editor"])).toEqual([]);
    expect(await shown(left, "wang", ["editor"])).toEqual(["放弃草稿", "继续编辑"]);
  });
});

import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, ref } from "vue";

import type { CareEntry, Draft } from "../src/api/types-care";
import { useChecking } from "../src/checking";
import { bodyOf, EMPTY } from "../src/draft";
import { asText, useEditing } from "../src/editing";
import { nextToReview } from "../src/reviewing";

interface Asked {
  method: string;
  path: string;
  body: { body?: { question: string }; base_version?: number } | null;
}

/** A gateway that answers by method and path, and remembers what it was asked. */
function gateway(answers: Record<string, [number, unknown]>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn(async (url: string, init: RequestInit) => {
      const path = url.replace("/api/v1/console/kb", "");
      asked.push({ method: init.method!, path, body: init.body ? JSON.parse(init.body as string) : null });
      const [status, answer] = answers[`${init.method} ${path}`] ?? [404, {}];
      return new Response(status === 204 ? null : JSON.stringify(answer), { status });
    }),
  );
  return asked;
}

const BODY = { ...bodyOf(EMPTY), id: "travel-001", question: "住宿费能报多少？", answer: "看城市。" };
const draft = (change: Partial<Draft> = {}): Draft => ({
  entry_id: "travel-001",
  base_version: 2,
  body: BODY,
  author: "li",
  state: "draft",
  deletes: false,
  comment: null,
  reviewer: null,
  updated_at: "2026-11-21T10:00:00Z",
  findings: [],
  ...change,
});
const entry = (change: Partial<CareEntry> = {}) => ({ ...BODY, version: 2, draft: null, flags: [], ...change }) as CareEntry;
const refusal = (code: string, message: string): [number, unknown] => [409, { error: { code, message } }];

beforeEach(() => setActivePinia(createPinia()));

describe("an entry being written", () => {
  it("is saved over the version that was opened, and is clean after", async () => {
    const asked = gateway({ "PUT /drafts/travel-001": [200, draft()] });
    const { body, dirty, open, save } = useEditing();
    open(entry(), "li");
    expect(dirty.value).toBe(false);
    body.value.similar.push("酒店能报多少");
    expect(dirty.value).toBe(true);
    expect(await save()).toBe("travel-001");
    expect(dirty.value).toBe(false);
    expect(asked[0]!.body).toMatchObject({ base_version: 2, body: { similar: ["酒店能报多少"] } });
  });

  it("goes on from one's draft, not from the version", () => {
    const { body, open, dirty } = useEditing();
    open(entry({ draft: draft({ body: { ...BODY, answer: "改到一半" } }) }), "li");
    expect(body.value.answer).toBe("改到一半");
    expect(dirty.value).toBe(false);
  });

  it("is made new once, and saved under its id from then on", async () => {
    const asked = gateway({
      "POST /drafts": [201, draft({ entry_id: "k-1", base_version: 0 })],
      "PUT /drafts/k-1": [200, draft({ entry_id: "k-1", base_version: 0 })],
    });
    const { body, open, save } = useEditing();
    open(null, "li");
    body.value.question = "新问题";
    expect(await save()).toBe("k-1");
    body.value.answer = "新答案";
    await save();
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /drafts", "PUT /drafts/k-1"]);
    expect(asked[1]!.body!.base_version).toBe(0);
  });

  it("tells a newer version, keeps what was written, and can be saved over it", async () => {
    const asked = gateway({
      "PUT /drafts/travel-001": refusal("version_conflict", "这条知识刚被更新过。"),
      "GET /entries/travel-001": [200, entry({ version: 5 })],
    });
    const { body, clash, dirty, open, rebase, save } = useEditing();
    open(entry(), "li");
    body.value.answer = "看城市和级别。";
    expect(await save()).toBeNull();
    expect(clash.value).toMatchObject({ kind: "version", base: 2, newest: 5 });
    expect([body.value.answer, dirty.value]).toEqual(["看城市和级别。", true]);
    gateway({ "PUT /drafts/travel-001": [200, draft({ base_version: 5 })] });
    rebase();
    expect(await save()).toBe("travel-001");
    expect([clash.value, dirty.value]).toEqual([null, false]);
    expect(asked).toHaveLength(2);
    expect(JSON.parse((fetch as unknown as ReturnType<typeof vi.fn>).mock.calls[0]![1].body).base_version).toBe(5);
  });

  it("names who else has a draft, at opening and when saving", async () => {
    const { clash, open } = useEditing();
    open(entry({ draft: draft({ author: "wang" }) }), "li");
    expect(clash.value).toMatchObject({ kind: "other", author: "wang" });

    gateway({
      "PUT /drafts/travel-001": refusal("draft_by_other", "wang 正在修改这条知识。"),
      "GET /entries/travel-001": [200, entry({ draft: draft({ author: "wang" }) })],
    });
    const later = useEditing();
    later.open(entry(), "li");
    later.body.value.answer = "改";
    expect(await later.save()).toBeNull();
    expect(later.clash.value).toEqual({ kind: "other", message: "wang 正在修改这条知识。", author: "wang" });
  });

  it("throws what is no clash", async () => {
    gateway({ "PUT /drafts/travel-001": [422, { error: { code: "invalid", message: "标准问太长。" } }] });
    const { body, open, save } = useEditing();
    open(entry(), "li");
    body.value.answer = "改";
    await expect(save()).rejects.toThrow("标准问太长。");
  });

  it("can be copied out as text", () => {
    expect(asText({ ...BODY, similar: ["酒店能报多少"] })).toBe("住宿费能报多少？\n\n相似问：\n酒店能报多少\n\n答案：\n看城市。");
  });
});

describe("checks while writing", () => {
  it("ask once for many keystrokes, and put each finding to its field", async () => {
    vi.useFakeTimers();
    const asked = gateway({
      "POST /check": [
        200,
        {
          findings: [
            { kind: "amount", severity: "warning", message: "请核对金额。" },
            { kind: "missing_answer", severity: "error", message: "请填写答案。" },
            { kind: "new_kind", severity: "warning", message: "别的。" },
          ],
        },
      ],
    });
    const scope = effectScope();
    const body = ref(bodyOf(EMPTY));
    const checking = scope.run(() => useChecking(body))!;
    for (const letter of "住宿费") {
      body.value.question += letter;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(800);
    expect(asked.map((one) => one.body!.body!.question)).toEqual(["住宿费"]);
    expect(checking.at("answer").map((one) => one.kind)).toEqual(["amount"]);
    expect(checking.at("other").map((one) => one.kind)).toEqual(["new_kind"]);
    checking.insist();
    expect(checking.at("answer").map((one) => one.kind)).toEqual(["missing_answer", "amount"]);
    scope.stop();
    vi.useRealTimers();
  });
});

describe("the next draft to review", () => {
  const row = (id: string, author: string) => ({ id, draft: { state: "submitted", author, updated_at: "" } });

  it("is the oldest, and nobody's own", async () => {
    gateway({
      "GET /entries?state=submitted&page_size=100": [
        200,
        { items: [row("c", "wang"), row("b", "wang"), row("a", "li")], total: 3 },
      ],
    });
    expect(await nextToReview({ username: "li", name: "李", roles: ["reviewer"] })).toEqual({ id: "b", left: 2 });
    expect(await nextToReview({ username: "li", name: "李", roles: ["admin"] })).toEqual({ id: "a", left: 3 });
    expect(await nextToReview({ username: "li", name: "李", roles: ["editor"] })).toBeNull();
  });
});

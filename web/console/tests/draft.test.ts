import { describe, expect, it } from "vitest";

import { bodyOf, EMPTY, linesOf, problemsOf, repeated, same, tidied, unique } from "../src/draft";
import { isBlank, kindOf, sourceOf, tidySource } from "../src/sources";

const body = (change = {}) => ({ ...bodyOf(EMPTY), question: "发票丢了怎么办？", answer: "请先挂失。", ...change });

describe("what an editor writes", () => {
  it("shares nothing with what was loaded, and takes follow-ups by their id", () => {
    const loaded = {
      ...EMPTY,
      similar: ["发票遗失"],
      related: [{ id: "travel-001", question: "住宿费能报多少？" }],
      versions: [{ version: 3 }],
    };
    const made = bodyOf(loaded as never);
    made.similar.push("发票不见了");
    expect(loaded.similar).toEqual(["发票遗失"]);
    expect(made.related).toEqual(["travel-001"]);
    expect("versions" in made).toBe(false);
    expect(EMPTY.similar).toEqual([]);
  });

  it("fills what an older body lacks", () => {
    expect(bodyOf({ question: "问" }).audience).toEqual({ companies: [], groups: [] });
    expect(bodyOf({ question: "问", audience: null as never }).audience).toEqual({ companies: [], groups: [] });
  });

  it("is sent without blanks, repeats, the standard question among the similar ones, or half-picked sources", () => {
    const sent = tidied(
      body({
        question: "  发票丢了怎么办？ ",
        similar: [" 发票遗失 ", "", "发票丢了怎么办", "发票遗失？", "发票不见了"],
        sources: [sourceOf("policy"), { ...sourceOf("regulation"), regulation: " 财税〔2016〕36 号 " }],
        effective_to: "",
      }),
    );
    expect(sent.question).toBe("发票丢了怎么办？");
    expect(sent.similar).toEqual(["发票遗失", "发票不见了"]);
    expect(sent.effective_to).toBeNull();
    expect(sent.sources).toEqual([
      { label: "财税〔2016〕36 号", policy: null, article: null, table: null, regulation: "财税〔2016〕36 号", quote: null },
    ]);
  });

  it("is unsaved only when what would be sent differs", () => {
    expect(same(body(), body({ question: "发票丢了怎么办？  ", similar: ["", " "] }))).toBe(true);
    expect(same(body(), body({ similar: ["发票遗失"] }))).toBe(false);
    expect(same(body(), body({ review_on: "2027-01-01" }))).toBe(false);
  });

  it("takes a list that was cleared, whatever the widget leaves behind", () => {
    const sent = tidied(body({ owner: undefined, business_type: undefined, review_on: undefined }));
    expect([sent.owner, sent.business_type, sent.review_on]).toEqual(["", "", null]);
  });

  it("tells what is missing before the gateway is asked", () => {
    expect(problemsOf(body())).toEqual([]);
    expect(problemsOf(body({ question: " ", answer: "" })).map((one) => one.kind)).toEqual([
      "missing_question",
      "missing_answer",
    ]);
    const dates = { effective_from: "2026-12-01", effective_to: "2026-11-30" };
    expect(problemsOf(body(dates))[0]?.message).toContain("早于生效日期");
    expect(problemsOf(body({ ...dates, effective_to: "2026-12-01" }))).toEqual([]);
  });
});

describe("similar questions", () => {
  it.each([
    ["发票遗失\n发票不见了\r\n\n  发票没了 ", ["发票遗失", "发票不见了", "发票没了"]],
    ["发票遗失|发票不见了", ["发票遗失", "发票不见了"]],
    ["1. 发票遗失\n2、发票不见了\n- 发票没了\n• 票丢了", ["发票遗失", "发票不见了", "发票没了", "票丢了"]],
    ["2026 年的发票还能报吗", ["2026 年的发票还能报吗"]],
    ["  \n ", []],
  ])("%j pasted", (text, wanted) => expect(linesOf(text)).toEqual(wanted));

  it("are the same without case, width, blanks and the mark at the end", () => {
    expect(unique(["OA 打不开？", "ｏａ打不开", "OA打不开!", "OA 打不开怎么办"])).toEqual(["OA 打不开？", "OA 打不开怎么办"]);
  });

  it("are marked when they repeat the standard question or one above", () => {
    expect([...repeated("发票丢了怎么办？", ["发票遗失", "发票丢了怎么办", "", "发票遗失。", ""])]).toEqual([1, 3]);
  });
});

describe("sources", () => {
  it("keep their kind before anything is picked", () => {
    expect((["policy", "table", "regulation"] as const).map((kind) => kindOf(sourceOf(kind)))).toEqual([
      "policy",
      "table",
      "regulation",
    ]);
    expect(kindOf({ label: "《会计法》", policy: null, table: null, regulation: null })).toBe("regulation");
  });

  it("keep the quote and drop what was picked when the kind changes", () => {
    const before = { label: "《差旅费管理办法》第二条", policy: "travel", article: 2, quote: "原文" };
    expect(sourceOf("table", before)).toMatchObject({ label: "", policy: null, article: null, table: "", quote: "原文" });
  });

  it("have no article without a policy", () => {
    expect(tidySource({ label: " x ", policy: "", article: 3 })).toMatchObject({ label: "x", policy: null, article: null });
    expect(isBlank({ label: " ", policy: "", article: 3, quote: "" })).toBe(true);
  });
});

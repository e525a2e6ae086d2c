import { describe, expect, it } from "vitest";

import { added, conditionWords, dayLabel, dayWords, freshId, hoursWords, moved, newRule, noConditions, nothingPast, weekOf } from "../src/dispatch";

describe("a rule in words", () => {
  it("names only what it asks for, risk words first", () => {
    const when = { ...noConditions(), business_types: ["发票"], risk_words: ["稽查"], service_tiers: ["vip"], places: ["a/b"] };
    expect(conditionWords(when, (scene) => `位置 ${scene}`)).toEqual([
      { label: "风险词", values: ["稽查"] },
      { label: "业务类型", values: ["发票"] },
      { label: "服务等级", values: ["重点单位"] },
      { label: "提问位置", values: ["位置 a/b"] },
    ]);
    expect(conditionWords(noConditions(), String)).toEqual([]);
  });
});

describe("order", () => {
  it("moves one rule up or down and keeps the others in theirs", () => {
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
    expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  });
});

describe("a new rule", () => {
  const named = (name: string, emergency: boolean) => {
    const rule = newRule("tax", 2);
    return { ...rule, name, then: { ...rule.then, emergency } };
  };
  const rules = [named("错付", true), named("报销", false)];

  it("comes after the alarms and before everyday business", () => {
    expect(added(rules, named("新", false)).map((one) => one.name)).toEqual(["错付", "新", "报销"]);
    expect(added(rules, named("新", true)).map((one) => one.name)).toEqual(["新", "错付", "报销"]);
    expect(added([], named("新", false)).map((one) => one.name)).toEqual(["新"]);
  });
});

describe("shifts", () => {
  it.each([
    [[0], "随工作日历"],
    [[1, 2, 3, 4, 5, 6, 7], "每天"],
    [[1, 2, 3, 4, 5], "周一至周五"],
    [[6, 7], "周六、周日"],
    [[1, 3, 5], "周一、周三、周五"],
  ])("says %j as %s", (days, words) => expect(dayWords(days)).toBe(words));

  it("says when a night ends", () => {
    expect(hoursWords({ starts: "09:00", ends: "18:00" })).toBe("09:00–18:00");
    expect(hoursWords({ starts: "22:00", ends: "06:00" })).toBe("22:00–次日06:00");
  });

  it("knows the week of a day", () => {
    expect(weekOf("2026-11-22")).toEqual([
      "2026-11-16",
      "2026-11-17",
      "2026-11-18",
      "2026-11-19",
      "2026-11-20",
      "2026-11-21",
      "2026-11-22",
    ]);
    expect(weekOf("2026-11-23")[0]).toBe("2026-11-23");
    expect(dayLabel("2026-11-22")).toBe("周日 11-22");
  });
});

it("makes ids that nobody has", () => {
  expect(freshId("list", ["list-1", "list-2"])).toBe("list-3");
  expect(freshId("list", ["list-2"])).toBe("list-3");
});

describe("an empty log of emergency calls", () => {
  it("does not deny the call that is running", () => {
    expect(nothingPast(0)).toBe("还没有应急呼叫");
    expect(nothingPast(1)).toContain("还没有结束的应急呼叫");
  });
});

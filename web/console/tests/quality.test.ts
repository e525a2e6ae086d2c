import { describe, expect, it } from "vitest";

import type { Rubric } from "../src/api/types-quality";
import { besidePeriod, copyOf, freshId, lastDays, lastMonth, lastWeek, periodLabel, totalOf, unexplained, weekOf } from "../src/quality";

describe("periods", () => {
  it("knows the week of a day as ISO 8601 does, also around new year", () => {
    expect(weekOf("2026-11-22")).toBe("2026-W47");
    expect(weekOf("2026-11-23")).toBe("2026-W48");
    expect(weekOf("2027-01-03")).toBe("2026-W53");
    expect(weekOf("2024-12-30")).toBe("2025-W01");
  });

  it("steps from one to the next and back", () => {
    expect(besidePeriod("2026-W53", 1)).toBe("2027-W01");
    expect(besidePeriod("2027-W01", -1)).toBe("2026-W53");
    expect(besidePeriod("2026-12", 1)).toBe("2027-01");
    expect(besidePeriod("2026-01", -1)).toBe("2025-12");
    expect(periodLabel("2026-W07")).toBe("2026 年第 7 周");
    expect(periodLabel("2026-11")).toBe("2026 年 11 月");
  });

  it("knows last week and last month on a Monday and on the first", () => {
    const monday = new Date("2026-11-22T17:00:00Z");
    expect(lastWeek(monday)).toEqual({ start: "2026-11-16", end: "2026-11-22" });
    expect(lastWeek(new Date("2026-11-22T03:00:00Z"))).toEqual({ start: "2026-11-09", end: "2026-11-15" });
    expect(lastMonth(new Date("2026-02-28T17:00:00Z"))).toEqual({ start: "2026-02-01", end: "2026-02-28" });
    expect(lastMonth(new Date("2026-01-15T00:00:00Z"))).toEqual({ start: "2025-12-01", end: "2025-12-31" });
  });

  it("takes the last days by the clock of Shanghai", () => {
    const lateInUtc = new Date("2026-11-21T17:00:00Z");
    expect(lastDays(7, lateInUtc)).toEqual({ start: "2026-11-16", end: "2026-11-22" });
  });
});

describe("a score", () => {
  const rubric: Rubric = {
    pass: 80,
    appeal_days: 5,
    items: [
      { id: "a", name: "甲", weight: 45, guide: "" },
      { id: "b", name: "乙", weight: 55, guide: "" },
    ],
    vetoes: [{ id: "v", name: "否决", guide: "" }],
  };
  const points = (a: number, b: number) => ({ a: { points: a, comment: "" }, b: { points: b, comment: "" } });

  it("is what the gateway makes of it", () => {
    expect(totalOf(rubric, points(81, 80), [])).toBe(80.5);
    expect(totalOf(rubric, points(83, 84), [])).toBe(83.6);
    expect(totalOf(rubric, points(100, 100), ["v"])).toBe(0);
  });

  it("says which items still need a word", () => {
    expect(unexplained(rubric, points(79, 80))).toEqual(["甲"]);
    expect(unexplained(rubric, { ...points(79, 80), a: { points: 0, comment: "没有回复" } })).toEqual([]);
  });
});

it("new questions get an id that nobody has", () => {
  expect(freshId(["q1", "q3"], "q")).toBe("q2");
  const rules = { weights: { a: 1 } };
  const copy = copyOf(rules);
  copy.weights.a = 2;
  expect(rules.weights.a).toBe(1);
});

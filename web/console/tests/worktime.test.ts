import { describe, expect, it } from "vitest";

import { dayNote, duration, monthSheet, nextMonth, readPeriods, shownPeriods } from "../src/worktime";

describe("working hours as people type them", () => {
  it.each([
    ["9:00-12:00 13:30~18:00", [["09:00", "12:00"], ["13:30", "18:00"]]],
    ["13：30至18：00，09:00–12:00", [["09:00", "12:00"], ["13:30", "18:00"]]],
    ["00:00-24:00", [["00:00", "24:00"]]],
    ["休息", []],
    ["  ", []],
  ])("%s", (typed, periods) => {
    expect(readPeriods(typed)).toEqual(periods);
  });

  it.each(["8:30", "18:00-09:00", "09:00-12:00，11:00-13:00", "09:00-25:00", "09:70-10:00", "24:00-24:00"])(
    "%s is refused with a reason",
    (typed) => {
      expect(readPeriods(typed)).toMatch(/[一-龥]/);
    },
  );

  it("reads what it shows", () => {
    const shown = shownPeriods([["09:00", "12:00"], ["13:30", "18:00"]]);
    expect(shown).toBe("09:00–12:00，13:30–18:00");
    expect(readPeriods(shown)).toEqual([["09:00", "12:00"], ["13:30", "18:00"]]);
    expect(readPeriods(shownPeriods([]))).toEqual([]);
  });
});

it("says minutes in words", () => {
  expect([null, 45, 60, 450, 900, 10.5].map(duration)).toEqual([
    "不承诺",
    "45 分钟",
    "1 小时",
    "7 小时 30 分钟",
    "15 小时",
    "10.5 分钟",
  ]);
});

it("a month's sheet holds whole weeks, Monday first", () => {
  expect(monthSheet("2026-10")).toEqual({ from: "2026-09-28", to: "2026-11-01" });
  expect(monthSheet("2027-02")).toEqual({ from: "2027-02-01", to: "2027-02-28" });
  expect(nextMonth("2026-12", 1)).toBe("2027-01");
  expect(nextMonth("2026-01", -1)).toBe("2025-12");
});

it("a day off that nobody explained is the company's", () => {
  expect(dayNote({ day: "2026-11-24", periods: [], source: "own", note: "" })).toBe("公司休息");
  expect(dayNote({ day: "2026-10-01", periods: [], source: "holiday", note: "国庆节" })).toBe("国庆节");
  expect(dayNote({ day: "2026-11-22", periods: [], source: "weekly", note: "" })).toBe("");
});

import { describe, expect, it } from "vitest";

import { nothingIn } from "../src/curating";
import { evaluationFigures } from "../src/evaluation";
import { chineseNumber, handoffReason, percent } from "../src/labels";
import { absoluteTime, relativeTime } from "../src/time";
import { validityOf } from "../src/validity";

describe("times are those of Shanghai", () => {
  const now = new Date("2026-11-21T17:30:00Z");

  it("shows the next day after 16:00 UTC", () => {
    expect(absoluteTime("2026-11-21T16:05:09Z", true)).toBe("2026-11-22 00:05:09");
    expect(absoluteTime("2026-11-21T16:05:09.123456+00:00")).toBe("2026-11-22 00:05");
    expect(absoluteTime("2026-11-21T16:05:09")).toBe("2026-11-22 00:05");
    expect(absoluteTime(null)).toBe("—");
    expect(absoluteTime("nonsense")).toBe("—");
  });

  it.each([
    ["2026-11-21T17:29:31Z", "刚刚"],
    ["2026-11-21T17:30:20Z", "刚刚"],
    ["2026-11-21T17:12:00Z", "18 分钟前"],
    ["2026-11-21T16:10:00Z", "1 小时前"],
    ["2026-11-21T15:59:00Z", "昨天 23:59"],
    ["2026-11-19T02:00:00Z", "3 天前"],
    ["2026-09-01T02:00:00Z", "2026-09-01"],
  ])("%s reads %s", (at, words) => expect(relativeTime(at, now)).toBe(words));

  it("holds both ends of a validity window", () => {
    expect(validityOf("2026-11-22", null, now).label).toBe("生效中");
    expect(validityOf("2026-11-23", null, now).label).toBe("未生效");
    expect(validityOf(null, "2026-11-22", now).label).toBe("生效中");
    expect(validityOf("2026-01-01", "2026-11-21", now).label).toBe("已失效");
  });
});

describe("words for figures", () => {
  it.each([
    [1, "一"],
    [10, "十"],
    [12, "十二"],
    [20, "二十"],
    [101, "一百零一"],
    [111, "一百一十一"],
    [1000, "1000"],
  ])("article %i is %s", (n, words) => expect(chineseNumber(n)).toBe(words));

  it("never calls certain what is not", () => {
    expect(percent(0.99996)).toBe("99.9%");
    expect(percent(1)).toBe("100.0%");
    expect(percent(0)).toBe("0.0%");
  });

  it("shows a reason that it does not know as it came", () => {
    expect(handoffReason("low_confidence")).toBe("置信度低");
    expect(handoffReason("moon_phase")).toBe("moon_phase");
  });

  it("shows the figures of an evaluation by name, thresholds among them, and skips what is no number", () => {
    const shown = evaluationFigures({
      ece: 0.0312,
      top1: 0.934,
      answer_threshold: 0.5,
      entries: 240,
      made_by: "x",
      new_figure: 7,
    });
    expect(shown.map(({ label, shown: value }) => `${label} ${value}`)).toEqual([
      "首位命中 93.4%",
      "校准误差 0.031",
      "回答阈值 50.0%",
      "new_figure 7",
    ]);
    expect(evaluationFigures(null)).toEqual([]);
  });
});

describe("an empty list of open questions", () => {
  it("tells of those that are not grouped yet", () => {
    expect(nothingIn("open", 0)).toBe("没有待处理的问题");
    expect(nothingIn("open", 3)).toContain("有 3 个问题还没有归类");
    expect(nothingIn("closed", 3)).toBe("这里是空的");
  });
});

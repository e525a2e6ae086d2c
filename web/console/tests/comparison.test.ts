import { describe, expect, it } from "vitest";

import type { Outcome } from "../src/api/types-releases";
import { comparisons, heldBy, outcomeWords, turnOf } from "../src/comparison";
import { placeOfEntry } from "../src/places";
import { curveOption, reliabilityOption } from "../src/plots";

const outcome = (band: Outcome["band"], entry_id: string | null, probability = 0.9): Outcome => ({
  band,
  entry_id,
  question: entry_id && `问题 ${entry_id}`,
  probability,
});

describe("an evaluation before and after", () => {
  it("says for each rate whether the change is for the better", () => {
    const rows = comparisons({ top1: 0.86, coverage: 0.7, wrong_rate: 0.02 }, { top1: 0.86, coverage: 0.65, wrong_rate: 0.01 });
    expect(rows.map((one) => [one.key, one.before, one.after, one.delta, one.verdict])).toEqual([
      ["top1", "86.0%", "86.0%", "0", "same"],
      ["coverage", "70.0%", "65.0%", "−5.0", "worse"],
      ["wrong_rate", "2.0%", "1.0%", "−1.0", "better"],
    ]);
    const little = comparisons({ top1: 0.86, wrong_rate: 0.028 }, { top1: 0.859, wrong_rate: 0.029 });
    expect(little.map((one) => [one.delta, one.verdict])).toEqual([
      ["−0.1", "same"],
      ["+0.1", "same"],
    ]);
    expect(rows[2]!.words).toBe("每 100 个直接回答，1 个是错的");
  });

  it("compares nothing with the first release, and does not take a missing figure for zero", () => {
    expect(comparisons(null, { top1: 0.86 }).map((one) => [one.before, one.verdict])).toEqual([["—", "unknown"]]);
    expect(comparisons({ coverage: 0.7 }, {}).map((one) => [one.after, one.words])).toEqual([["—", ""]]);
    expect(comparisons(null, null)).toEqual([]);
  });
});

it("a release holds as many entries as the list does, and articles of policies beside them", () => {
  expect(heldBy(565, { passages: 212 })).toBe("353 条知识，212 段制度条款");
  expect([heldBy(3, { passages: 0 }), heldBy(3, null)]).toEqual(["3 条知识", "3 条知识"]);
});

describe("a question whose answer changes", () => {
  it.each([
    ["gained", outcome("clarify", "a"), outcome("answer", "a")],
    ["lost", outcome("answer", "a"), outcome("none", null)],
    ["swapped", outcome("answer", "a"), outcome("answer", "b")],
    ["reworded", outcome("answer", "a"), outcome("answer", "a")],
    ["moved", outcome("clarify", "a"), outcome("none", null)],
    ["gained", null, outcome("answer", "a")],
  ])("is %s", (turn, before, after) =>
    expect(turnOf({ question: "问", kind: "curated", before, after })).toBe(turn),
  );

  it("is told in words", () => {
    expect(outcomeWords(outcome("answer", "a", 0.951))).toBe("直接回答：问题 a（95.1%）");
    expect(outcomeWords(outcome("none", null, 0.04))).toBe("不回答（4.0%）");
  });

  it("leads to the entry, or to the article that a passage is", () => {
    expect(placeOfEntry("travel-001")).toEqual({ name: "entry", params: { id: "travel-001" } });
    expect(placeOfEntry("travel@2026.1#12.2")).toEqual({
      name: "policies",
      params: { id: "travel" },
      hash: "#article-12",
    });
  });
});

describe("the plots", () => {
  const curve = [
    { threshold: 0.9, coverage: 0.5, wrong_rate: 0.01 },
    { threshold: 0.1, coverage: 0.9, wrong_rate: 0.18 },
  ];

  it("draw coverage and wrong rate by rising threshold, with the release's own and the accepted rate", () => {
    const { series, yAxis } = curveOption(curve, 0.83, 0.03);
    expect(series[0]!.data).toEqual([
      [0.1, 0.9],
      [0.9, 0.5],
    ]);
    expect(series[0]!.markLine?.data).toEqual([expect.objectContaining({ xAxis: 0.83 })]);
    expect(series[1]!.markLine?.data).toEqual([expect.objectContaining({ yAxis: 0.03 })]);
    expect(yAxis[1]!.max).toBe(0.15);
  });

  it("scale wrong rates to the accepted one", () => {
    const ends = [0.01, 0.05, 0.3].map((accepted) => curveOption(curve, null, accepted).yAxis[1]!.max);
    expect(ends).toEqual([0.05, 0.2, 1]);
  });

  it("leave out bars of the reliability diagram that stand for no question", () => {
    const bar = { from: 0, to: 0.1, count: 0, mean_probability: 0, share_right: 0 };
    const { series } = reliabilityOption([bar, { ...bar, count: 4, mean_probability: 0.06, share_right: 0.25 }]);
    expect(series[1]!.data).toEqual([[0.06, 0.25, 4]]);
  });
});

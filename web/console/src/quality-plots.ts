import type { QuestionResult, SatisfactionReport } from "./api/types-quality";

const INK = "#475467";
const LINE = "#e4e7ec";
const SCORES: Record<number, string> = { 5: "#079455", 4: "#47cd89", 3: "#f79009", 2: "#f97066", 1: "#d92d20" };
const axis = { axisLabel: { color: INK }, axisTick: { show: false } };
const counted = { type: "value" as const, minInterval: 1, axisLabel: { color: INK }, splitLine: { lineStyle: { color: LINE } } };

/** How often each score was given, 5 on top. */
export function scoresOption(scores: SatisfactionReport["by_score"]) {
  const up = [...scores].sort((a, b) => a.score - b.score);
  return {
    animation: false,
    grid: { left: 92, right: 36, top: 8, bottom: 24 },
    tooltip: { trigger: "item" as const },
    xAxis: counted,
    yAxis: { type: "category" as const, data: up.map((one) => `${one.score} 分 ${one.label}`), ...axis },
    series: [
      {
        name: "次数",
        type: "bar" as const,
        barMaxWidth: 18,
        label: { show: true, position: "right" as const, color: INK },
        data: up.map((one) => ({ value: one.count, itemStyle: { color: SCORES[one.score], borderRadius: 3 } })),
      },
    ],
  };
}

/** The mean score of each week over how many ratings it is made of. */
export function weeksOption(weeks: SatisfactionReport["by_week"]) {
  return {
    animation: false,
    grid: { left: 40, right: 44, top: 34, bottom: 26 },
    legend: { top: 0, textStyle: { color: INK } },
    tooltip: { trigger: "axis" as const },
    xAxis: { type: "category" as const, data: weeks.map((one) => one.week), ...axis },
    yAxis: [
      { type: "value" as const, min: 1, max: 5, axisLabel: { color: INK }, splitLine: { lineStyle: { color: LINE } } },
      { ...counted, splitLine: { show: false } },
    ],
    series: [
      {
        name: "评价数",
        type: "bar" as const,
        yAxisIndex: 1,
        barMaxWidth: 22,
        color: "#d1e0ff",
        data: weeks.map((one) => one.rated),
      },
      { name: "平均分", type: "line" as const, color: "#175cd3", data: weeks.map((one) => one.mean) },
    ],
  };
}

/** How often each answer of a question was given, the first option on top. */
export function answersOption(result: QuestionResult) {
  const up = [...result.counts].reverse();
  return {
    animation: false,
    grid: { left: 110, right: 40, top: 6, bottom: 22 },
    tooltip: { trigger: "item" as const },
    xAxis: counted,
    yAxis: {
      type: "category" as const,
      data: up.map((one) => (result.kind === "score" ? `${one.option} 分` : one.option)),
      axisLabel: { color: INK, width: 100, overflow: "truncate" as const },
      axisTick: { show: false },
    },
    series: [
      {
        name: "人数",
        type: "bar" as const,
        barMaxWidth: 18,
        color: "#528bff",
        label: { show: true, position: "right" as const, color: INK },
        data: up.map((one) => one.count),
      },
    ],
  };
}

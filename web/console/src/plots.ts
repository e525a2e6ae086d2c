import type { CurvePoint, ReliabilityBin } from "./api/types-releases";
import { percent } from "./labels";

const INK = "#475467";
const LINE = "#e4e7ec";
const share = {
  min: 0,
  max: 1,
  axisLabel: { hideOverlap: true, formatter: (value: number) => `${Math.round(value * 100)}%`, color: INK },
};
const grid = { left: 56, right: 20, top: 44, bottom: 48 };
const named = (name: string) => ({ name, nameLocation: "middle" as const, nameTextStyle: { color: INK } });
const across = (name: string) => ({
  type: "value" as const,
  ...share,
  ...named(name),
  nameGap: 28,
  splitLine: { show: false },
});
const up = (name: string) => ({
  type: "value" as const,
  ...share,
  ...named(name),
  nameGap: 42,
  splitLine: { lineStyle: { color: LINE } },
});

const ROUND_ENDS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5];

/** Four times the accepted wrong rate, rounded up: what lies above it at thresholds near zero nobody considers. */
const mostWrong = (accepted: number | null): number =>
  ROUND_ENDS.find((end) => end >= 4 * (accepted ?? 0.03) - 1e-9) ?? 1;

/** Coverage and, on a scale of its own, wrong rate at every threshold; the release's threshold and the accepted wrong rate as lines. */
export function curveOption(curve: CurvePoint[], answerThreshold: number | null, accepted: number | null) {
  const points = [...curve].sort((a, b) => a.threshold - b.threshold);
  const mark = (data: unknown[]) => ({ silent: true, symbol: "none", data });
  return {
    animation: false,
    grid: { ...grid, right: 56 },
    legend: { top: 4, textStyle: { color: INK } },
    tooltip: {
      trigger: "axis" as const,
      valueFormatter: (value: unknown) => (typeof value === "number" ? percent(value) : "—"),
    },
    xAxis: across("回答阈值"),
    yAxis: [
      up("直接答对率"),
      {
        ...up("答错率"),
        max: mostWrong(accepted),
        splitLine: { show: false },
        axisLabel: { formatter: (value: number) => `${Math.round(value * 1000) / 10}%`, color: "#b42318" },
      },
    ],
    series: [
      {
        name: "直接答对率",
        type: "line" as const,
        showSymbol: false,
        color: "#079455",
        data: points.map((one) => [one.threshold, one.coverage]),
        markLine:
          answerThreshold === null
            ? undefined
            : mark([
                {
                  xAxis: answerThreshold,
                  lineStyle: { color: "#175cd3", type: "dashed" },
                  label: { formatter: `阈值 ${percent(answerThreshold)}`, color: "#175cd3" },
                },
              ]),
      },
      {
        name: "答错率",
        type: "line" as const,
        showSymbol: false,
        color: "#d92d20",
        yAxisIndex: 1,
        data: points.map((one) => [one.threshold, one.wrong_rate]),
        markLine:
          accepted === null
            ? undefined
            : mark([
                {
                  yAxis: accepted,
                  lineStyle: { color: "#f97066", type: "dotted" },
                  label: { formatter: `可接受的答错率 ${percent(accepted)}`, position: "insideStartTop", color: "#b42318" },
                },
              ]),
      },
    ],
  };
}

/** Points on the diagonal keep their promise; the size of a point grows with how many questions it stands for. */
export function reliabilityOption(bins: ReliabilityBin[]) {
  const filled = bins.filter((one) => one.count > 0);
  const most = Math.max(1, ...filled.map((one) => one.count));
  return {
    animation: false,
    grid,
    legend: { top: 4, textStyle: { color: INK }, data: ["实际答对", "完全可信"] },
    tooltip: {
      trigger: "item" as const,
      formatter: ({ data }: { data: number[] }) =>
        data.length < 3
          ? ""
          : `${data[2]} 个问题<br>预测的概率平均 ${percent(data[0]!)}<br>实际答对 ${percent(data[1]!)}`,
    },
    xAxis: across("预测的概率"),
    yAxis: up("实际答对的占比"),
    series: [
      {
        name: "完全可信",
        type: "line" as const,
        silent: true,
        showSymbol: false,
        color: "#98a2b3",
        lineStyle: { type: "dashed" as const, width: 1 },
        data: [
          [0, 0],
          [1, 1],
        ],
      },
      {
        name: "实际答对",
        type: "line" as const,
        color: "#175cd3",
        symbol: "circle",
        symbolSize: (data: number[]) => 6 + 14 * Math.sqrt((data[2] ?? 0) / most),
        lineStyle: { width: 1.5, opacity: 0.5 },
        data: filled.map((one) => [one.mean_probability, one.share_right, one.count]),
      },
    ],
  };
}

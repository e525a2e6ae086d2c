import { written } from "./insight";

export const INK = "#475467";
export const LINE = "#e4e7ec";
const BLUE = "#175cd3";
const SOFT = "#b2ccff";
const category = { type: "category" as const, axisLabel: { color: INK, hideOverlap: true }, axisTick: { show: false } };
const counted = { type: "value" as const, minInterval: 1, axisLabel: { color: INK }, splitLine: { lineStyle: { color: LINE } } };
const shared = {
  type: "value" as const,
  min: 0,
  max: 1,
  axisLabel: { color: INK, formatter: (value: number) => `${Math.round(value * 100)}%` },
  splitLine: { show: false },
};

export interface Line {
  name: string;
  data: (number | null)[];
  color?: string;
  dashed?: boolean;
}

const tenth = (value: unknown) => (typeof value === "number" ? `${(value * 100).toFixed(1)}%` : "—");

/** Counts as bars, and shares as lines over them, along days or other names. */
export function mixedOption(names: string[], bars: Line[], lines: Line[] = []) {
  return {
    animation: false,
    grid: { left: 52, right: lines.length ? 46 : 16, top: 36, bottom: 26 },
    legend: { top: 0, type: "scroll" as const, textStyle: { color: INK } },
    tooltip: { trigger: "axis" as const },
    xAxis: { ...category, data: names },
    yAxis: lines.length ? [counted, shared] : [counted],
    series: [
      ...bars.map((one, place) => ({
        name: one.name,
        type: "bar" as const,
        stack: "all",
        barMaxWidth: 22,
        color: one.color ?? (place ? "#528bff" : SOFT),
        data: one.data,
      })),
      ...lines.map((one) => ({
        name: one.name,
        type: "line" as const,
        yAxisIndex: 1,
        showSymbol: names.length < 40,
        symbolSize: 4,
        color: one.color ?? BLUE,
        lineStyle: { width: 2, type: one.dashed ? ("dashed" as const) : ("solid" as const) },
        tooltip: { valueFormatter: tenth },
        data: one.data,
      })),
    ],
  };
}

/** Several lines on one scale of counts or minutes. */
export function linesOption(names: string[], lines: Line[], share = false) {
  return {
    animation: false,
    grid: { left: 52, right: 16, top: 36, bottom: 26 },
    legend: { top: 0, type: "scroll" as const, textStyle: { color: INK } },
    tooltip: { trigger: "axis" as const },
    xAxis: { ...category, data: names },
    yAxis: share ? { ...shared, splitLine: { lineStyle: { color: LINE } } } : { ...counted, minInterval: 0 },
    series: lines.map((one) => ({
      name: one.name,
      type: "line" as const,
      showSymbol: names.length < 40,
      symbolSize: 4,
      color: one.color,
      connectNulls: true,
      lineStyle: { width: 2, type: one.dashed ? ("dashed" as const) : ("solid" as const) },
      ...(share ? { tooltip: { valueFormatter: tenth } } : {}),
      data: one.data,
    })),
  };
}

/** Bars that lie, the first on top; a click tells the name. */
export function ranksOption(names: string[], values: number[], name: string, color = "#528bff") {
  return {
    animation: false,
    grid: { left: 8, right: 64, top: 4, bottom: 4, containLabel: true },
    tooltip: { trigger: "item" as const },
    xAxis: { ...counted, show: false },
    yAxis: {
      ...category,
      inverse: true,
      data: names,
      axisLine: { show: false },
      axisLabel: { color: INK, width: 190, overflow: "truncate" as const },
    },
    series: [
      {
        name,
        type: "bar" as const,
        barMaxWidth: 16,
        color,
        itemStyle: { borderRadius: 3 },
        label: { show: true, position: "right" as const, color: INK, formatter: (one: { value: number }) => written(one.value) },
        data: values,
      },
    ],
  };
}

import type { Period, WorkDay } from "./api/types-clocks";

export const WEEKDAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"] as const;

/** `09:00–12:00，13:30–18:00`; 休息 where there are none. */
export function shownPeriods(periods: readonly Period[]): string {
  return periods.length ? periods.map(([from, to]) => `${from}–${to}`).join("，") : "休息";
}

/**
 * What a person types as working hours: `9:00-12:00 13:30~18:00`, `休息` or nothing for a day off.
 * A string is what is wrong with it, in Chinese.
 */
export function readPeriods(typed: string): Period[] | string {
  const text = typed.replaceAll("：", ":").trim();
  if (!text || /^(休息|休|无)$/.test(text)) return [];
  const found: Period[] = [];
  for (const part of text.split(/[,，;；、\s]+/).filter(Boolean)) {
    const match = /^(\d{1,2}):(\d{2})[-–—~～至到](\d{1,2}):(\d{2})$/.exec(part);
    if (!match) return `“${part}”看不懂，请写成 09:00-12:00，多段用逗号隔开`;
    const [from, to] = [clock(match[1], match[2]), clock(match[3], match[4])];
    if (!from || !to || from === "24:00") return `“${part}”不是有效的时间`;
    if (from >= to) return `${part} 的结束时间应晚于开始时间；跨零点请分成两段`;
    found.push([from, to]);
  }
  found.sort(([a], [b]) => a.localeCompare(b));
  for (let n = 1; n < found.length; n++) {
    if (found[n]![0] < found[n - 1]![1]) return `时段在 ${found[n]![0]} 处重叠`;
  }
  return found;
}

function clock(hour = "", minute = ""): string | null {
  const text = `${hour.padStart(2, "0")}:${minute}`;
  return text === "24:00" || (Number(hour) < 24 && Number(minute) < 60) ? text : null;
}

/** Minutes of working time in words: `45 分钟`, `1 小时 30 分钟`, `15 小时`. */
export function duration(minutes: number | null): string {
  if (minutes === null) return "不承诺";
  const hours = Math.floor(minutes / 60);
  const rest = Math.round((minutes % 60) * 100) / 100;
  if (!hours) return `${rest} 分钟`;
  return rest ? `${hours} 小时 ${rest} 分钟` : `${hours} 小时`;
}

/** Why a day is as it is, in a word or two; empty for a usual day. */
export function dayNote(day: WorkDay): string {
  if (day.note) return day.note;
  if (day.source === "own") return day.periods.length ? "特殊作息" : "公司休息";
  return "";
}

/** The days of a month's sheet: whole weeks, Monday first. `month` is `2026-10`. */
export function monthSheet(month: string): { from: string; to: string } {
  const [year, number] = month.split("-").map(Number) as [number, number];
  const first = new Date(Date.UTC(year, number - 1, 1));
  const last = new Date(Date.UTC(year, number, 0));
  const before = (first.getUTCDay() + 6) % 7;
  const after = 6 - ((last.getUTCDay() + 6) % 7);
  return { from: shifted(first, -before), to: shifted(last, after) };
}

/** `2026-12` after `2026-11`. */
export function nextMonth(month: string, by: number): string {
  const [year, number] = month.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

function shifted(day: Date, by: number): string {
  return new Date(day.getTime() + by * 86_400_000).toISOString().slice(0, 10);
}

import type { Span } from "./api/quality";
import type { Points, Question, Rubric } from "./api/types-quality";
import { shanghaiDay } from "./time";

const DAY = 86_400_000;

/** The last `days` days, today included. */
export function lastDays(days: number, now = new Date()): Span {
  return { start: shanghaiDay(new Date(now.getTime() - (days - 1) * DAY)), end: shanghaiDay(now) };
}

/** From Monday to Sunday of the week before this one. */
export function lastWeek(now = new Date()): Span {
  const day = new Date(`${shanghaiDay(now)}T00:00:00Z`);
  const sunday = day.getTime() - (day.getUTCDay() || 7) * DAY;
  return { start: new Date(sunday - 6 * DAY).toISOString().slice(0, 10), end: new Date(sunday).toISOString().slice(0, 10) };
}

/** The whole month before this one. */
export function lastMonth(now = new Date()): Span {
  const [year, month] = shanghaiDay(now).split("-").map(Number);
  const end = new Date(Date.UTC(year!, month! - 1, 0)).toISOString().slice(0, 10);
  return { start: `${end.slice(0, 7)}-01`, end };
}

/** `2026-W47` of a civil day `YYYY-MM-DD`, by ISO 8601. */
export function weekOf(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + 4 - (at.getUTCDay() || 7));
  const first = Date.UTC(at.getUTCFullYear(), 0, 1);
  const week = Math.floor((at.getTime() - first) / (7 * DAY)) + 1;
  return `${at.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}

export const monthOf = (day: string) => day.slice(0, 7);

/** The period before or after: `step` weeks or months away. */
export function besidePeriod(period: string, step: number): string {
  const week = /^(\d{4})-W(\d\d)$/.exec(period);
  if (week) {
    const fourth = Date.UTC(Number(week[1]), 0, 4);
    const monday = fourth - ((new Date(fourth).getUTCDay() || 7) - 1) * DAY + (Number(week[2]) - 1) * 7 * DAY;
    return weekOf(new Date(monday + step * 7 * DAY).toISOString().slice(0, 10));
  }
  const [year, month] = period.split("-").map(Number);
  const at = new Date(Date.UTC(year!, month! - 1 + step, 1));
  return at.toISOString().slice(0, 7);
}

/** 2026 年第 47 周, or 2026 年 11 月. */
export function periodLabel(period: string): string {
  const [year, rest] = period.split("-");
  return rest!.startsWith("W") ? `${year} 年第 ${Number(rest!.slice(1))} 周` : `${year} 年 ${Number(rest)} 月`;
}

/** What a rubric makes of points, as the gateway reckons it: 0 with a veto, else weighted, one decimal. */
export function totalOf(rubric: Rubric, points: Points, vetoes: readonly string[]): number {
  if (vetoes.length) return 0;
  const weighed = rubric.items.reduce((sum, item) => sum + item.weight * (points[item.id]?.points ?? 0), 0);
  return Math.round(weighed / 10) / 10;
}

/** Names of items whose points need a word why and have none. */
export function unexplained(rubric: Rubric, points: Points): string[] {
  return rubric.items
    .filter((item) => (points[item.id]?.points ?? 0) < rubric.pass && !points[item.id]?.comment.trim())
    .map((item) => item.name);
}

/** An id that no other has: `q1`, `q2`, … */
export function freshId(taken: readonly string[], prefix: string): string {
  for (let n = 1; ; n += 1) if (!taken.includes(`${prefix}${n}`)) return `${prefix}${n}`;
}

export const KINDS: Record<Question["kind"], string> = { score: "打分（1–5）", choice: "选择", text: "文字" };

export type Tone = "primary" | "success" | "warning" | "danger" | "info";

export const scoreTone = (score: number): Tone => (score >= 4 ? "success" : score === 3 ? "warning" : "danger");

export const pointsTone = (total: number, pass: number): Tone => (total >= pass ? "success" : "danger");

export const INSPECTION_TONES: Record<string, Tone> = {
  waiting: "warning",
  scored: "primary",
  appealed: "danger",
  decided: "success",
};

/** A seed that can be read out: six digits. */
export const someSeed = () => Math.floor(Math.random() * 900_000) + 100_000;

/** A copy to edit, of what may be reactive. */
export const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** `时效:回复太慢` as it is read. */
export const reasonText = (reason: string) => reason.replace(":", "：");

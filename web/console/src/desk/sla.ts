import { absoluteTime, parseTime, shanghaiDay } from "../time";
import type { DeskRow } from "../api/types-desk";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SOON = HOUR;

export type Tone = "calm" | "soon" | "over" | "paused";

export interface Countdown {
  text: string;
  tone: Tone;
  /** What runs out: 首次响应, 解决. */
  what: string;
}

/** 45 秒, 12:05, 3 小时 12 分, 2 天 3 小时. */
export function span(ms: number): string {
  const left = Math.max(0, ms);
  if (left < MINUTE) return `${Math.floor(left / 1000)} 秒`;
  if (left < HOUR) return `${Math.floor(left / MINUTE)}:${String(Math.floor((left % MINUTE) / 1000)).padStart(2, "0")}`;
  if (left < DAY) return `${Math.floor(left / HOUR)} 小时 ${Math.floor((left % HOUR) / MINUTE)} 分`;
  return `${Math.floor(left / DAY)} 天 ${Math.floor((left % DAY) / HOUR)} 小时`;
}

/** Working minutes as people say them: 45 分, 1 小时 30 分. */
export function minutes(count: number): string {
  const whole = Math.round(count);
  if (whole < 60) return `${whole} 分`;
  return whole % 60 ? `${Math.floor(whole / 60)} 小时 ${whole % 60} 分` : `${whole / 60} 小时`;
}

const WEEKDAYS = "日一二三四五六";

/** 剩 3 小时 12 分; on another day when: 明天 09:15 前. Nights and days off do not count, so hours left would mislead. */
export function until(due: Date, now: Date): string {
  const day = shanghaiDay(due);
  if (day === shanghaiDay(now)) return `剩 ${span(due.getTime() - now.getTime())}`;
  const time = absoluteTime(due.toISOString()).slice(11);
  const days = Math.round((Date.parse(day) - Date.parse(shanghaiDay(now))) / DAY);
  if (days === 1) return `明天 ${time} 前`;
  return `${days < 7 ? `周${WEEKDAYS[new Date(day).getUTCDay()]}` : day.slice(5)} ${time} 前`;
}

/** 今天 14:29 前: the moment itself. Beside a promise in working time, hours that include a lunch break read as an error. */
export function dueBy(due: Date, now: Date): string {
  if (shanghaiDay(due) !== shanghaiDay(now)) return until(due, now);
  return `今天 ${absoluteTime(due.toISOString()).slice(11)} 前`;
}

/** How long until the clock that runs out first does, or since; null where nobody waits for anything. */
export function countdown(
  row: Pick<DeskRow, "due_at" | "due_label" | "breached" | "status">,
  now: Date,
): Countdown | null {
  const what = row.due_label ?? "";
  if (!row.due_at) return row.status === "waiting" ? { text: "等员工，暂停计时", tone: "paused", what } : null;
  const left = parseTime(row.due_at).getTime() - now.getTime();
  if (left <= 0) return { text: `超时 ${span(-left)}`, tone: "over", what };
  return { text: until(parseTime(row.due_at), now), tone: left <= SOON ? "soon" : "calm", what };
}

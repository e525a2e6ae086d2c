import { onScopeDispose, ref, type Ref } from "vue";

const ZONE = "Asia/Shanghai";
const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

function fields(at: Date): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** A time without an offset is UTC, as the gateway stores it. */
export function parseTime(iso: string): Date {
  return new Date(/(Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso}Z`);
}

/** `2026-11-21 20:05:09` in Asia/Shanghai; `—` when there is no time. */
export function absoluteTime(iso: string | null | undefined, seconds = false): string {
  const at = iso ? parseTime(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "—";
  const { year, month, day, hour, minute, second } = fields(at);
  return `${year}-${month}-${day} ${hour}:${minute}${seconds ? `:${second}` : ""}`;
}

/** The day it is in Asia/Shanghai, `YYYY-MM-DD`. */
export function shanghaiDay(at: Date): string {
  const { year, month, day } = fields(at);
  return `${year}-${month}-${day}`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 刚刚, 12 分钟前, 3 小时前, 昨天 09:12, 5 天前, then the date. Clocks that run ahead by a little read 刚刚. */
export function relativeTime(iso: string | null | undefined, now: Date): string {
  const at = iso ? parseTime(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "—";
  const ago = now.getTime() - at.getTime();
  if (ago < -MINUTE) return absoluteTime(iso);
  if (ago < MINUTE) return "刚刚";
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)} 分钟前`;
  const day = shanghaiDay(at);
  if (day === shanghaiDay(now)) return `${Math.floor(ago / HOUR)} 小时前`;
  if (day === shanghaiDay(new Date(now.getTime() - DAY))) return `昨天 ${absoluteTime(iso).slice(11)}`;
  if (ago < 30 * DAY) return `${Math.max(2, Math.round(ago / DAY))} 天前`;
  return absoluteTime(iso).slice(0, 10);
}

/** The current time, renewed every 30 s for as long as the component lives. */
export function useNow(): Ref<Date> {
  const now = ref(new Date());
  const timer = setInterval(() => (now.value = new Date()), 30_000);
  onScopeDispose(() => clearInterval(timer));
  return now;
}

/** The current time, renewed every second for as long as the component lives. */
export function useSeconds(): Ref<Date> {
  const now = ref(new Date());
  const timer = setInterval(() => (now.value = new Date()), 1000);
  onScopeDispose(() => clearInterval(timer));
  return now;
}

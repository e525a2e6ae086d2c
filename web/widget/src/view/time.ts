const ZONE = "Asia/Shanghai";
const day = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "numeric", day: "numeric" });
const fullDay = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, year: "numeric", month: "numeric", day: "numeric" });
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });

/** `14:05` today, `11/20 14:05` on another day. */
export function shortTime(milliseconds: number, now = Date.now()): string {
  const when = new Date(milliseconds);
  if (Number.isNaN(milliseconds)) return "";
  const time = clock.format(when);
  return fullDay.format(when) === fullDay.format(new Date(now)) ? time : `${day.format(when)} ${time}`;
}

/** Milliseconds since the epoch of an ISO 8601 time; a time without a zone is UTC. */
export function instant(iso: string): number {
  return Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(iso) ? iso : `${iso}Z`);
}

import { call } from "./transport";
import type {
  CalendarTerms,
  ClockChange,
  Forecast,
  ForecastQuestion,
  Period,
  PolicyTerms,
  SlaPolicies,
  SlaPolicy,
  WorkCalendar,
  WorkCalendars,
  WorkDay,
} from "./types-clocks";

const ROOT = "/api/v1/console/clocks";
const one = (kind: string, id: string) => `${ROOT}/${kind}/${encodeURIComponent(id)}`;

export const policies = {
  all: (signal?: AbortSignal) => call<SlaPolicies>(`${ROOT}/policies`, { signal }),
  add: (terms: PolicyTerms) => call<SlaPolicy>(`${ROOT}/policies`, { method: "POST", body: terms }),
  change: (id: string, terms: PolicyTerms & { version: number }) =>
    call<SlaPolicy>(one("policies", id), { method: "PUT", body: terms }),
  remove: (id: string) => call<void>(one("policies", id), { method: "DELETE" }),
  tryOut: (question: ForecastQuestion) => call<Forecast>(`${ROOT}/try`, { method: "POST", body: question }),
  changes: (signal?: AbortSignal) => call<ClockChange[]>(`${ROOT}/changes`, { signal }),
};

export const calendars = {
  all: (signal?: AbortSignal) => call<WorkCalendars>(`${ROOT}/calendars`, { signal }),
  add: (terms: CalendarTerms) => call<WorkCalendar>(`${ROOT}/calendars`, { method: "POST", body: terms }),
  change: (id: string, terms: CalendarTerms & { version: number }) =>
    call<WorkCalendar>(one("calendars", id), { method: "PUT", body: terms }),
  remove: (id: string) => call<void>(one("calendars", id), { method: "DELETE" }),
  days: (id: string, from: string, to: string, signal?: AbortSignal) =>
    call<WorkDay[]>(`${one("calendars", id)}/days`, { query: { from, to }, signal }),
  /** `periods` null takes a day back to what the week and the state say. */
  setDays: (id: string, days: { day: string; periods: Period[] | null; note: string }[], version: number) =>
    call<WorkCalendar>(`${one("calendars", id)}/days`, { method: "PUT", body: { days, version } }),
};

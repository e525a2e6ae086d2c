/** `["09:00", "12:00"]`; a day may end at `24:00`. */
export type Period = [string, string];

export type ClockKind = "first_response" | "next_response" | "resolution";
export type Whom = "agent" | "leader" | "supervisor" | "experts" | "tier3";

export interface ChainStep {
  after_min: number;
  whom: Whom;
}

/** Empty `business_type`, `urgency` or `service_tier`: any. A target that is null is not promised. */
export interface PolicyTerms {
  name: string;
  business_type: string;
  urgency: string;
  service_tier: string;
  calendar: string | null;
  first_response_min: number | null;
  next_response_min: number | null;
  resolution_min: number | null;
  warn_percent: number;
  chain: ChainStep[];
}

export interface SlaPolicy extends PolicyTerms {
  id: string;
  version: number;
  updated_at: string;
  updated_by: string;
}

export interface SlaPolicies {
  items: SlaPolicy[];
  kinds: { value: ClockKind; label: string }[];
  whom: { value: Whom; label: string }[];
  open_clocks: number;
}

export interface CalendarTerms {
  name: string;
  /** Monday first. */
  weekly: Period[][];
  make_up: Period[];
  chinese_holidays: boolean;
}

export interface OwnDay {
  day: string;
  periods: Period[];
  note: string;
}

export interface WorkCalendar extends CalendarTerms {
  id: string;
  own_days: OwnDay[];
  used_by: string[];
  fixed: boolean;
  version: number;
  updated_at: string | null;
  updated_by: string;
}

export interface WorkCalendars {
  items: WorkCalendar[];
  known_years: [number, number];
  warnings: string[];
}

export interface WorkDay {
  day: string;
  periods: Period[];
  source: "own" | "holiday" | "make_up" | "unknown_year" | "weekly";
  note: string;
}

export interface ForecastQuestion {
  business_type: string;
  urgency: string;
  service_tier: string;
  at: string;
}

export interface PromisedTime {
  kind: ClockKind;
  label: string;
  minutes: number;
  warn_at: string | null;
  due_at: string | null;
  spans: { start: string; end: string; minutes: number }[];
  chain: { whom: Whom; label: string; after_min: number; at: string | null }[];
}

export interface Forecast {
  policy: { id: string; name: string } | null;
  calendar: { id: string; name: string };
  promises: PromisedTime[];
  warnings: string[];
}

export interface ClockChange {
  at: string;
  actor: string;
  action: string;
  subject: string;
  detail: string;
}

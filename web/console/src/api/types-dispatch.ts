/** Who gets a ticket: groups, people, shifts, rules, emergencies. Times are ISO 8601 in UTC, shifts in Beijing time. */
import type { DeskRow, Person } from "./types-desk";

export interface Group {
  id: string;
  name: string;
  /** 2, or 3 for experts. */
  tier: number;
  business_types: string[];
  /** `auto`: given to a person; `pool`: claimed by them. */
  dispatch: "auto" | "pool";
  calendar: string | null;
  active: boolean;
  /** Minutes after which what nobody took up goes to somebody else. */
  answer_within: number;
  skill_required: boolean;
}

export interface Colleague {
  username: string;
  name: string;
  roles: string[];
  groups: string[];
  leads: string[];
  skills: string[];
  capacity: number;
  shift: string | null;
  /** Who they are in WeChat Work and DingTalk. */
  employee_no: string | null;
  on_duty: boolean;
  duty_changed_at: string | null;
  /** Their shift runs now. */
  at_work: boolean;
  /** On duty and at work: dispatch gives them tickets. */
  available: boolean;
  load: number;
}

export interface Shift {
  id: string;
  name: string;
  /** ISO weekdays, or `[0]`: the working days of `calendar`. */
  days: number[];
  starts: string;
  ends: string;
  calendar: string | null;
}

/** `shift` null: off that day. */
export interface RosterDay {
  username: string;
  day: string;
  shift: string | null;
}

export interface Conditions {
  business_types: string[];
  companies: string[];
  departments: string[];
  urgencies: string[];
  service_tiers: string[];
  /** `page` or `page/node`. */
  places: string[];
  reasons: string[];
  risk_words: string[];
}

export interface Outcome {
  group: string;
  tier: number;
  priority: number | null;
  sla_policy: string | null;
  skill: string | null;
  emergency: boolean;
}

export interface Rule {
  id: string;
  name: string;
  enabled: boolean;
  when: Conditions;
  then: Outcome;
}

export interface RuleSet {
  rules: Rule[];
  default: Outcome;
}

export interface VersionHeading {
  number: number;
  state: "draft" | "active" | "past";
  comment: string;
  author: string;
  saved_at: string;
  revision: number;
  activated_by: string | null;
  activated_at: string | null;
}

export type RuleVersion = VersionHeading & RuleSet;

export interface Offers {
  groups: { id: string; name: string; tier: number }[];
  skills: string[];
  policies: { id: string; name: string }[];
  companies: string[];
  departments: string[];
}

export interface Routing {
  active: RuleVersion | null;
  draft: RuleVersion | null;
  versions: VersionHeading[];
  offers: Offers;
}

export interface Place {
  group: string;
  priority: number;
  emergency: boolean;
  sla_policy: string | null;
  rule: string;
}

export interface RulesTrial {
  found: number;
  tickets: number;
  moved: number;
  groups: { id: string; before: number; after: number }[];
  emergencies: { before: number; after: number };
  rules: { id: string | null; tickets: number }[];
  moves: {
    number: string;
    description: string;
    business_type: string;
    created_at: string;
    before: Place;
    after: Place;
  }[];
}

export interface VipUnit {
  company: string;
  department: string;
  note: string;
}

export interface VipUnits {
  number: number;
  units: VipUnit[];
  known?: { company: string; department: string | null }[];
  versions?: VersionHeading[];
}

export interface OnCallList {
  id: string;
  name: string;
  words: string[];
  people: string[];
  minutes: number;
}

export interface OnCall {
  number: number;
  lists: OnCallList[];
  changed_by: string | null;
  changed_at: string | null;
  people: Person[];
  words: string[];
}

export interface EmergencyCall {
  number: string;
  description: string;
  business_type: string;
  company: string | null;
  status: string;
  status_label: string;
  risk_words: string[];
  assignee: Person | null;
  state: "calling" | "acknowledged" | "ended";
  why: string;
  list: string;
  minutes: number;
  called_at: string;
  called: { people: Person[]; at: string }[];
  next_at: string | null;
  acknowledged_by: Person | null;
  acknowledged_at: string | null;
  words: string;
  false_alarm: boolean;
  /** Whether the one who asks may acknowledge it. */
  mine: boolean;
}

export interface GroupNow extends Group {
  people: number;
  available: number;
  open: number;
  pool: number;
  breached: number;
  soon: number;
}

export interface PersonNow {
  username: string;
  name: string;
  groups: string[];
  leads: string[];
  capacity: number;
  on_duty: boolean;
  duty_changed_at: string | null;
  at_work: boolean;
  available: boolean;
  load: number;
  waiting: number;
  breached: number;
}

export interface Supervision {
  at: string;
  counts: { open: number; pool: number; late: number; soon: number; waiting: number };
  groups: GroupNow[];
  people: PersonNow[];
  late: DeskRow[];
  soon: DeskRow[];
  pool: DeskRow[];
}

export interface Target {
  id: string;
  name: string;
  tier: number;
  dispatch: "auto" | "pool";
  people: { username: string; name: string; available: boolean; load: number; capacity: number; skills: string[] }[];
}

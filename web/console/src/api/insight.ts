import { call } from "./transport";
import type { SampleWeek, WrongRate } from "./samples";
import type { Message } from "./types";

const ROOT = "/api/v1/console/insight";

export type Unit = "count" | "share" | "ms" | "minutes" | "score";

/** One figure: `means` is its definition, `records` the list behind it, `before` the value of as many days before. */
export interface Figure {
  id: string;
  label: string;
  means: string;
  unit: Unit;
  records: string;
  better: "up" | "down" | "";
  value: number | null;
  before: number | null;
  /** Words under the value, where it takes more than the change. */
  note?: string;
}

export interface Asked {
  since: string;
  until: string;
  company: string;
  department: string;
  channel: string;
  business_type: string;
  page: string;
}

export interface Filters {
  companies: { name: string; departments: string[] }[];
  channels: string[];
  pages: string[];
  business_types: string[];
  counted_at: string | null;
}

interface Rates {
  involvement: number | null;
  resolution: number | null;
  automation: number | null;
  none_share: number | null;
}

export interface ServiceDay extends Rates {
  day: string;
  visits: number;
  matter: number;
  resolved: number;
  nones: number;
  questions: number;
}

export interface Part extends Rates {
  value: string;
  visits: number;
  matter: number;
}

export interface AskedEntry {
  entry_id: string;
  question: string;
  asked: number;
  before?: number;
  bad?: number;
}

export interface Counted {
  id: string;
  label: string;
  means: string;
  count: number;
}

export interface ServiceReport {
  figures: Figure[];
  total: Record<string, number>;
  reasons: Counted[];
  by_day: ServiceDay[];
  hours: number[];
  by: Record<"channel" | "company" | "business_type" | "page", Part[]>;
  top: AskedEntry[];
  rising: AskedEntry[];
}

export interface VisitRecord {
  id: string;
  at: string;
  company: string;
  department: string;
  channel: string;
  page: string;
  business_type: string;
  questions: string[];
  entry_id: string;
  answer: string;
  involved: boolean;
  answered: boolean;
  handed: boolean;
  again: boolean;
  bad: boolean;
  resolved: boolean;
}

export interface TicketRecord {
  number: string;
  at: string;
  company: string;
  department: string;
  channel: string;
  page: string;
  status: string;
  business_type: string;
  description: string;
  first_min: number | null;
  resolve_min: number | null;
  score: number | null;
  quality: number | null;
}

/** A record that is neither visit nor ticket: `link` is a path of the console, `records` asks for the visits behind it. */
export interface LineRecord {
  text: string;
  note: string;
  count: number | null;
  at: string | null;
  tag: string;
  tone: "success" | "warning" | "danger" | "info";
  link: string;
  records: Wanted | null;
}

export type Records = { title: string; more: boolean } & (
  | { kind: "visits"; items: VisitRecord[] }
  | { kind: "tickets"; items: TicketRecord[] }
  | { kind: "lines"; items: LineRecord[] }
);

/** Which records to show: a list by name, narrowed further, or with other values of the filters, where given. */
export interface Wanted extends Partial<Asked> {
  which: string;
  entry_ids?: string;
  policy?: string;
  article?: number;
  release?: number;
  /** Of visits: the hour of the day that they began in. */
  hour?: number;
  group?: string;
  sla?: string;
  /** Business types to leave out, with commas between. */
  without?: string;
}

export interface Visit {
  id: string;
  at: string;
  messages: Message[];
  tickets: string[];
}

export interface DeskDay {
  day: string;
  filed: number;
  solved: number;
  backlog: number;
}

export interface DeskMonth {
  month: string;
  first_median: number | null;
  first_p90: number | null;
  resolve_median: number | null;
  resolve_p90: number | null;
}

export interface PolicyKept {
  id: string;
  name: string;
  filed: number;
  first_due: number;
  first_kept: number | null;
  resolve_due: number;
  resolve_kept: number | null;
}

export interface DeskPart {
  value: string;
  name: string;
  filed: number;
  solved: number;
  first_kept: number | null;
  resolve_kept: number | null;
  once: number | null;
  reopened: number | null;
  satisfaction: number | null;
  quality: number | null;
}

export interface DeskReport {
  figures: Figure[];
  by_day: DeskDay[];
  by_month: DeskMonth[];
  policies: PolicyKept[];
  by: Record<"group" | "business_type", DeskPart[]>;
  scores: { score: number; label: string; count: number }[];
  reasons: { reason: string; count: number }[];
}

export interface Titled {
  entry_id: string;
  question: string;
  why?: string;
}

export interface ReleaseLine {
  number: number;
  author: string | null;
  created_at: string | null;
  changes: Record<string, number>;
  questions: number;
  coverage: number | null;
  none_share: number | null;
  bad_share: number | null;
}

export interface KnowledgeReport {
  figures: Figure[];
  wrong: WrongRate & { accepted: number };
  weeks: SampleWeek[];
  by_day: { day: string; questions: number; coverage: number | null; clarify_share: number | null; none_share: number | null }[];
  hot: AskedEntry[];
  cold: Titled[];
  stale: Titled[];
  curation: {
    kinds: { kind: string; label: string; count: number }[];
    people: { person: string; count: number }[];
    volume: number;
    closed: number;
  };
  releases: ReleaseLine[];
}

export interface AskedArticle {
  policy: string;
  article: number;
  label: string;
  title: string;
  asked: number;
}

export interface Gap {
  id: number;
  question: string;
  policy: string;
  owner: string;
  state: string;
  outcome: string;
  people: number | null;
  opened_at: string;
  closed_at: string | null;
}

export interface PolicyReport {
  figures: Figure[];
  articles: AskedArticle[];
  policies: { policy: string; title: string; asked: number; articles: number }[];
  returned: {
    business_type: string;
    by: Record<"page" | "company" | "department", { value: string; matter: number; resolution: number | null }[]>;
    top: AskedEntry[];
    tickets: number;
  };
  gaps: Gap[];
}

const plain = (asked: Asked) => ({ ...asked });

export const insight = {
  filters: (signal?: AbortSignal) => call<Filters>(`${ROOT}/filters`, { signal }),
  service: (asked: Asked, signal?: AbortSignal) => call<ServiceReport>(`${ROOT}/service`, { query: plain(asked), signal }),
  desk: (asked: Asked, signal?: AbortSignal) => call<DeskReport>(`${ROOT}/desk`, { query: plain(asked), signal }),
  knowledge: (asked: Asked, signal?: AbortSignal) =>
    call<KnowledgeReport>(`${ROOT}/knowledge`, { query: plain(asked), signal }),
  policy: (asked: Asked, signal?: AbortSignal) => call<PolicyReport>(`${ROOT}/policy`, { query: plain(asked), signal }),
  records: (asked: Asked, wanted: Wanted, page: number, signal?: AbortSignal) =>
    call<Records>(`${ROOT}/records`, { query: { ...asked, ...wanted, page_number: page }, signal }),
  visit: (id: string, signal?: AbortSignal) => call<Visit>(`${ROOT}/visits/${encodeURIComponent(id)}`, { signal }),
};

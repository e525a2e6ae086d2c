import { call } from "./transport";
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

export type Records = { title: string; more: boolean } & (
  | { kind: "visits"; items: VisitRecord[] }
  | { kind: "tickets"; items: TicketRecord[] }
);

/** Which records to show: a list by name, of one entry or with other values of the filters where given. */
export interface Wanted extends Partial<Asked> {
  which: string;
  entry_id?: string;
}

export interface Visit {
  id: string;
  at: string;
  messages: Message[];
  tickets: string[];
}

const plain = (asked: Asked) => ({ ...asked });

export const insight = {
  filters: (signal?: AbortSignal) => call<Filters>(`${ROOT}/filters`, { signal }),
  service: (asked: Asked, signal?: AbortSignal) => call<ServiceReport>(`${ROOT}/service`, { query: plain(asked), signal }),
  records: (asked: Asked, wanted: Wanted, page: number, signal?: AbortSignal) =>
    call<Records>(`${ROOT}/records`, { query: { ...asked, ...wanted, page_number: page }, signal }),
  visit: (id: string, signal?: AbortSignal) => call<Visit>(`${ROOT}/visits/${encodeURIComponent(id)}`, { signal }),
};

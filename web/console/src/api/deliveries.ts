import { call } from "./transport";
import type { Page } from "./types";

const ROOT = "/api/v1/console/deliveries";

export interface Undelivered {
  id: number;
  state: "waiting" | "sending" | "dead" | "unsure" | "settled";
  channel: string;
  cause: string;
  ticket: string | null;
  employee_no: string | null;
  employee: string | null;
  text: string;
  attempts: number;
  at: string;
  due_at: string;
  /** For people; `error` is what the channel said. */
  reason: string;
  error: string;
}

export type Kind = "open" | "dead" | "unsure" | "late" | "settled";

export interface Undeliveries extends Page<Undelivered> {
  counts: Record<Kind, number>;
}

export interface DeliveryFilter {
  kind: string;
  channel: string;
  q: string;
  page: number;
  page_size: number;
}

export const deliveries = {
  find: (filter: DeliveryFilter, signal?: AbortSignal) => call<Undeliveries>(ROOT, { query: { ...filter }, signal }),
  again: (id: number) => call<void>(`${ROOT}/${id}/again`, { method: "POST" }),
  settle: (id: number, words: string) => call<void>(`${ROOT}/${id}/settle`, { method: "POST", body: { words } }),
};

import { call } from "./transport";
import type { EntryBody } from "./types-care";
import type { Cluster, ClusterPage, ClusterRow, Gap, Proposal, Run, Summary, Trial } from "./types-curation";

const ROOT = "/api/v1/console/curation";
const decide = (id: number, what: string, body: object) =>
  call<Cluster>(`${ROOT}/clusters/${id}/${what}`, { method: "POST", body });

export interface ClusterFilter {
  state?: string;
  q?: string;
  order?: string;
  signal?: string;
  business_type?: string;
  least?: number;
  page?: number;
  page_size?: number;
}

export const curation = {
  find: (filter: ClusterFilter, signal?: AbortSignal) =>
    call<ClusterPage>(`${ROOT}/clusters`, { query: { ...filter }, signal }),
  get: (id: number, signal?: AbortSignal) => call<Cluster>(`${ROOT}/clusters/${id}`, { signal }),
  alike: (id: number, signal?: AbortSignal) => call<ClusterRow[]>(`${ROOT}/clusters/${id}/alike`, { signal }),
  proposal: (id: number, signal?: AbortSignal) => call<Proposal>(`${ROOT}/clusters/${id}/proposal`, { signal }),
  written: (id: number, question: string, replies: string[], passages: string[]) =>
    call<{ answer: string }>(`${ROOT}/clusters/${id}/written`, { method: "POST", body: { question, replies, passages } }),
  summaryOf: (id: number, ticket: string) =>
    call<{ summary: string }>(`${ROOT}/clusters/${id}/tickets/${ticket}/summary`, { method: "POST", body: {} }),
  trySimilar: (id: number, entry: string, texts: string[], signal?: AbortSignal) =>
    call<Trial>(`${ROOT}/clusters/${id}/trial`, { method: "POST", body: { entry_id: entry, texts }, signal }),
  tryEntry: (id: number, body: EntryBody, signal?: AbortSignal) =>
    call<Trial>(`${ROOT}/clusters/${id}/trial`, { method: "POST", body: { body }, signal }),
  /** Every decision carries the version of the cluster that was seen. */
  addSimilar: (id: number, version: number, entry: string, texts: string[]) =>
    decide(id, "similar", { version, entry_id: entry, texts }),
  newEntry: (id: number, version: number, body: EntryBody, tickets: string[]) =>
    decide(id, "entry", { version, body, from_tickets: tickets }),
  openGap: (
    id: number,
    version: number,
    gap: { missing: string; policy_id: string; article: number | null; owner: string; assignee: string },
  ) => decide(id, "gap", { version, ...gap }),
  dismiss: (id: number, version: number, reason: string) => decide(id, "dismiss", { version, reason }),
  snooze: (id: number, version: number, days: number) => decide(id, "snooze", { version, days }),
  wake: (id: number, version: number) => decide(id, "wake", { version }),
  rename: (id: number, version: number, name: string) => decide(id, "rename", { version, name }),
  split: (id: number, version: number, questions: number[]) => decide(id, "split", { version, questions }),
  merge: (id: number, version: number, into: number) => decide(id, "merge", { version, into }),
  askAgain: (id: number) => decide(id, "again", {}),
  gaps: (state: string, signal?: AbortSignal) => call<Gap[]>(`${ROOT}/gaps`, { query: { state }, signal }),
  closeGap: (id: number, outcome: string, answer: string) =>
    call<Gap>(`${ROOT}/gaps/${id}/close`, { method: "POST", body: { outcome, answer } }),
  run: (signal?: AbortSignal) => call<{ run: Run | null; ungrouped: number }>(`${ROOT}/runs`, { signal }),
  startRun: () => call<{ run: Run }>(`${ROOT}/runs`, { method: "POST", body: {} }),
  summary: (signal?: AbortSignal) => call<Summary>(`${ROOT}/summary`, { signal }),
  tellAskers: (tell: boolean) =>
    call<{ tell_askers: boolean }>(`${ROOT}/settings`, { method: "PUT", body: { tell_askers: tell } }),
};

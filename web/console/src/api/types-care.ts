/** The shapes of the care of knowledge: drafts, reviews, versions, flags, bulk changes, users. Times are ISO 8601 in UTC. */

import type { Audience, Entry, EntryRow, EntryVersion, Source } from "./types";

export const ENTRY_STATES = [
  "submitted",
  "drafts",
  "flagged",
  "hot",
  "cold",
  "never",
  "bad",
  "expired",
  "expiring",
  "review_due",
  "retired",
] as const;
export type EntryState = (typeof ENTRY_STATES)[number];

export type DraftState = "draft" | "submitted" | "rejected";
export type Severity = "error" | "warning";

export interface DraftMark {
  state: DraftState;
  author: string;
  updated_at: string;
  deletes?: boolean;
  revision?: number;
}

/** `findings` counts what the checks said when it was saved. */
export interface ListedDraft extends DraftMark {
  findings?: number;
}

export interface CareRow extends EntryRow {
  draft: ListedDraft | null;
  retired?: boolean;
  flags: string[];
  hits_30d: number;
  review_on: string | null;
  updated_at: string;
}

/** New entries that match but are drafts only, by the state in which the list shows them. */
export type Unapproved = Record<"drafts" | "submitted", number>;

export interface CareFilter {
  q?: string;
  business_type?: string;
  owner?: string;
  scene?: string;
  state?: string;
  page?: number;
  page_size?: number;
}

/** What an editor writes; an empty `id` lets the gateway make one. */
export interface EntryBody {
  id: string;
  question: string;
  similar: string[];
  answer: string;
  business_type: string;
  scenes: string[];
  audience: Audience;
  sources: Source[];
  effective_from: string | null;
  effective_to: string | null;
  related: string[];
  owner: string;
  title: string;
  review_on: string | null;
  extra: [string, string][];
}

export interface Finding {
  kind: string;
  severity: Severity;
  message: string;
  entry_id?: string | null;
  question?: string | null;
  detail?: unknown;
}

export interface Draft extends DraftMark {
  entry_id: string;
  base_version: number;
  body: EntryBody;
  deletes: boolean;
  comment: string | null;
  reviewer: string | null;
  findings: Finding[];
}

export interface Flag {
  id: number | string;
  kind: string;
  detail: unknown;
  at: string;
}

export interface Feedback {
  helpful: number;
  unhelpful: number;
  reasons: Record<string, number>;
  recent: { comment: string | null; reason: string | null; at: string }[];
}

/** The newest approved version; `version` is 0 and the fields are the draft's where there is none yet. */
export interface CareEntry extends Entry {
  versions?: VersionMark[];
  retired?: boolean;
  title?: string;
  review_on: string | null;
  extra?: [string, string][];
  draft: Draft | null;
  flags: Flag[];
  hits_30d: number;
  feedback: Feedback;
}

export interface VersionMark extends EntryVersion {
  reviewer?: string | null;
  retired?: boolean;
}

export interface Version extends VersionMark {
  body: EntryBody;
}

export type LineOp = " " | "+" | "-";

export interface DiffLine {
  op: LineOp;
  text: string;
}

export interface FieldDiff {
  field: string;
  label: string;
  before: unknown;
  after: unknown;
  lines: DiffLine[];
}

export interface BulkChange {
  owner?: string;
  business_type?: string;
  effective_from?: string | null;
  effective_to?: string | null;
  review_on?: string | null;
  audience?: Audience;
  add_scenes?: string[];
  remove_scenes?: string[];
  retire?: true;
}

export interface Outcome {
  id: string;
  outcome: "draft" | "unchanged" | "approved" | "discarded" | "failed";
  message: string | null;
}

export interface Health {
  counts: Record<EntryState | "entries", number>;
  hot: { id: string; question: string; hits: number }[];
  bad: { id: string; question: string; helpful: number; unhelpful: number }[];
  owners?: string[];
}

export interface Account {
  username: string;
  name: string;
  roles: string[];
  created_at: string;
}

export interface NewAccount {
  username: string;
  name: string;
  password: string;
  roles: string[];
}

/** The shapes that the console API speaks. Times are ISO 8601 in UTC, dates are `YYYY-MM-DD`, probabilities lie in [0, 1]. */

export type Band = "answer" | "clarify" | "none";
export type Urgency = string;

export interface User {
  username: string;
  name: string;
  roles: string[];
}

export interface Page<T> {
  items: T[];
  total: number;
}

export interface Labelled {
  value: string;
  label: string;
}

export interface SceneNode {
  node: string;
  label: string;
}

export interface ScenePage {
  page: string;
  label: string;
  nodes: SceneNode[];
}

export interface Meta {
  business_types: string[];
  urgencies: (string | Labelled)[];
  statuses: Labelled[];
  scenes: ScenePage[];
  groups?: string[];
  companies?: string[];
}

export interface TicketRow {
  number: string;
  status: string;
  status_label: string;
  business_type: string;
  description: string;
  urgency: Urgency;
  requester_name: string | null;
  employee_no: string | null;
  company: string | null;
  department: string | null;
  page: string | null;
  node: string | null;
  document_no: string | null;
  handoff_reason: string | null;
  channel: string | null;
  created_at: string;
}

export interface Option {
  label: string;
  choice: string;
}

export type Speaker = "user" | "bot" | "agent";
export type MessageType =
  | "text"
  | "answer"
  | "choices"
  | "question"
  | "summary"
  | "ticket"
  | "notice"
  | "rating"
  | "survey"
  | "my_tickets";

/** `text` always says everything; the extras of a type add links, sources and choices to it. */
export interface Message {
  id: string;
  seq: number;
  from: Speaker;
  at: string;
  type: MessageType;
  text: string;
  options?: Option[];
  entry_id?: string;
  title?: string;
  sources?: { label: string }[];
  effective_from?: string | null;
  feedback?: { helpful: boolean } | null;
  /** Of what a person of the desk said. */
  agent_name?: string;
  number?: string;
  attachments?: { id: string; name: string; size: number; type: string }[];
  /** Whether what a person of the desk said has come to the employee. */
  reach?: Reach;
}

export type Reach = "read" | "unread" | "delivered" | "waiting" | "unsure" | "dead" | "settled";

export interface Tried {
  asked?: string;
  entry_id: string;
  question: string;
  probability: number;
  band: Band | null;
}

export interface EntryRow {
  id: string;
  question: string;
  business_type: string;
  similar_count: number;
  scenes: string[];
  owner: string;
  effective_from: string | null;
  effective_to: string | null;
  version: number;
}

export interface Source {
  label?: string;
  policy?: string | null;
  article?: number | null;
  table?: string | null;
  regulation?: string | null;
  quote?: string | null;
}

export interface Audience {
  companies: string[];
  groups: string[];
}

export interface EntryVersion {
  version: number;
  at: string;
  author?: string | null;
  note?: string | null;
}

export interface RelatedEntry {
  id: string;
  question: string;
}

export interface Entry {
  id: string;
  question: string;
  similar: string[];
  answer: string;
  business_type: string;
  scenes: string[];
  audience: Audience | null;
  sources: Source[];
  effective_from: string | null;
  effective_to: string | null;
  related: (string | RelatedEntry)[];
  owner: string;
  version: number;
  versions?: EntryVersion[];
  updated_at?: string;
}

export interface EntryFilter {
  q?: string;
  business_type?: string;
  page?: number;
  page_size?: number;
}

export interface Article {
  number: number;
  label?: string;
  /** The label, with the chapter where other articles have the same. */
  called?: string;
  title: string;
  text: string;
  chapter: string;
}

/** Who took a policy or a table out of use, when and why. */
export interface Withdrawal {
  on: string;
  by: string;
  reason: string;
}

export interface Policy {
  id: string;
  title: string;
  number: string;
  version: string | number;
  effective_from: string | null;
  owner?: string;
  articles: Article[];
  withdrawn?: Withdrawal | null;
}

export interface Dimension {
  name: string;
  label?: string;
  values: string[];
}

export type TableCell = string | number | null;
/** One value at its coordinates. `months` (1–12) narrow a season; `checked: false` marks a value not yet held to its source. */
export type TableRow = { value: TableCell; months?: number[]; checked?: boolean } & { [dimension: string]: unknown };

export interface PolicyTable {
  id: string;
  title: string;
  unit: string;
  effective_from: string | null;
  source: { name?: string; year?: string | number } | string | null;
  dimensions: Dimension[];
  rows: TableRow[];
  notes?: string[] | string | null;
  withdrawn?: Withdrawal | null;
  /** Editions that begin later, the newest first. */
  coming?: PolicyTable[];
}

export interface Candidate {
  entry_id: string;
  question: string;
  probability: number;
  matched_question: string | null;
  business_type: string;
  features?: Record<string, number | string | boolean | null>;
}

/** A best candidate that reaches `answer` is answered; else candidates are offered when `in_scope` reaches `clarify`. */
export interface Thresholds {
  answer: number;
  clarify: number;
}

export interface Trial {
  band: Band;
  release: number | string;
  thresholds: Thresholds;
  in_scope?: number;
  candidates: Candidate[];
}

export interface TrialQuestion {
  q: string;
  page?: string;
  node?: string;
  groups?: string[];
  company?: string;
}

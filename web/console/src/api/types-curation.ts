/** The shapes of curation. Times are ISO 8601 in UTC, probabilities lie in [0, 1]. */

import type { EntryBody } from "./types-care";
import type { AnswerChange, Evaluation, Gate } from "./types-releases";

export type ClusterState = "open" | "snoozed" | "review" | "gap" | "closed" | "dismissed" | "merged";
export type ClusterOrder = "people" | "recent" | "minutes" | "new" | "rising";

export interface ClusterRow {
  id: number;
  name: string;
  named_by: string;
  state: ClusterState;
  business_type: string;
  questions: number;
  people: number;
  /** How many of the questions are closed. */
  answered: number;
  recent: number;
  before: number;
  minutes: number;
  merged_into: number | null;
  split_from: number | null;
  came_back: number;
  version: number;
  created_at: string;
  last_at: string;
  snoozed_until: string | null;
  closed_at: string | null;
}

export interface ClusterPage {
  items: ClusterRow[];
  total: number;
  counts: Partial<Record<ClusterState, number>>;
}

export interface Counted {
  name: string;
  count: number;
}

export interface Member {
  id: number;
  text: string;
  /** Without greetings and thanks, as it would become a similar question. */
  said: string;
  company: string;
  department: string;
  channel: string;
  page: string;
  node: string;
  shown: { entry_id: string | null; question: string | null; probability: number | null }[];
  signals: string[];
  placed_by: string;
  closed_as: "answered" | "not_ours" | "gap_closed" | null;
  entry_id: string | null;
  probability_now: number | null;
  release_now: number | null;
  last_at: string;
  told_at: string | null;
}

export interface Nearest {
  entry_id: string;
  question: string;
  answer: string;
  passage: boolean;
  matched: string;
  probability: number;
}

export interface DecisionRow {
  id: number;
  kind: string;
  by: string;
  at: string;
  entry_id: string | null;
  state: "" | "drafted" | "approved" | "rejected" | "live";
  detail: Record<string, unknown>;
  comment: string;
}

export interface Cluster extends ClusterRow {
  members: Member[];
  units: Counted[];
  places: Counted[];
  signals: Counted[];
  ratings: Counted[];
  comments: string[];
  trend: { week: string; questions: number }[];
  tickets: { number: string; status: string; minutes: number; rating: number | null }[];
  /** What agents told the requesters, masked, the newest first. */
  replies: { ticket: string; name: string; text: string; resolution: boolean; rating: number | null; at: string }[];
  nearest: Nearest[];
  decisions: DecisionRow[];
  release: number | null;
}

export interface Told {
  band: string;
  entry_id: string | null;
  heading: string;
  probability: number;
  answered: boolean;
}

export interface Trial {
  before: Evaluation;
  after: Evaluation;
  gate: Gate;
  answer_changes: AnswerChange[];
  answers_changed: number;
  answers: { question: string; before: Told; after: Told }[];
  answered_before: number;
  answered_after: number;
  took_ms: number;
}

export interface Reply {
  ticket: string;
  name: string;
  text: string;
  resolution: boolean;
  rating: number | null;
  weight: number;
}

export interface Passage {
  id: string;
  title: string;
  text: string;
  policy: string | null;
  article: number | null;
  label: string;
  owner: string;
  probability: number;
}

export interface Proposal {
  body: EntryBody;
  replies: Reply[];
  passages: Passage[];
  from_ticket: string | null;
  /** Whether a language model is configured. */
  writer: boolean;
}

export interface Gap {
  id: number;
  cluster: number;
  question: string;
  policy_id: string | null;
  policy: string;
  article: number | null;
  owner: string;
  assignee: string | null;
  missing: string;
  evidence: {
    questions: string[];
    asked: number;
    people: number;
    minutes: number;
    tickets: string[];
    units: Counted[];
    passages: { id: string; title: string; text: string }[];
  };
  state: "open" | "closed";
  outcome: "" | "amended" | "explained" | "refused";
  answer: string;
  opened_by: string;
  opened_at: string;
  closed_by: string | null;
  closed_at: string | null;
}

export interface Run {
  id: number;
  state: "waiting" | "working" | "done" | "failed";
  interrupted: boolean;
  asked_by: string;
  asked_at: string;
  done_at: string | null;
  progress: string;
  counts: { gathered?: number; placed?: number; new_clusters?: number };
  error: string;
}

export interface Contribution {
  person: string;
  curated: number;
  answered: number;
  reviewed: number;
  live: number;
  questions: number;
}

export interface Summary {
  days: number;
  signals: { kind: string; label: string; count: number }[];
  counts: Partial<Record<ClusterState, number>>;
  closed_within_7_days: { volume: number; closed: number; share: number | null };
  contributions: Contribution[];
  decided_today: number;
  tell_askers: boolean;
}

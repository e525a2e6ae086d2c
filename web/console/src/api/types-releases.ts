import type { Band } from "./types";

/** The shapes of publishing. Rates and probabilities lie in [0, 1]. */

export type Evaluation = Record<string, unknown>;

export interface EntryName {
  id: string;
  question: string;
}

export interface ChangeCounts {
  added: number;
  changed: number;
  removed: number;
}

export interface ChangeLists {
  added: EntryName[];
  changed: EntryName[];
  removed: EntryName[];
}

/** What was approved since the current release, whose number is `base`. The lists hold the first of each. */
export interface Pending {
  base: number | null;
  counts: ChangeCounts;
  changes: ChangeLists;
}

export interface ReleaseRow {
  number: number;
  created_at: string;
  author: string | null;
  entries: number;
  current: boolean;
  base?: number | null;
  evaluation: Evaluation | null;
  changes?: ChangeCounts | null;
  override_reason?: string | null;
  /** How it came to be the current one. */
  kind?: "publish" | "rollback";
}

export interface Outcome {
  band: Band;
  entry_id: string | null;
  question: string | null;
  probability: number | null;
  /** Its beginning. */
  answer?: string;
}

export interface AnswerChange {
  question: string;
  /** From the curated questions, or what an employee asked lately. */
  kind: "curated" | "asked";
  before: Outcome | null;
  after: Outcome | null;
}

/** One bar of a reliability diagram: what was promised and what came true among `count` questions. */
export interface ReliabilityBin {
  from: number;
  to: number;
  count: number;
  mean_probability: number;
  share_right: number;
}

export interface CurvePoint {
  threshold: number;
  coverage: number;
  wrong_rate: number;
}

export interface Gate {
  passed: boolean;
  reasons: string[];
}

/** What a release and a preview of one have in common. */
export interface ReleaseFindings {
  before?: Evaluation | null;
  after?: Evaluation | null;
  /** Both on the questions that both were asked, which the gate compares; absent where those are all of them. */
  common?: { before: Evaluation; after: Evaluation } | null;
  gate?: Gate | null;
  /** The first of each; `counts` has how many there are. */
  changes?: ChangeLists | null;
  counts?: ChangeCounts | null;
  /** The first of them; `answers_changed` has how many there are. */
  answer_changes?: AnswerChange[] | null;
  answers_changed?: number;
  reliability?: ReliabilityBin[] | null;
  curve?: CurvePoint[] | null;
}

/** A time that it became the current one; `before` is the release that it took over from. */
export interface ReleaseMove {
  kind: "publish" | "rollback";
  before: number | null;
  author: string;
  reason: string | null;
  at: string;
}

export interface ReleaseDetail extends Omit<ReleaseRow, "changes">, ReleaseFindings {
  moves?: ReleaseMove[];
}

export type PreviewState = "none" | "working" | "ready" | "failed" | "stale";

export interface Preview extends ReleaseFindings {
  state: PreviewState;
  progress?: string | null;
  error?: string | null;
  started_at?: string | null;
  author?: string;
  /** The current release holds exactly this already. */
  nothing_changed?: boolean;
}

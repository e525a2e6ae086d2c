import type { DiffLine } from "./types-care";

/** The shapes of bringing knowledge in: import jobs, FAQ rows, policy articles and tables. */

export type ImportKind = "faq" | "policy";
export type ImportState = "reading" | "preview" | "applying" | "done" | "failed" | "cancelled";

export interface RecognisedColumn {
  header: string;
  field: string | null;
}

export interface ImportJob {
  id: string;
  kind: ImportKind;
  file_name: string;
  /** Bytes. */
  size: number;
  author: string;
  created_at: string;
  state: ImportState;
  progress: { done: number; total: number };
  error: string | null;
  counts: Record<string, number>;
  /** Whether it was confirmed without a review to come. */
  approve?: boolean;
  summary: { columns?: RecognisedColumn[]; sheets?: string[]; ignored?: string[]; passed_over?: string[]; notes?: string[] } & Record<string, unknown>;
}

export type RowAction = "create" | "update" | "same" | "collide" | "invalid";
export type Resolution = "merge" | "overwrite" | "skip" | "create";
export type RowOutcome = "created" | "updated" | "merged" | "skipped" | "failed";

/** An entry with nearly the same question, or (`row`) an earlier row of the same file. */
export interface Collision {
  entry_id: string | null;
  question: string;
  /** The entry's own, where a similar question of it collides. */
  standard_question?: string;
  answer?: string;
  similar_count?: number;
  audience?: Partial<Audience> | null;
  row?: number | null;
  line?: number | null;
  sheet?: string | null;
}

export interface ImportRow {
  /** Unique over all sheets; `line` is the line in its own sheet. */
  row: number;
  line?: number;
  sheet: string | null;
  action: RowAction;
  resolution: Resolution | null;
  outcome: RowOutcome | null;
  message: string | null;
  question: string;
  answer?: string;
  /** null where the file has no column for it. */
  audience?: Partial<Audience> | null;
  entry_id: string | null;
  collides_with: Collision | null;
  similar_count: number;
  /** The fields that an update would change, by name; none once it is done. */
  changes?: string[];
}

export type ArticleChangeKind = "unchanged" | "changed" | "added" | "removed";

export interface ArticleChange {
  /** Where it stood before it was given another number. */
  was?: { number: number; label: string } | null;
  change: ArticleChangeKind;
  number: number;
  label?: string | null;
  title: string;
  chapter: string;
  page?: number | null;
  before: string | null;
  after: string | null;
  lines: DiffLine[];
}

/** `column` is an index into the table's header. */
export interface DimensionColumn {
  name: string;
  column: number;
}

/** A column of amounts; `name` is its value of the dimension that goes across. */
export interface ValueColumn {
  column: number;
  name: string;
}

export interface TableProposal {
  use?: boolean;
  id?: string;
  title?: string;
  unit: string;
  dimensions: DimensionColumn[];
  value_columns: ValueColumn[];
  /** What the names of several value columns are values of, for example 人员级别. */
  value_dimension?: string;
}

export interface FoundTable {
  n: number;
  title: string;
  header: string[];
  rows: string[][];
  page?: number | null;
  proposal: TableProposal;
  confirmed: boolean;
  problem: string | null;
  /** The stored table that it takes the place of. */
  replaces?: { id: string; title: string } | null;
}

export interface Audience {
  companies: string[];
  groups: string[];
}

export interface PolicyFacts {
  id: string;
  title: string;
  number: string;
  version: string;
  effective_from: string | null;
  effective_to?: string | null;
  owner?: string | null;
  audience?: Partial<Audience> | null;
}

export interface PolicyPreview {
  policy: PolicyFacts;
  /** Stored policies that this may be a version of. */
  known?: { id: string; title: string }[];
  against: { version: string } | null;
  articles: ArticleChange[];
  tables: FoundTable[];
  affected_entries: { id: string; question: string; reason?: string }[];
  /** What the reader could not take over, in Chinese. */
  notes?: string[];
  /** A stored version that began later is in force: this one becomes history only. */
  historic?: boolean;
}

export interface PolicyVersion {
  version: string;
  effective_from: string | null;
  author: string | null;
  at: string;
  /** How many. */
  articles: number;
}

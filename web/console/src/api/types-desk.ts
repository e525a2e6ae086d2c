import type { Message, TicketRow, Tried } from "./types";

export type View = "mine" | "pool" | "group" | "waiting" | "breaching" | "unread" | "all";

export interface Person {
  username: string;
  name: string;
}

/** A ticket as lists show it. `due_at` is when the next running clock runs out; none runs while it is null. */
export interface DeskRow extends TicketRow {
  subtype: string;
  place_label?: string;
  service_tier: string;
  tier: number;
  priority: number;
  risk_words: string[];
  emergency: boolean;
  group: { id: string; name: string } | null;
  assignee: Person | null;
  experts: Person[];
  version: number;
  unread: boolean;
  reopenings: number;
  due_at: string | null;
  due_kind: string | null;
  due_label: string | null;
  breached: boolean;
  updated_at: string;
  resolved_at: string | null;
  rating: number | null;
  merged_into: string | null;
}

export interface DeskEvent {
  id: number;
  at: string;
  kind: string;
  actor: string;
  actor_kind: string;
  actor_name: string;
  text: string;
  public: boolean;
  detail: Record<string, unknown>;
}

export interface Attachment {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  type: string;
  by: string;
  by_name: string;
  by_kind: string;
  at: string;
  public: boolean;
  sent: boolean;
}

export interface Clock {
  kind: string;
  label: string;
  started_at: string;
  due_at: string | null;
  paused: boolean;
  stopped_at: string | null;
  promised_min: number;
  actual_min: number | null;
  breached: boolean;
}

export type Verb =
  | "assign"
  | "claim"
  | "accept"
  | "give-back"
  | "reply"
  | "note"
  | "resolve"
  | "close"
  | "reopen"
  | "cancel"
  | "merge"
  | "link"
  | "unlink"
  | "transfer"
  | "escalate"
  | "invite"
  | "dismiss"
  | "change"
  | "seen"
  | "attach";

export interface DeskTicket extends DeskRow {
  contact: string | null;
  resolution: string;
  transcript: Message[];
  tried: Tried[];
  events: DeskEvent[];
  attachments: Attachment[];
  links: DeskRow[];
  verbs: Verb[];
  clocks: Clock[];
}

/** What a verb takes besides the version; see docs/tickets.md. */
export type Arguments = Record<string, string | number | boolean | string[] | null | undefined>;

export interface DeskFilter {
  view?: string;
  status?: string;
  urgency?: string;
  business_type?: string;
  group?: string;
  assignee?: string;
  tier?: string;
  vip?: string;
  emergency?: string;
  q?: string;
  sort?: string;
  page?: number;
  page_size?: number;
}

/** `more`: there are others that are neither counted nor paged. */
export interface DeskPage {
  items: DeskRow[];
  total: number;
  more: boolean;
}

export type Counts = Record<Exclude<View, "all">, number>;

export interface Colleague extends Person {
  groups: string[];
  on_duty: boolean;
  open: number;
  capacity: number;
}

export interface People {
  groups: { id: string; name: string; tier: number }[];
  people: Colleague[];
  me: { username: string; groups: string[]; leads: string[] };
  may_share: boolean;
}

export interface SavedView {
  id: number;
  name: string;
  filter: Record<string, string>;
  shared: boolean;
  mine: boolean;
}

export interface Canned {
  id: number;
  title: string;
  text: string;
  business_type: string;
  shared: boolean;
  mine: boolean;
  used: number;
}

export interface Suggestions {
  tickets: { number: string; description: string; resolution: string; likeness: number }[];
  entries: { entry_id: string; question: string; answer: string; probability: number; sources: string[] }[];
  band: string;
}

export interface Notice {
  id: number;
  kind: string;
  ticket: string | null;
  text: string;
  urgent: boolean;
  at: string;
  read: boolean;
}

export interface BulkResult {
  results: { number: string; ok: boolean; message: string }[];
  done: number;
}

export interface Change {
  number: string;
  kind: string;
  actor: string;
  actor_name: string;
  version: number;
}

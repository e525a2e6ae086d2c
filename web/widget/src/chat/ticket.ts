import type { Attachment, Satisfaction } from "./message";

/** What the ticket API says. */
export interface TicketRow {
  number: string;
  status: string;
  status_label: string;
  open: boolean;
  business_type: string;
  urgency: string;
  description: string;
  document_no: string | null;
  created_at: string;
  updated_at: string;
  /** Who works on it; empty where nobody does yet. */
  agent: string;
  merged_into: string | null;
  rating: number | null;
  unread: number;
}

export interface TicketEvent {
  at: string;
  kind: string;
  by: string;
  mine: boolean;
  text: string;
  /** Ids. */
  attachments: string[];
}

export interface Ticket extends TicketRow {
  resolution: string;
  resolved_at: string | null;
  events: TicketEvent[];
  attachments: Attachment[];
  can: Record<"say" | "attach" | "urge" | "reopen" | "cancel" | "confirm" | "rate", boolean>;
  /** Until when 催办 has to wait; null where it need not. */
  urge_at: string | null;
  satisfaction: (Satisfaction & { low?: number; offered?: { low: string[]; high: string[] } }) | null;
}

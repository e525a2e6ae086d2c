export type DocumentKind = "travel" | "daily" | "advance" | "writeoff" | "payment";
export type DocumentStatus = "draft" | "auditing" | "returned" | "paid";

export interface ExpenseLine {
  date: string;
  item: string;
  detail: string;
  /** Fen. */
  amount: number;
}

export interface AuditEvent {
  /** Local time, `YYYY-MM-DD HH:mm`; empty for what is still to come. */
  at: string;
  who: string;
  action: string;
  note?: string;
  state: "done" | "current" | "returned" | "todo";
}

export interface ReturnReason {
  item: string;
  reason: string;
  advice: string;
}

export interface Attachment {
  name: string;
  kind: string;
  size: string;
  problem?: string;
}

/** What a travel form was filled with, apart from its legs. */
export interface TravelFacts {
  request: string;
  from: string;
  to: string;
  city: string;
  nights: number;
  /** Yuan of all nights. */
  lodging: number;
}

export interface ExpenseDocument {
  no: string;
  kind: DocumentKind;
  status: DocumentStatus;
  title: string;
  /** Employee number. */
  applicant: string;
  /** `YYYY-MM-DD`. */
  createdOn: string;
  /** Fen. */
  amount: number;
  /** Where the document is now. */
  stage: string;
  lines: ExpenseLine[];
  facts: [label: string, value: string][];
  attachments: Attachment[];
  timeline: AuditEvent[];
  travel?: TravelFacts;
  returned?: { by: string; at: string; reasons: ReturnReason[] };
}

export const KIND_LABELS: Record<DocumentKind, string> = {
  travel: "差旅报销单",
  daily: "日常报销单",
  advance: "借款单",
  writeoff: "借款冲销单",
  payment: "付款申请单",
};

export const STATUS_LABELS: Record<DocumentStatus, string> = {
  draft: "草稿",
  auditing: "审核中",
  returned: "已退回",
  paid: "已付款",
};

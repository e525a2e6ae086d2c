import type { DeskTicket } from "../api/types-desk";

/** The words in braces that a canned reply may hold. */
export const BLANKS = ["{员工姓名}", "{工单号}", "{单据号}", "{我的姓名}"] as const;

/** A canned reply with its blanks filled in; a blank of which nothing is known stays to be seen and filled by hand. */
export function fill(
  text: string,
  ticket: Pick<DeskTicket, "number" | "requester_name" | "document_no">,
  me: string,
): string {
  const known: Record<string, string | null> = {
    "{员工姓名}": ticket.requester_name || "同事",
    "{工单号}": ticket.number,
    "{单据号}": ticket.document_no,
    "{我的姓名}": me,
  };
  return text.replace(/\{[^{}\s]+\}/g, (blank) => known[blank] ?? blank);
}

/** `text` with `inserted` put at the cursor, on a line of its own where something is written already. */
export function insertAt(text: string, cursor: number, inserted: string): { text: string; cursor: number } {
  const before = text.slice(0, cursor);
  const after = text.slice(cursor);
  const start = before && !before.endsWith("\n") ? `${before}\n` : before;
  const made = `${start}${inserted}`;
  return { text: after && !after.startsWith("\n") ? `${made}\n${after}` : made + after, cursor: made.length };
}

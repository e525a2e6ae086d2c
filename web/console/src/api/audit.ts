import { call } from "./transport";
import type { Page } from "./types";

const ROOT = "/api/v1/console/audit";

export interface AuditEntry {
  id: number;
  at: string;
  actor: string;
  actor_name: string;
  /** `area.what`, as `ticket.claimed`. */
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  hash: string;
}

export interface Verification {
  holds: boolean;
  /** The first entry that does not fit the one before it. */
  broken: number | null;
  /** The first event of a ticket's timeline that is not what was logged. */
  altered: number | null;
  entries: number;
  head: string;
}

export interface AuditFilter {
  q: string;
  action: string;
  page: number;
  page_size: number;
}

export const audit = {
  find: (filter: AuditFilter, signal?: AbortSignal) => call<Page<AuditEntry>>(ROOT, { query: { ...filter }, signal }),
  verify: (signal?: AbortSignal) => call<Verification>(`${ROOT}/verification`, { signal }),
};

import { call } from "./transport";
import type { Page } from "./types";
import type {
  Account,
  BulkChange,
  CareEntry,
  CareFilter,
  CareRow,
  Draft,
  EntryBody,
  FieldDiff,
  Finding,
  Health,
  NewAccount,
  Outcome,
  Unapproved,
  Version,
} from "./types-care";

const ROOT = "/api/v1/console";
const entry = (id: string) => `${ROOT}/kb/entries/${encodeURIComponent(id)}`;
const draft = (id: string) => `${ROOT}/kb/drafts/${encodeURIComponent(id)}`;
const account = (username: string) => `${ROOT}/users/${encodeURIComponent(username)}`;

/** A list comes bare or under its name. */
function listed<T>(found: T[] | Record<string, T[]>, name: string): T[] {
  return Array.isArray(found) ? found : (found[name] ?? []);
}

export const care = {
  find: (filter: CareFilter, signal?: AbortSignal) =>
    call<Page<CareRow> & { unapproved: Unapproved }>(`${ROOT}/kb/entries`, { query: { ...filter }, signal }),
  get: (id: string, signal?: AbortSignal) => call<CareEntry>(entry(id), { signal }),
  health: (signal?: AbortSignal) => call<Health>(`${ROOT}/kb/health`, { signal }),

  version: (id: string, version: number, signal?: AbortSignal) =>
    call<Version>(`${entry(id)}/versions/${version}`, { signal }),
  diff: (id: string, from: number, to: number | "draft", signal?: AbortSignal) =>
    call<{ fields: FieldDiff[] }>(`${entry(id)}/diff`, { query: { from, to }, signal }),
  restore: (id: string, version: number) =>
    call<Draft>(`${entry(id)}/restore`, { method: "POST", body: { version } }),
  retire: (id: string) => call<Draft>(`${entry(id)}/retire`, { method: "POST" }),
  resolveFlag: (id: number | string) =>
    call<void>(`${ROOT}/kb/flags/${encodeURIComponent(id)}/resolve`, { method: "POST" }),

  create: (body: EntryBody) => call<Draft>(`${ROOT}/kb/drafts`, { method: "POST", body: { body } }),
  save: (id: string, body: EntryBody, base_version: number) =>
    call<Draft>(draft(id), { method: "PUT", body: { body, base_version } }),
  discard: (id: string) => call<void>(draft(id), { method: "DELETE" }),
  submit: (id: string) => call<Draft>(`${draft(id)}/submit`, { method: "POST" }),
  /** `revision` is the one that was shown, so that nothing unseen is approved. */
  approve: (id: string, revision?: number) =>
    call<unknown>(`${draft(id)}/approve`, { method: "POST", body: { revision } }),
  reject: (id: string, comment: string) => call<Draft>(`${draft(id)}/reject`, { method: "POST", body: { comment } }),

  check: (body: EntryBody, signal?: AbortSignal) =>
    call<{ findings: Finding[] }>(`${ROOT}/kb/check`, { method: "POST", body: { body }, signal }),
  /** As they are listed: one that its author has saved since is not approved. */
  approveAll: async (rows: CareRow[]) => {
    const body = {
      ids: rows.map((row) => row.id),
      revisions: Object.fromEntries(rows.flatMap((row) => (row.draft?.revision ? [[row.id, row.draft.revision]] : []))),
    };
    const found = await call<Outcome[] | { results: Outcome[] }>(`${ROOT}/kb/drafts/approve`, { method: "POST", body });
    return listed(found, "results");
  },
  discardAll: async (ids: string[]) => {
    const found = await call<Outcome[] | { results: Outcome[] }>(`${ROOT}/kb/drafts/discard`, { method: "POST", body: { ids } });
    return listed(found, "results");
  },
  changeAll: async (ids: string[], change: BulkChange) =>
    listed(
      await call<Outcome[] | { results: Outcome[] }>(`${ROOT}/kb/entries/bulk`, {
        method: "POST",
        body: { ids, change },
      }),
      "results",
    ),
};

export const accounts = {
  list: async (signal?: AbortSignal) =>
    listed(await call<Account[] | { items: Account[] }>(`${ROOT}/users`, { signal }), "items"),
  add: (made: NewAccount) => call<Account>(`${ROOT}/users`, { method: "POST", body: made }),
  change: (username: string, change: Partial<Omit<NewAccount, "username">>) =>
    call<Account>(account(username), { method: "PATCH", body: change }),
  remove: (username: string) => call<void>(account(username), { method: "DELETE" }),
};

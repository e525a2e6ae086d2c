import { call } from "./transport";
import type {
  Entry,
  EntryFilter,
  EntryRow,
  Meta,
  Page,
  Policy,
  PolicyTable,
  Trial,
  TrialQuestion,
  User,
} from "./types";

const ROOT = "/api/v1/console";

/** A list comes bare or as `{items}`. */
async function list<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const found = await call<T[] | { items: T[] }>(path, { signal });
  return Array.isArray(found) ? found : found.items;
}

const one = (kind: string, id: string) => `${ROOT}/${kind}/${encodeURIComponent(id)}`;

export const session = {
  current: () => call<{ user: User }>(`${ROOT}/session`),
  open: (username: string, password: string) =>
    call<{ user: User }>(`${ROOT}/session`, { method: "POST", body: { username, password } }),
  close: () => call<void>(`${ROOT}/session`, { method: "DELETE" }),
};

export const meta = () => call<Meta>(`${ROOT}/meta`);

export const knowledge = {
  entries: (filter: EntryFilter, signal?: AbortSignal) =>
    call<Page<EntryRow>>(`${ROOT}/kb/entries`, { query: { ...filter }, signal }),
  entry: (id: string, signal?: AbortSignal) => call<Entry>(one("kb/entries", id), { signal }),
  policies: (signal?: AbortSignal) => list<Policy>(`${ROOT}/kb/policies`, signal),
  tables: (signal?: AbortSignal) => list<PolicyTable>(`${ROOT}/kb/tables`, signal),
  tryOut: ({ groups, ...question }: TrialQuestion, signal?: AbortSignal) =>
    call<Trial>(`${ROOT}/kb/try`, { query: { ...question, groups: groups?.join(",") }, signal }),
};

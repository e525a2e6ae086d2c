import { call, withQuery } from "./transport";
import type {
  Arguments,
  Attachment,
  BulkResult,
  Canned,
  Counts,
  DeskFilter,
  DeskPage,
  DeskTicket,
  Notice,
  People,
  SavedView,
  Suggestions,
  Verb,
} from "./types-desk";

const ROOT = "/api/v1/console";
const ticket = (number: string) => `${ROOT}/tickets/${encodeURIComponent(number)}`;

export const STREAM = `${ROOT}/stream`;

export const desk = {
  find: (filter: DeskFilter, signal?: AbortSignal) =>
    call<DeskPage>(`${ROOT}/tickets`, { query: { ...filter }, signal }),
  /** What `find` lists, in full, as a workbook. */
  sheet: (filter: DeskFilter) => withQuery(`${ROOT}/exports/tickets.xlsx`, { ...filter }),
  counts: (signal?: AbortSignal) => call<Counts>(`${ROOT}/queue/counts`, { signal }),
  people: (signal?: AbortSignal) => call<People>(`${ROOT}/queue/people`, { signal }),
  get: (number: string, signal?: AbortSignal) => call<DeskTicket>(ticket(number), { signal }),
  /** `version` is the one that was looked at; a colleague's change since then is a `version_conflict`. */
  act: (number: string, verb: Verb, version: number | undefined, given: Arguments = {}) =>
    call<DeskTicket>(`${ticket(number)}/${verb}`, { method: "POST", body: { ...given, version } }),
  bulk: (numbers: string[], verb: Verb, given: Arguments = {}) =>
    call<BulkResult>(`${ROOT}/tickets/bulk`, { method: "POST", body: { numbers, verb, arguments: given } }),
  suggestions: (number: string, q: string, signal?: AbortSignal) =>
    call<Suggestions>(`${ticket(number)}/suggestions`, { query: { q }, signal }),
  attach: (number: string, file: File, isPublic: boolean) => {
    const form = new FormData();
    form.set("file", file);
    form.set("public", String(isPublic));
    return call<Attachment>(`${ticket(number)}/attachments`, { method: "POST", body: form });
  },
  fileUrl: (number: string, id: string) => `${ticket(number)}/attachments/${encodeURIComponent(id)}`,
};

export const views = {
  all: async (signal?: AbortSignal) => (await call<{ items: SavedView[] }>(`${ROOT}/views`, { signal })).items,
  save: (name: string, filter: Record<string, string>, shared: boolean) =>
    call<SavedView>(`${ROOT}/views`, { method: "POST", body: { name, filter, shared } }),
  remove: (id: number) => call<void>(`${ROOT}/views/${id}`, { method: "DELETE" }),
};

export interface CannedBody {
  title: string;
  text: string;
  business_type: string;
  shared: boolean;
}

export const canned = {
  all: async (signal?: AbortSignal) => (await call<{ items: Canned[] }>(`${ROOT}/canned`, { signal })).items,
  save: (id: number | null, body: CannedBody) =>
    id === null
      ? call<Canned>(`${ROOT}/canned`, { method: "POST", body })
      : call<Canned>(`${ROOT}/canned/${id}`, { method: "PUT", body }),
  remove: (id: number) => call<void>(`${ROOT}/canned/${id}`, { method: "DELETE" }),
  use: (id: number) => call<void>(`${ROOT}/canned/${id}/use`, { method: "POST" }),
};

export const notices = {
  all: (signal?: AbortSignal) => call<{ items: Notice[]; unread: number }>(`${ROOT}/notices`, { signal }),
  read: (ids: number[] = []) => call<void>(`${ROOT}/notices/read`, { method: "POST", body: { ids } }),
};

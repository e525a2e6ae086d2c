import { call } from "./transport";
import type { Page } from "./types";
import type {
  ArticleChange,
  ImportJob,
  ImportRow,
  PolicyFacts,
  PolicyPreview,
  PolicyVersion,
  Resolution,
  TableProposal,
} from "./types-imports";

const ROOT = "/api/v1/console/kb";
const job = (id: string) => `${ROOT}/imports/${encodeURIComponent(id)}`;
const policy = (id: string) => `${ROOT}/policies/${encodeURIComponent(id)}`;

/** Addresses of files; the session's cookie opens them. */
export const files = {
  template: `${ROOT}/imports/template.xlsx`,
  exportXlsx: `${ROOT}/export.xlsx`,
  exportCsv: `${ROOT}/export.csv`,
  report: (id: string) => `${job(id)}/report.xlsx`,
};

export const imports = {
  upload: (file: File, policyId = "") => {
    const body = new FormData();
    body.set("kind", policyId ? "policy" : "auto");
    if (policyId) body.set("policy_id", policyId);
    body.set("file", file);
    return call<ImportJob>(`${ROOT}/imports`, { method: "POST", body });
  },
  find: (page: number, signal?: AbortSignal) =>
    call<Page<ImportJob>>(`${ROOT}/imports`, { query: { page }, signal }),
  get: (id: string, signal?: AbortSignal) => call<ImportJob>(job(id), { signal }),
  cancel: (id: string) => call<unknown>(`${job(id)}/cancel`, { method: "POST" }),
  confirm: (id: string, approve: boolean) =>
    call<unknown>(`${job(id)}/confirm`, { method: "POST", body: { approve } }),
  rows: (id: string, filter: { only?: string; page?: number; page_size?: number }, signal?: AbortSignal) =>
    call<Page<ImportRow>>(`${job(id)}/rows`, { query: filter, signal }),
  resolve: (id: string, row: number, resolution: Resolution) =>
    call<unknown>(`${job(id)}/rows/${row}`, { method: "PUT", body: { resolution } }),
  resolveAll: (id: string, resolution: Resolution) =>
    call<unknown>(`${job(id)}/resolve`, { method: "POST", body: { resolution } }),
  policy: (id: string, signal?: AbortSignal) => call<PolicyPreview>(`${job(id)}/policy`, { signal }),
  describe: (id: string, facts: PolicyFacts) => call<unknown>(`${job(id)}/policy`, { method: "PUT", body: facts }),
  confirmTable: (id: string, n: number, table: TableProposal) =>
    call<unknown>(`${job(id)}/tables/${n}`, { method: "PUT", body: table }),
};

export type DocumentKind = "policies" | "tables";
const used = (kind: DocumentKind, id: string) => `${ROOT}/${kind}/${encodeURIComponent(id)}`;

/** Whether a policy or a standard table is in use. */
export const documentUse = {
  withdraw: (kind: DocumentKind, id: string, reason: string) =>
    call<{ flagged: number }>(`${used(kind, id)}/withdraw`, { method: "POST", body: { reason } }),
  bringBack: (kind: DocumentKind, id: string) => call<void>(`${used(kind, id)}/bring-back`, { method: "POST" }),
};

export const policies = {
  versions: (id: string, signal?: AbortSignal) => call<PolicyVersion[]>(`${policy(id)}/versions`, { signal }),
  diff: (id: string, from: string, to: string, signal?: AbortSignal) =>
    call<ArticleChange[] | { articles: ArticleChange[] }>(`${policy(id)}/diff`, { query: { from, to }, signal }).then(
      (found) => (Array.isArray(found) ? found : found.articles),
    ),
};

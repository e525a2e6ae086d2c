import type { Statement } from "./charges";
import type { DeskReport, KnowledgeReport, PolicyReport, ServiceReport } from "./insight";
import { call } from "./transport";

const ROOT = "/api/v1/console/insight";

export type ReportKind = "week" | "month" | "statement";

export interface ReportHead {
  id: number;
  kind: ReportKind;
  period: string;
  label: string;
  made_at: string;
  by_hand: boolean;
}

export interface PeriodReport {
  since: string;
  until: string;
  service: ServiceReport;
  desk: DeskReport;
  knowledge: KnowledgeReport;
  policy: PolicyReport;
}

export type Report = ReportHead & { body: PeriodReport | Statement };

export const reports = {
  find: (signal?: AbortSignal) => call<{ items: ReportHead[]; makes: boolean }>(`${ROOT}/reports`, { signal }),
  get: (id: string, signal?: AbortSignal) => call<Report>(`${ROOT}/reports/${id}`, { signal }),
  make: (kind: ReportKind, period: string) => call<ReportHead>(`${ROOT}/reports`, { method: "POST", body: { kind, period } }),
  sheet: (id: number) => `${ROOT}/reports/${id}/file.xlsx`,
};

import { call } from "./transport";
import type { Page } from "./types";
import type {
  Inspection,
  InspectionPage,
  InspectionReport,
  Points,
  PopulationFound,
  Questionnaire,
  Rating,
  ReviewPage,
  ReviewState,
  Run,
  Sample,
  Scoreboard,
  ScoreTicket,
  SatisfactionReport,
  Settings,
  Survey,
  SurveyRow,
  Whom,
} from "./types-quality";

const ROOT = "/api/v1/console/quality";

export interface Span {
  start: string;
  end: string;
}

export type SettingsKind = "satisfaction" | "rubric" | "sampling" | "scoreboard" | "questionnaire";

export const settings = {
  get: <Body>(kind: SettingsKind, signal?: AbortSignal) => call<Settings<Body>>(`${ROOT}/settings/${kind}`, { signal }),
  put: <Body>(kind: SettingsKind, version: number, body: Body) =>
    call<Settings<Body>>(`${ROOT}/settings/${kind}`, { method: "PUT", body: { version, body } }),
};

export const satisfaction = {
  report: (span: Span, group: string, signal?: AbortSignal) =>
    call<SatisfactionReport>(`${ROOT}/satisfaction`, { query: { ...span, group }, signal }),
  ratings: (span: Span, filter: { group?: string; score?: string; page?: number; page_size?: number }, signal?: AbortSignal) =>
    call<Page<Rating>>(`${ROOT}/ratings`, { query: { ...span, ...filter }, signal }),
};

export const reviews = {
  find: (state: ReviewState, page: number, signal?: AbortSignal) =>
    call<ReviewPage>(`${ROOT}/reviews`, { query: { state, page }, signal }),
  close: (id: number, body: { cause: string; finding: string; action: string }) =>
    call<void>(`${ROOT}/reviews/${id}/close`, { method: "POST", body }),
};

export const inspections = {
  find: (filter: { state?: string; mine?: string; page?: number }, signal?: AbortSignal) =>
    call<InspectionPage>(`${ROOT}/inspections`, { query: { ...filter }, signal }),
  get: (id: string, signal?: AbortSignal) => call<Inspection>(`${ROOT}/inspections/${id}`, { signal }),
  report: (span: Span, signal?: AbortSignal) =>
    call<InspectionReport>(`${ROOT}/inspections/report`, { query: { ...span }, signal }),
  draw: (sample: Sample) => call<Run>(`${ROOT}/inspections/runs`, { method: "POST", body: sample }),
  score: (id: number, body: { points: Points; vetoes: string[]; comment: string }) =>
    call<Inspection>(`${ROOT}/inspections/${id}/score`, { method: "POST", body }),
  appeal: (id: number, words: string) =>
    call<Inspection>(`${ROOT}/inspections/${id}/appeal`, { method: "POST", body: { words } }),
  decide: (id: number, body: { words: string; points?: Points; vetoes?: string[] }) =>
    call<Inspection>(`${ROOT}/inspections/${id}/decide`, { method: "POST", body }),
};

export const surveys = {
  find: (page: number, signal?: AbortSignal) => call<Page<SurveyRow>>(`${ROOT}/surveys`, { query: { page }, signal }),
  get: (id: string, signal?: AbortSignal) => call<Survey>(`${ROOT}/surveys/${id}`, { signal }),
  population: (whom: Whom, signal?: AbortSignal) =>
    call<PopulationFound>(`${ROOT}/surveys/population`, { method: "POST", body: whom, signal }),
  plan: (body: { questionnaire: Questionnaire; population: Whom; size: number; seed: number; days: number }) =>
    call<SurveyRow>(`${ROOT}/surveys`, { method: "POST", body }),
  start: (id: number) => call<SurveyRow>(`${ROOT}/surveys/${id}/start`, { method: "POST" }),
  close: (id: number) => call<SurveyRow>(`${ROOT}/surveys/${id}/close`, { method: "POST" }),
  sheet: (id: number) => `${ROOT}/surveys/${id}/answers.xlsx`,
};

export const scoreboard = {
  get: (period: string, signal?: AbortSignal) => call<Scoreboard>(`${ROOT}/scoreboard`, { query: { period }, signal }),
  tickets: (period: string, agent: string, signal?: AbortSignal) =>
    call<ScoreTicket[]>(`${ROOT}/scoreboard/tickets`, { query: { period, agent }, signal }),
};

import { call } from "./transport";

const ROOT = "/api/v1/console/insight";

/** The share of wrong answers in a sample, with its 95 % interval. */
export interface WrongRate {
  reviewed: number;
  right: number;
  partly: number;
  wrong: number;
  rate: number | null;
  low: number | null;
  high: number | null;
}

export interface SampleWeek extends WrongRate {
  week: string;
  waiting: number;
}

export type Verdict = "right" | "partly" | "wrong";

export interface Sample {
  id: number;
  question: string;
  answer: string;
  entry_id: string;
  title: string;
  probability: number | null;
  release: number | null;
  at: string;
  verdict: Verdict | null;
  comment: string;
  right_entry: string | null;
  right_title: string | null;
  reviewer: string | null;
  reviewed_at: string | null;
}

export interface SamplePage {
  items: Sample[];
  total: number;
  week: string;
  answers: number | null;
  to_draw: string | null;
  weeks: SampleWeek[];
  together: WrongRate;
  accepted: number;
  size: number;
  judges: boolean;
  sets_up: boolean;
}

export const samples = {
  find: (filter: { week: string; state: string; page: number }, signal?: AbortSignal) =>
    call<SamplePage>(`${ROOT}/samples`, { query: filter, signal }),
  judge: (id: number, body: { verdict: Verdict; comment: string; right_entry: string }) =>
    call<{ id: number; verdict: Verdict }>(`${ROOT}/samples/${id}/verdict`, { method: "POST", body }),
  draw: (week: string) => call<{ drawn: number }>(`${ROOT}/samples/runs`, { method: "POST", body: { week } }),
  resize: (size: number) => call<{ size: number }>(`${ROOT}/samples/settings`, { method: "PUT", body: { size } }),
};

import { call } from "./transport";
import type { Pending, Preview, ReleaseDetail, ReleaseRow } from "./types-releases";

const ROOT = "/api/v1/console/kb";

export const releases = {
  find: (signal?: AbortSignal) =>
    call<ReleaseRow[] | { items: ReleaseRow[] }>(`${ROOT}/releases`, { signal }).then((found) =>
      Array.isArray(found) ? found : found.items,
    ),
  get: (number: number, signal?: AbortSignal) => call<ReleaseDetail>(`${ROOT}/releases/${number}`, { signal }),
  preview: (signal?: AbortSignal) => call<Preview>(`${ROOT}/releases/preview`, { signal }),
  pending: (signal?: AbortSignal) => call<Pending>(`${ROOT}/releases/pending`, { signal }),
  /** With `refit` the matcher is fitted anew, whatever changed. */
  makePreview: (refit = false) => call<Preview>(`${ROOT}/releases/preview`, { method: "POST", body: { refit } }),
  publish: (overrideReason = "") =>
    call<ReleaseRow>(`${ROOT}/releases`, {
      method: "POST",
      body: overrideReason ? { override_reason: overrideReason } : {},
    }),
  rollBack: (number: number, reason: string) =>
    call<{ number: number }>(`${ROOT}/releases/${number}/rollback`, { method: "POST", body: { reason } }),
  wrongRate: (signal?: AbortSignal) => call<{ wrong_rate: number }>(`${ROOT}/wrong-rate`, { signal }),
  setWrongRate: (rate: number) =>
    call<{ wrong_rate: number }>(`${ROOT}/wrong-rate`, { method: "PUT", body: { wrong_rate: rate } }),
};

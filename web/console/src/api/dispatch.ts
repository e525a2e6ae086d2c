import { call } from "./transport";
import type {
  Colleague,
  EmergencyCall,
  Group,
  OnCall,
  OnCallList,
  RosterDay,
  Routing,
  RuleSet,
  RulesTrial,
  RuleVersion,
  Shift,
  Supervision,
  Target,
  VipUnit,
  VipUnits,
} from "./types-dispatch";

const ROOT = "/api/v1/console";
const one = (kind: string, id: string) => `${ROOT}/${kind}/${encodeURIComponent(id)}`;

export const groups = {
  all: (signal?: AbortSignal) => call<Group[]>(`${ROOT}/groups`, { signal }),
  add: (group: Partial<Group> & { id: string; name: string }) =>
    call<Group>(`${ROOT}/groups`, { method: "POST", body: group }),
  change: (id: string, changes: Partial<Group>) => call<Group>(one("groups", id), { method: "PATCH", body: changes }),
};

export const staff = {
  all: (signal?: AbortSignal) => call<Colleague[]>(`${ROOT}/staff`, { signal }),
  add: (username: string) => call<Colleague>(`${ROOT}/staff`, { method: "POST", body: { username } }),
  change: (username: string, changes: Partial<Colleague>) =>
    call<Colleague>(one("staff", username), { method: "PATCH", body: changes }),
  me: (signal?: AbortSignal) => call<{ person: Colleague | null }>(`${ROOT}/staff/me`, { signal }),
  /** `username` is `me` for oneself. `returned` counts the tickets that went back to their groups. */
  duty: (username: string, on: boolean) =>
    call<{ person: Colleague; returned: number }>(`${one("staff", username)}/duty`, { method: "POST", body: { on } }),
};

export const shifts = {
  all: (signal?: AbortSignal) => call<Shift[]>(`${ROOT}/shifts`, { signal }),
  save: ({ id, ...shift }: Shift) => call<Shift>(one("shifts", id), { method: "PUT", body: shift }),
  remove: (id: string) => call<void>(one("shifts", id), { method: "DELETE" }),
  roster: (first: string, days: number, signal?: AbortSignal) =>
    call<RosterDay[]>(`${ROOT}/roster`, { query: { first, days }, signal }),
  /** Their `shift` on that day: null is a day off, undefined the usual one. */
  setDay: (username: string, day: string, shift: string | null | undefined) =>
    call<void>(`${ROOT}/roster`, {
      method: "PUT",
      body: { username, day, shift: shift ?? null, usual: shift === undefined },
    }),
};

export const routing = {
  rules: (signal?: AbortSignal) => call<Routing>(`${ROOT}/routing/rules`, { signal }),
  version: (number: number) => call<RuleVersion>(one("routing/rules", String(number))),
  saveDraft: (rules: RuleSet, revision: number, comment: string) =>
    call<RuleVersion>(`${ROOT}/routing/rules`, { method: "PUT", body: { ...rules, revision, comment } }),
  dropDraft: () => call<void>(`${ROOT}/routing/rules`, { method: "DELETE" }),
  activate: (revision: number) =>
    call<RuleVersion>(`${ROOT}/routing/rules/activate`, { method: "POST", body: { revision } }),
  tryOut: (rules: RuleSet, days: number) =>
    call<RulesTrial>(`${ROOT}/routing/try`, { method: "POST", body: { ...rules, days } }),
  units: (signal?: AbortSignal) => call<VipUnits>(`${ROOT}/routing/units`, { signal }),
  saveUnits: (units: VipUnit[], number: number) =>
    call<VipUnits>(`${ROOT}/routing/units`, { method: "PUT", body: { units, number } }),
  targets: (signal?: AbortSignal) => call<Target[]>(`${ROOT}/routing/targets`, { signal }),
};

export const emergency = {
  calls: (signal?: AbortSignal) => call<EmergencyCall[]>(`${ROOT}/emergency`, { signal }),
  acknowledge: (number: string, words: string, falseAlarm: boolean) =>
    call<EmergencyCall>(`${one("emergency", number)}/acknowledge`, {
      method: "POST",
      body: { words, false_alarm: falseAlarm },
    }),
  lists: (signal?: AbortSignal) => call<OnCall>(`${ROOT}/emergency/list`, { signal }),
  saveLists: (lists: OnCallList[], number: number) =>
    call<{ number: number; lists: OnCallList[] }>(`${ROOT}/emergency/list`, { method: "PUT", body: { lists, number } }),
};

export const supervision = (signal?: AbortSignal) => call<Supervision>(`${ROOT}/supervision`, { signal });

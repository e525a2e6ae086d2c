import type { CareEntry, EntryBody, Finding } from "./api/types-care";
import { isBlank, tidySource } from "./sources";

export const EMPTY: Readonly<EntryBody> = Object.freeze({
  id: "",
  question: "",
  similar: [],
  answer: "",
  business_type: "",
  scenes: [],
  audience: { companies: [], groups: [] },
  sources: [],
  effective_from: null,
  effective_to: null,
  related: [],
  owner: "",
  title: "",
  review_on: null,
  extra: [],
});

/** What the editor starts from: a copy that shares nothing with what was loaded, whatever fields that lacks. */
export function bodyOf(from: Partial<EntryBody> | CareEntry): EntryBody {
  const related = (from.related ?? []).map((one) => (typeof one === "string" ? one : one.id));
  const picked = Object.fromEntries(
    (Object.keys(EMPTY) as (keyof EntryBody)[]).map((name) => [name, from[name] ?? EMPTY[name]]),
  );
  return JSON.parse(JSON.stringify({ ...picked, related })) as EntryBody;
}

/** What is sent: blanks trimmed, empty and repeated lines dropped; a choice that was cleared is '', a date null. */
export function tidied(body: EntryBody): EntryBody {
  const question = body.question.trim();
  return {
    ...body,
    id: body.id.trim(),
    question,
    similar: unique(body.similar).filter((one) => keyOf(one) !== keyOf(question)),
    answer: body.answer.trim(),
    business_type: body.business_type ?? "",
    owner: (body.owner ?? "").trim(),
    sources: body.sources.filter((one) => !isBlank(one)).map(tidySource),
    effective_from: body.effective_from || null,
    effective_to: body.effective_to || null,
    review_on: body.review_on || null,
  };
}

export const same = (a: EntryBody, b: EntryBody) => JSON.stringify(tidied(a)) === JSON.stringify(tidied(b));

/** How questions are told apart: without case, width, blanks and the mark at the end. */
export function keyOf(question: string): string {
  return question
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\s+/g, "")
    .replace(/[?!。.,,]+$/u, "");
}

/** Pasted or typed text as questions: a line or a cell each, list marks taken off. */
export function linesOf(text: string): string[] {
  return text
    .replace(/^(\s*(?:[-*•·]|\d{1,3}[.、)）]))\t/gm, "$1 ")
    .split(/[\r\n|\t]+/)
    .map((line) => line.replace(/^\s*(?:[-*•·]\s+|\d{1,3}[.、)）]\s*)/, "").trim())
    .filter(Boolean);
}

/** The first of each, in order, blanks dropped. */
export function unique(questions: readonly string[]): string[] {
  const seen = new Set<string>();
  return questions
    .map((one) => one.trim())
    .filter((one) => {
      const key = keyOf(one);
      if (!key || seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

/** Which similar questions say the same as the standard one or an earlier similar one, by their place. */
export function repeated(question: string, similar: readonly string[]): Set<number> {
  const seen = new Set([keyOf(question)]);
  const found = new Set<number>();
  similar.forEach((one, index) => {
    const key = keyOf(one);
    if (!key) return;
    if (seen.has(key)) found.add(index);
    seen.add(key);
  });
  return found;
}

/** What stands in the way of submitting, before the gateway is asked. */
export function problemsOf(body: EntryBody): Finding[] {
  const found: Finding[] = [];
  const say = (kind: string, message: string) => found.push({ kind, severity: "error", message });
  if (!body.question.trim()) say("missing_question", "请填写标准问。");
  if (!body.answer.trim()) say("missing_answer", "请填写答案。");
  const { effective_from: from, effective_to: to } = body;
  if (from && to && from > to) say("invalid_dates", "失效日期早于生效日期，请改正。");
  return found;
}

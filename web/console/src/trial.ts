import type { LocationQuery } from "vue-router";

import type { Trial, TrialQuestion } from "./api/types";
import { queryValue } from "./filters";
import { percent } from "./labels";

/** How many candidates the chat offers when it asks back. */
const OFFERED = 5;

/** The probability that any entry is right: it decides between asking back and refusing. */
export const anyRight = ({ in_scope, candidates }: Trial): number =>
  in_scope ??
  Math.min(
    1,
    candidates.reduce((sum, one) => sum + one.probability, 0),
  );

export type Fate = "answered" | "offered" | "unused";

/** What becomes of the candidate at this place, best first: it answers, it is offered as a choice, or it is not shown. */
export function fateOf({ band }: Trial, place: number): Fate {
  if (band === "answer" && place === 0) return "answered";
  return band === "clarify" && place < OFFERED ? "offered" : "unused";
}

/** What the employee would see, in a sentence. */
export function verdict(trial: Trial): string {
  const { band, candidates, thresholds } = trial;
  const best = candidates[0];
  if (!best) return "没有找到任何候选。会如实说明答不了，并建议提交工单。";
  if (band === "answer") {
    return `会直接回答“${best.question}”：概率 ${percent(best.probability)}，达到回答阈值 ${percent(thresholds.answer)}。`;
  }
  const reached = `有条目能答对的概率合计 ${percent(anyRight(trial))}`;
  if (band === "clarify") {
    const shown = Math.min(OFFERED, candidates.length);
    return `没有一条足够确定；${reached}，达到澄清阈值 ${percent(thresholds.clarify)}，会列出 ${shown} 个问题和“都不是”请用户选择。`;
  }
  return `会如实说明答不了，并建议提交工单：${reached}，低于澄清阈值 ${percent(thresholds.clarify)}。`;
}

export function toQuery({ q, page, node, groups, company }: TrialQuestion): Record<string, string> {
  const query = { q, page, node: page ? node : "", groups: groups?.join(","), company };
  return Object.fromEntries(Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1])));
}

export function fromQuery(query: LocationQuery): TrialQuestion {
  return {
    q: queryValue(query, "q").trim(),
    page: queryValue(query, "page"),
    node: queryValue(query, "node"),
    groups: queryValue(query, "groups").split(",").filter(Boolean),
    company: queryValue(query, "company"),
  };
}

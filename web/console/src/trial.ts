import type { LocationQuery } from "vue-router";

import type { Band, Thresholds, Trial, TrialQuestion } from "./api/types";
import { queryValue } from "./filters";
import { percent } from "./labels";

/** The band that a probability alone falls into. The verdict on the question is the gateway's `band`. */
export function bandOf(probability: number, { answer, clarify }: Thresholds): Band {
  if (probability >= answer) return "answer";
  return probability >= clarify ? "clarify" : "none";
}

/** What the employee would see, in a sentence. */
export function verdict({ band, candidates, thresholds }: Trial): string {
  const best = candidates[0];
  if (band === "answer" && best) {
    return `会直接回答“${best.question}”：概率 ${percent(best.probability)}，达到回答阈值 ${percent(thresholds.answer)}。`;
  }
  if (band === "clarify") {
    const shown = Math.min(5, candidates.filter((one) => one.probability >= thresholds.clarify).length);
    return `不直接回答，列出 ${shown || "几"} 个最接近的问题和“都不是”，请用户选择。`;
  }
  if (!best) return "没有找到任何候选。会如实说明答不了，并建议提交工单。";
  return `会如实说明答不了，并建议提交工单：最高概率 ${percent(best.probability)}，低于澄清阈值 ${percent(thresholds.clarify)}。`;
}

export function toQuery({ q, page, node, groups, company }: TrialQuestion): Record<string, string | string[]> {
  const query = { q, page, node: page ? node : "", groups, company };
  return Object.fromEntries(
    Object.entries(query).filter((pair): pair is [string, string | string[]] => Boolean(pair[1]?.length)),
  );
}

export function fromQuery(query: LocationQuery): TrialQuestion {
  const groups = query.groups;
  return {
    q: queryValue(query, "q").trim(),
    page: queryValue(query, "page"),
    node: queryValue(query, "node"),
    groups: (Array.isArray(groups) ? groups : [groups]).filter((one): one is string => Boolean(one)),
    company: queryValue(query, "company"),
  };
}

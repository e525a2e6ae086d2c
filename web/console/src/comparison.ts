import type { AnswerChange, Evaluation, Outcome } from "./api/types-releases";
import { bandLabel, percent } from "./labels";

export interface Comparison {
  key: string;
  label: string;
  meaning: string;
  before: string;
  after: string;
  delta: string;
  /** Whether the change is one for the better. */
  verdict: "better" | "worse" | "same" | "unknown";
  words: string;
}

/** Percentage points; below it a change is not worth a colour. */
const SLIGHT = 0.5;

interface Known {
  key: string;
  label: string;
  meaning: string;
  /** 1 when more is better, -1 when less is. */
  good: 1 | -1;
  words: (after: number) => string;
}

const HUNDRED = (share: number) => `${Math.round(share * 1000) / 10}`;

const KNOWN: Known[] = [
  {
    key: "top1",
    label: "首位命中",
    meaning: "正确条目排在第一位的问题占比",
    good: 1,
    words: (share) => `每 100 个问题，${HUNDRED(share)} 个把对的条目排在第一`,
  },
  {
    key: "coverage",
    label: "直接答对率",
    meaning: "直接回答且答对的问题占比",
    good: 1,
    words: (share) => `每 100 个问题，${HUNDRED(share)} 个直接答对，其余请用户选择或转人工`,
  },
  {
    key: "wrong_rate",
    label: "答错率",
    meaning: "直接回答的问题中答错的占比",
    good: -1,
    words: (share) => `每 100 个直接回答，${HUNDRED(share)} 个是错的`,
  },
  {
    key: "out_of_scope_refused",
    label: "范围外拒答率",
    meaning: "与财务共享无关的问题没有被直接回答的占比",
    good: 1,
    words: (share) => `每 100 个不该回答的问题，${HUNDRED(share)} 个没有直接回答`,
  },
];

/** A rate of an evaluation; null when it was not measured. */
export const rateAt = (evaluation: Evaluation | null | undefined, key: string): number | null => {
  const value = evaluation?.[key];
  return typeof value === "number" ? value : null;
};

/** What a release holds: entries, and the articles of policies beside them, which are no entries of the list. */
export function heldBy(all: number, evaluation: Evaluation | null | undefined): string {
  const passages = rateAt(evaluation, "passages") ?? 0;
  return `${all - passages} 条知识${passages ? `，${passages} 段制度条款` : ""}`;
}

/** What the manager weighs before publishing: four rates, before and after, as tenths of a percent. Rates that neither has are left out. */
export function comparisons(before: Evaluation | null | undefined, after: Evaluation | null | undefined): Comparison[] {
  return KNOWN.flatMap(({ key, label, meaning, good, words }) => {
    const [old, now] = [rateAt(before, key), rateAt(after, key)];
    if (old === null && now === null) return [];
    const points = old === null || now === null ? null : Math.round((now - old) * 1000) / 10;
    return [
      {
        key,
        label,
        meaning,
        before: old === null ? "—" : percent(old),
        after: now === null ? "—" : percent(now),
        delta: points === null ? "—" : points === 0 ? "0" : `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)}`,
        verdict: points === null ? "unknown" : Math.abs(points) < SLIGHT ? "same" : points * good > 0 ? "better" : "worse",
        words: now === null ? "" : words(now),
      } as const,
    ];
  });
}

/** “直接回答：出差住宿费能报多少？（96.2%）”. */
export function outcomeWords(outcome: Outcome | null): string {
  if (!outcome) return "没有这个条目";
  const chance = outcome.probability === null || outcome.probability === undefined ? "" : `（${percent(outcome.probability)}）`;
  if (outcome.band === "none" || !outcome.question) return `${bandLabel(outcome.band)}${chance}`;
  return `${bandLabel(outcome.band)}：${outcome.question}${chance}`;
}

export type Turn = "gained" | "lost" | "swapped" | "reworded" | "moved";

/** What the change means for whoever asks. */
export function turnOf({ before, after }: AnswerChange): Turn {
  const answered = (one: Outcome | null) => one?.band === "answer";
  if (answered(before) && answered(after)) return before!.entry_id === after!.entry_id ? "reworded" : "swapped";
  if (answered(after)) return "gained";
  return answered(before) ? "lost" : "moved";
}

export const TURNS: Record<Turn, { label: string; tone: "success" | "danger" | "warning" | "info" }> = {
  lost: { label: "不再直接回答", tone: "danger" },
  swapped: { label: "换了条目", tone: "warning" },
  gained: { label: "新能直接回答", tone: "success" },
  reworded: { label: "答案有改动", tone: "info" },
  moved: { label: "其他变化", tone: "info" },
};

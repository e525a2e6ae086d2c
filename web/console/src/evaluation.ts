import { percent } from "./labels";

export interface Figure {
  key: string;
  label: string;
  meaning: string;
  shown: string;
}

type Shape = "share" | "count" | "seconds" | "milliseconds" | "number";

const KNOWN: Record<string, { label: string; meaning: string; shape: Shape }> = {
  top1: { label: "首位命中", meaning: "正确条目排在第一位的问题占比", shape: "share" },
  top5: { label: "前五命中", meaning: "正确条目在前五位的问题占比", shape: "share" },
  mrr10: { label: "MRR@10", meaning: "正确条目名次倒数的平均值", shape: "number" },
  coverage: { label: "直接答对率", meaning: "直接回答且答对的问题占比", shape: "share" },
  wrong_rate: { label: "答错率", meaning: "直接回答的问题中答错的占比", shape: "share" },
  accepted_wrong_rate: { label: "可接受答错率", meaning: "知识管理员设定的上限", shape: "share" },
  out_of_scope_refused: { label: "范围外拒答率", meaning: "与财务共享无关的问题没有被直接回答的占比", shape: "share" },
  ece: { label: "校准误差", meaning: "概率与实际正确率的平均差距，越小越可信", shape: "number" },
  answer_threshold: { label: "回答阈值", meaning: "最佳条目的概率不低于它时直接回答", shape: "share" },
  clarify_threshold: { label: "澄清阈值", meaning: "有条目能答对的概率不低于它时列出选项请用户选择", shape: "share" },
  queries: { label: "评测问题", meaning: "参与评测的问题数", shape: "count" },
  questions: { label: "问法总数", meaning: "标准问与相似问的总数", shape: "count" },
  out_of_scope: { label: "范围外问题", meaning: "参与评测的、知识库不该回答的问题数", shape: "count" },
  build_s: { label: "构建用时", meaning: "编码、拟合与建索引的总时间", shape: "seconds" },
  search_ms_p50: { label: "检索中位用时", meaning: "一半的检索不超过这个时间", shape: "milliseconds" },
  search_ms_p95: { label: "检索 P95 用时", meaning: "95% 的检索不超过这个时间", shape: "milliseconds" },
};

const SHOW: Record<Shape, (value: number) => string> = {
  share: percent,
  count: (value) => value.toLocaleString("zh-CN"),
  seconds: (value) => `${value.toFixed(1)} 秒`,
  milliseconds: (value) => `${value.toFixed(1)} 毫秒`,
  number: (value) => value.toFixed(3),
};

/** The figures of a release's evaluation, the known ones first in the order of this page, numbers without a name as they are. */
export function evaluationFigures(evaluation: Record<string, unknown> | null): Figure[] {
  const numbers = Object.entries(evaluation ?? {}).filter(
    (pair): pair is [string, number] => typeof pair[1] === "number" && pair[0] !== "entries",
  );
  const order = Object.keys(KNOWN);
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return numbers
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([key, value]) => {
      const known = KNOWN[key];
      if (known) return { key, label: known.label, meaning: known.meaning, shown: SHOW[known.shape](value) };
      return { key, label: key, meaning: key, shown: Number.isInteger(value) ? String(value) : value.toFixed(3) };
    });
}

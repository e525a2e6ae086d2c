import type { ClusterState, Trial } from "./api/types-curation";
import { percent } from "./labels";

export const STATES: Record<Exclude<ClusterState, "merged">, string> = {
  open: "待处理",
  review: "待审核发布",
  gap: "等制度",
  snoozed: "稍后",
  closed: "已闭环",
  dismissed: "不归我们",
};

export const SIGNALS: Record<string, string> = {
  no_answer: "没有答案",
  none_of_these: "都不是",
  rated_bad: "评价没用",
  handoff: "转人工",
  rephrased: "反复换说法",
  abandoned: "问完就走",
  reopened: "工单重开",
};

export const RATINGS: Record<string, string> = {
  incorrect: "答案有误",
  incomplete: "不完整",
  outdated: "已过时",
  unclear: "看不懂",
  impolite: "语气不好",
  other: "其他",
};

export const DECISIONS: Record<string, string> = {
  similar: "加为相似问",
  entry: "新建知识",
  gap: "提出制度缺口",
  gap_done: "制度缺口办结",
  dismiss: "不归我们答",
  split: "拆分",
  merge: "合并",
  snooze: "稍后处理",
  wake: "恢复待处理",
  rename: "改名",
};

export const DRAFTS: Record<string, string> = {
  drafted: "待审核",
  approved: "已批准，待发布",
  rejected: "被退回或撤销",
  live: "已上线",
};

export const ORDERS = [
  { value: "people", label: "人数最多" },
  { value: "rising", label: "上升最快" },
  { value: "minutes", label: "坐席最费时" },
  { value: "recent", label: "最近问过" },
  { value: "new", label: "最新出现" },
];

export const CURATION_KEYS: readonly [string, string][] = [
  ["j / k", "下一组 / 上一组"],
  ["1 – 6", "加为第几条相近知识的相似问"],
  ["n", "新建知识"],
  ["g", "制度缺口：制度没有说"],
  ["d", "不归我们答"],
  ["s", "七天后再看"],
  ["m", "并入另一组"],
  ["↑ / ↓，x", "在问法中移动，勾选"],
  ["p", "把勾选的问法拆成一组"],
  ["r", "恢复到待处理"],
  ["z", "撤销刚才的“七天后看”或“不归我们”"],
  ["Ctrl + Enter", "确认正在填的窗口"],
  ["/", "搜索"],
  ["?", "显示这张表"],
];

const MEASURES: [string, string, boolean][] = [
  ["coverage", "直接答对率", true],
  ["wrong_rate", "答错率", false],
  ["top1", "首位命中", true],
  ["out_of_scope_refused", "范围外拒答率", true],
];

/** The release's measures as the trial moves them; `worse` where one goes the wrong way by at least a thousandth. */
export function measures(trial: Trial): { label: string; before: string; after: string; worse: boolean }[] {
  return MEASURES.flatMap(([name, label, more]) => {
    const before = trial.before[name];
    const after = trial.after[name];
    if (typeof before !== "number" || typeof after !== "number") return [];
    const worse = (more ? before - after : after - before) >= 0.001;
    return [{ label, before: percent(before), after: percent(after), worse }];
  });
}

const CURATORS = ["editor", "reviewer", "publisher", "supervisor"];

/** Whether somebody may open the workbench. */
export const mayCurate = (session: { may: (role: string) => boolean }) => CURATORS.some((role) => session.may(role));

/** What an empty list says; `ungrouped` questions came since the last run and stand in no list yet. */
export function nothingIn(state: string, ungrouped: number): string {
  if (ungrouped && (state === "open" || state === "all")) return `有 ${ungrouped} 个问题还没有归类，每天凌晨 2 点归类后出现在这里`;
  return state === "open" ? "没有待处理的问题" : "这里是空的";
}

import type { ImportJob, ImportRow, ImportState, Resolution, RowAction, RowOutcome } from "./api/types-imports";

type Tone = "primary" | "success" | "warning" | "danger" | "info";
interface Word {
  label: string;
  tone: Tone;
}

const STATES: Record<ImportState, Word> = {
  reading: { label: "读取中", tone: "primary" },
  preview: { label: "待确认", tone: "warning" },
  applying: { label: "写入中", tone: "primary" },
  done: { label: "已完成", tone: "success" },
  failed: { label: "失败", tone: "danger" },
  cancelled: { label: "已取消", tone: "info" },
};

const ACTIONS: Record<RowAction, Word> = {
  create: { label: "新建", tone: "success" },
  update: { label: "更新", tone: "primary" },
  collide: { label: "冲突", tone: "warning" },
  same: { label: "无变化", tone: "info" },
  invalid: { label: "不能导入", tone: "danger" },
};

const OUTCOMES: Record<RowOutcome, Word> = {
  created: { label: "已新建", tone: "success" },
  updated: { label: "已更新", tone: "primary" },
  merged: { label: "已合并", tone: "primary" },
  skipped: { label: "已跳过", tone: "info" },
  failed: { label: "未导入", tone: "danger" },
};

export const RESOLUTIONS: { value: Resolution; label: string; meaning: string }[] = [
  { value: "merge", label: "合并为相似问", meaning: "把这一行的问法并入已有条目；已有的答案不变，这一行的答案不采用" },
  { value: "overwrite", label: "覆盖", meaning: "用这一行的内容替换已有条目，原内容留在版本记录里" },
  { value: "skip", label: "跳过", meaning: "不导入这一行" },
  { value: "create", label: "新建", meaning: "另建一个条目，两条并存" },
];

const FIELDS: Record<string, string> = {
  id: "编号",
  question: "标准问",
  similar: "相似问",
  answer: "答案",
  business_type: "业务类型",
  scenes: "适用场景",
  companies: "可见公司",
  groups: "可见人员组",
  audience: "可见范围",
  effective_from: "生效日期",
  effective_to: "失效日期",
  period: "有效期",
  sources: "依据",
  source: "依据",
  source_details: "依据明细",
  extra: "其他信息",
  version: "条目版本",
  owner: "负责组",
  title: "标题",
  review_on: "复核日期",
  related: "后续问题",
};

export const fieldLabel = (field: string) => FIELDS[field] ?? field;
export const stateWord = (state: ImportState): Word => STATES[state] ?? { label: state, tone: "info" };
export const actionWord = (action: RowAction): Word => ACTIONS[action] ?? { label: action, tone: "info" };
export const outcomeWord = (outcome: RowOutcome): Word => OUTCOMES[outcome] ?? { label: outcome, tone: "info" };

/** It goes on by itself: the page looks again. */
export const isWorking = ({ state }: Pick<ImportJob, "state">) => state === "reading" || state === "applying";
export const canCancel = ({ state }: Pick<ImportJob, "state">) => state === "reading" || state === "preview" || state === "applying";

/** 0–100, null while the total is not known. */
export function progressOf({ progress }: Pick<ImportJob, "progress">): number | null {
  if (!progress?.total) return null;
  return Math.min(100, Math.floor((progress.done / progress.total) * 100));
}

/** 1536 → 1.5 KB. */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

const MOST_BYTES = 50 * 1024 ** 2;
const SHEETS = ["xlsx", "csv"];
const TEXTS = ["docx", "pdf", "html", "htm", "md", "txt"];
export const ACCEPTED = [...SHEETS, ...TEXTS].map((one) => `.${one}`).join(",");

/** Why the file is not worth sending; null when the gateway should look at it. */
export function refusalOf({ name, size }: { name: string; size: number }): string | null {
  if (size === 0) return "文件是空的，请检查后重新选择。";
  if (size > MOST_BYTES) return `文件有 ${fileSize(size)}，超过 50 MB 的上限。请拆成几个文件再导入。`;
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  if (ending === "xls") return "旧版 .xls 不能导入，请在 Excel 中另存为 .xlsx。";
  if (ending === "doc" || ending === "wps") return `.${ending} 不能导入，请另存为 .docx。`;
  return null;
}

export interface Filter {
  value: string;
  label: string;
  count: number;
}

/** The ways to look at the rows: by what will happen, or, once done, by what became of them. Empty ones are left out. */
export function rowFilters({ state, counts }: Pick<ImportJob, "state" | "counts">): Filter[] {
  const after = state === "done" || state === "cancelled" || state === "applying";
  const words: [string, Word][] = after ? Object.entries(OUTCOMES) : Object.entries(ACTIONS);
  const found = words
    .map(([value, { label }]) => ({ value, label, count: counts[value] ?? 0 }))
    .filter(({ count }) => count > 0);
  const all = counts.rows ?? found.reduce((sum, one) => sum + one.count, 0);
  return [{ value: "", label: "全部", count: all }, ...found];
}

/** What confirming will do, in a sentence. */
export function plan(counts: Record<string, number>): string {
  const parts = [
    counts.create && `新建 ${counts.create} 条`,
    counts.update && `更新 ${counts.update} 条`,
    counts.collide && `按您的选择处理 ${counts.collide} 行冲突`,
  ].filter(Boolean);
  const left = [
    counts.same && `${counts.same} 行与现有内容相同`,
    counts.invalid && `${counts.invalid} 行不能导入`,
  ].filter(Boolean);
  const doing = parts.length ? `确认后将${parts.join("、")}` : "没有需要写入的内容";
  return left.length ? `${doing}；${left.join("，")}，不会写入。` : `${doing}。`;
}

/** What a policy's file holds, against the stored version. */
export function policyPlan(counts: Record<string, number>): string {
  const parts = [
    counts.changed && `修改 ${counts.changed} 条`,
    counts.added && `新增 ${counts.added} 条`,
    counts.removed && `删除 ${counts.removed} 条`,
  ].filter(Boolean);
  const tables = counts.tables ? `，${counts.tables} 张表` : "";
  return parts.length ? `${parts.join("、")}${tables}` : `${counts.articles ?? 0} 条条款没有变化${tables}`;
}

/** What was done, in a sentence. */
export function report(counts: Record<string, number>): string {
  const parts = Object.entries(OUTCOMES)
    .map(([key, { label }]) => (counts[key] ? `${label} ${counts[key]}` : ""))
    .filter(Boolean);
  if (counts.held) parts.push(`其中 ${counts.held} 行有问题，存为草稿`);
  return parts.length ? parts.join("，") : "没有写入任何内容";
}

export const undecided = (row: ImportRow) => row.action === "collide" && row.resolution === null && row.outcome === null;

import type { CareRow, DraftMark, EntryState, Finding } from "./api/types-care";
import type { User } from "./api/types";
import { mayAs } from "./roles";

type Tone = "primary" | "success" | "warning" | "danger" | "info";

/** The quick filters, in the order in which a manager works them off. */
export const STATE_FILTERS: readonly { state: EntryState; label: string; hint: string }[] = [
  { state: "submitted", label: "待审核", hint: "已提交，等审核人批准或退回" },
  { state: "drafts", label: "草稿", hint: "起草中和已退回的修改" },
  { state: "flagged", label: "需复核", hint: "依据变了，或检查发现了问题" },
  { state: "review_due", label: "到复核日", hint: "负责人约定的复核日到了" },
  { state: "expiring", label: "即将过期", hint: "30 天内失效" },
  { state: "expired", label: "已过期", hint: "过了失效日期，不再回答" },
  { state: "bad", label: "差评", hint: "问法或答案改过之后的反馈中，没帮助的不比有帮助的少" },
  { state: "hot", label: "热门", hint: "近 30 天被问得最多" },
  { state: "cold", label: "冷门", hint: "以前有人问，近 30 天没有" },
  { state: "never", label: "从未命中", hint: "从来没有回答过任何人" },
  { state: "retired", label: "已停用", hint: "不再回答任何人，可以从版本里恢复" },
];

const FLAGS: Record<string, string> = {
  source_changed: "依据已变更",
  source_removed: "依据已删除",
  expired_source: "依据已失效",
  missing_source: "依据不存在",
  amount: "金额不一致",
  duplicate: "疑似重复",
  contradiction: "疑似矛盾",
  bad_feedback: "差评较多",
  review_due: "到复核日",
  expiring: "即将过期",
};

export const flagLabel = (kind: string) => FLAGS[kind] ?? kind;

export function draftLabel(draft: Pick<DraftMark, "state" | "deletes">): { label: string; tone: Tone } {
  if (draft.state === "submitted") return { label: draft.deletes ? "停用待审核" : "待审核", tone: "warning" };
  if (draft.state === "rejected") return { label: "已退回", tone: "danger" };
  return { label: draft.deletes ? "停用草稿" : "草稿", tone: "primary" };
}

/** Why this user may not approve this draft; null when they may. */
export function whyNotApprove(user: User | null, draft: Pick<DraftMark, "state" | "author">): string | null {
  const roles = user?.roles ?? [];
  if (!mayAs(roles, "reviewer")) return "只有知识审核可以批准。";
  if (draft.state !== "submitted") return "提交审核后才能批准。";
  if (draft.author === user?.username && !roles.includes("admin")) return "这是您自己的修改，请另一位审核人批准。";
  return null;
}

/** Whether this user may throw this draft away: its author, or an administrator. */
export const mayDiscard = (user: User | null, draft: Pick<DraftMark, "author">): boolean =>
  mayAs(user?.roles ?? [], "editor") && (draft.author === user?.username || (user?.roles ?? []).includes("admin"));

/** What approving these drafts does, as the reviewer is asked. */
export function approvalOf(rows: readonly Pick<CareRow, "draft">[]): string {
  const retired = rows.filter((row) => row.draft?.deletes).length;
  const doubted = rows.filter((row) => row.draft?.findings).length;
  return [
    `将批准 ${rows.length} 条修改。`,
    retired ? `其中 ${retired} 条是停用，几秒内不再回答任何人。` : "",
    "收窄的可见范围和提前的失效日期几秒内生效，其余下次发布后生效。",
    doubted ? `有 ${doubted} 条带着检查提示。` : "",
    "请确认已经看过每条的改动。",
  ].join("");
}

/** What throwing these drafts away does. */
export function discardOf(user: User | null, rows: readonly Pick<CareRow, "draft">[]): string {
  const others = rows.filter((row) => row.draft?.author !== user?.username).length;
  const whose = others ? `其中 ${others} 份是别人写的。` : "";
  return `${whose}已批准过的条目保持现在的版本；从没批准过的新条目不再保留。放弃后不能找回。`;
}

export type Place = "question" | "similar" | "answer" | "sources" | "validity" | "scenes" | "audience" | "related" | "other";

const PLACES: Record<string, Place> = {
  missing_question: "question",
  duplicate: "question",
  repeated: "similar",
  missing_answer: "answer",
  placeholder_answer: "answer",
  amount: "answer",
  unsafe: "answer",
  missing_source: "sources",
  source_changed: "sources",
  expired_source: "sources",
  future_source: "sources",
  invalid_dates: "validity",
  gap: "validity",
  expired: "validity",
  unknown_scene: "scenes",
  missing_related: "related",
};

/** The field of the editor that a finding speaks of. */
export function placeOf(finding: Pick<Finding, "kind">): Place {
  return PLACES[finding.kind] ?? "other";
}

/** Detail of a flag as a person reads it; what is no text is left to the flag's name. */
export function detailText(detail: unknown): string {
  if (typeof detail === "string") return detail;
  if (detail && typeof detail === "object") {
    const { message, text } = detail as { message?: unknown; text?: unknown };
    if (typeof message === "string") return message;
    if (typeof text === "string") return text;
  }
  return "";
}

/** Fields as the console calls them. */
const FIELDS: Record<string, string> = {
  question: "标准问",
  similar: "相似问",
  answer: "答案",
  business_type: "业务类型",
  scenes: "适用场景",
  audience: "可见范围",
  sources: "依据",
  effective_from: "生效日期",
  effective_to: "失效日期",
  review_on: "复核日",
  related: "后续问题",
  owner: "负责组",
  title: "标题",
  extra: "其他列",
  source_details: "依据明细",
};

export const fieldLabel = (field: string, fallback = field) => FIELDS[field] ?? fallback;

const FEEDBACK: Record<string, string> = {
  incorrect: "答案有误",
  incomplete: "不完整",
  outdated: "已过时",
  unclear: "看不懂",
  other: "其他",
};

export const feedbackReason = (reason: string) => FEEDBACK[reason] ?? reason;

const AUTHORS: Record<string, string> = { starter: "初始知识", system: "系统" };

export const authorName = (author: string | null | undefined) => (author ? (AUTHORS[author] ?? author) : "");

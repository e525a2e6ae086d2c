import type { Arguments, DeskTicket, Verb } from "../api/types-desk";

export type Field = "to" | "group" | "colleague" | "expert" | "number" | "reason" | "text" | "words";

export interface Asking {
  verb: Verb;
  title: string;
  /** What happens, in a sentence. */
  hint: string;
  fields: Field[];
  button: string;
  /** What the words are: reason or text. */
  label?: string;
  optional?: Field[];
}

/** What has to be asked before a verb can be done. Verbs that are not here need nothing. */
export const ASKING: Partial<Record<Verb, Asking>> = {
  assign: {
    verb: "assign",
    title: "派给同事",
    hint: "对方会收到提醒，工单进入“已派工”。",
    fields: ["to"],
    button: "派给他",
  },
  transfer: {
    verb: "transfer",
    title: "转到其他组",
    hint: "不归本组处理时使用。原因会记在处理记录里，员工看不到。",
    fields: ["group", "colleague", "reason"],
    optional: ["colleague"],
    button: "转派",
    label: "转派原因",
  },
  escalate: {
    verb: "escalate",
    title: "升级到三线",
    hint: "非标准或有风险的业务交给专家组处理。",
    fields: ["group", "reason"],
    optional: ["group"],
    button: "升级",
    label: "升级原因",
  },
  invite: {
    verb: "invite",
    title: "邀请专家会诊",
    hint: "专家可以一起查看、回复和备注；负责人不变。",
    fields: ["expert", "reason"],
    button: "邀请",
    label: "想请专家看什么",
  },
  "give-back": {
    verb: "give-back",
    title: "退回派工池",
    hint: "您不再负责这张工单，由本组其他同事认领。",
    fields: ["reason"],
    button: "退回",
    label: "退回原因",
  },
  resolve: {
    verb: "resolve",
    title: "标记解决",
    hint: "解决说明会发给员工，并请他评价。",
    fields: ["text"],
    button: "发送并解决",
    label: "解决说明（员工会看到）",
  },
  reopen: {
    verb: "reopen",
    title: "重新打开",
    hint: "问题没有真正解决时使用。",
    fields: ["reason"],
    button: "重新打开",
    label: "原因",
  },
  cancel: {
    verb: "cancel",
    title: "取消工单",
    hint: "误提或不再需要处理时使用；员工会收到通知。",
    fields: ["reason"],
    button: "取消工单",
    label: "取消原因",
  },
  merge: {
    verb: "merge",
    title: "合并到另一张工单",
    hint: "同一件事提了两次时使用：这张结束，后续都在那一张里处理。只能合并同一位员工的工单。",
    fields: ["number"],
    button: "合并",
  },
  link: {
    verb: "link",
    title: "关联工单",
    hint: "两张工单各自处理，互相能看到。",
    fields: ["number"],
    button: "关联",
  },
  note: {
    verb: "note",
    title: "写内部备注",
    hint: "只有同事能看到，员工看不到。",
    fields: ["text"],
    button: "保存备注",
    label: "备注内容",
  },
};

/** What the dialog was given, as the verb takes it; null while something needed is missing. */
export function argumentsOf(asking: Asking, given: Partial<Record<Field, string>>): Arguments | null {
  const value = (field: Field) => (given[field] ?? "").trim();
  const missing = asking.fields.some((field) => !value(field) && !asking.optional?.includes(field));
  if (missing) return null;
  const made: Arguments = {};
  for (const field of asking.fields) {
    const it = value(field);
    if (!it) continue;
    if (field === "colleague") made.to = it;
    else if (field === "number") made[asking.verb === "merge" ? "into" : "other"] = it.toUpperCase();
    else made[field] = it;
  }
  return made;
}

/** What one can do first with this ticket, as its buttons say it; `c` is its key. */
export function taking(ticket: Pick<DeskTicket, "verbs">): { verb: Verb; label: string } | null {
  if (ticket.verbs.includes("accept")) return { verb: "accept", label: "受理" };
  if (ticket.verbs.includes("claim")) return { verb: "claim", label: "认领" };
  return null;
}

/** What is said when it is done. */
export const DONE: Record<Verb, string> = {
  assign: "已派出",
  claim: "已认领",
  accept: "已受理",
  "give-back": "已退回派工池",
  reply: "已发送给员工",
  note: "备注已保存",
  resolve: "已标记解决",
  close: "已关闭",
  reopen: "已重新打开",
  cancel: "已取消",
  merge: "已合并",
  link: "已关联",
  unlink: "已取消关联",
  transfer: "已转派",
  escalate: "已升级到三线",
  invite: "已邀请",
  dismiss: "已请专家退出",
  change: "已修改",
  seen: "已读",
  attach: "已上传",
};

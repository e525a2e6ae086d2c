import type { RouteLocationRaw } from "vue-router";

import type { Verification } from "./api/audit";

/** What is logged, by the word before the dot. */
export const AREAS: Record<string, string> = {
  ticket: "工单",
  tickets: "工单",
  staff: "人员",
  group: "班组",
  shift: "班次",
  roster: "值班",
  rules: "派工规则",
  vip: "重点单位",
  emergency: "应急名单",
  sla_policy: "服务时效",
  calendar: "工作日历",
  clocks: "计时",
  quality: "服务质量",
  review: "低分回访",
  survey: "问卷",
  canned: "常用语",
  view: "视图",
  user: "用户",
  delivery: "投递",
  inspection: "质检",
  entry: "知识条目",
  policy: "制度",
  table: "标准表",
  release: "知识发布",
  import: "导入",
  channel: "渠道",
  curation: "知识运营",
  insight: "数据看板",
  webhook: "推送",
  client: "接入系统",
};

const WORDS: Record<string, string> = {
  filed: "提交",
  routed: "派工",
  assigned: "指派",
  claimed: "认领",
  accepted: "受理",
  returned: "退回",
  transferred: "转派",
  escalated: "升级",
  replied: "回复",
  noted: "内部备注",
  employee_said: "员工补充",
  urged: "催办",
  resolved: "解决",
  closed: "关闭",
  reopened: "重新打开",
  cancelled: "取消",
  merged: "合并",
  absorbed: "并入",
  linked: "关联",
  unlinked: "取消关联",
  expert_invited: "邀请专家",
  expert_dismissed: "结束会诊",
  attached: "上传附件",
  warned: "临期提醒",
  breached: "超时",
  chain_climbed: "逐级上报",
  emergency_called: "应急呼叫",
  emergency_acknowledged: "应急已接",
  emergency_climbed: "应急升级",
  rated: "评价",
  invited_to_rate: "邀请评价",
  exported: "导出",
  prices: "价目",
  judged: "评审抽样",
  sample: "抽样数量",
  report: "补生成报告",
  added: "新增",
  made: "新增",
  saved: "保存",
  set: "配置",
  changed: "修改",
  removed: "删除",
  drafted: "起草",
  dropped: "放弃草稿",
  activated: "生效",
  on_duty: "上班",
  off_duty: "下班",
  days: "调整日期",
  told: "通知",
  retried: "重新发送",
  settled: "已另行告知",
  scored: "评分",
  appealed: "申诉",
  decided: "裁定",
  drawn: "抽样",
  started: "发送",
  submitted: "提交审核",
  approved: "审核通过",
  rejected: "退回",
  withdrawn: "放弃草稿",
  retiring: "起草停用",
  stopped: "停用",
  resumed: "重新启用",
  bulk: "批量修改",
  flag_resolved: "处理标记",
  confirmed: "确认",
  publish: "发布",
  rollback: "回滚",
  wrong_rate: "可接受的答错率",
};

/** `ticket.claimed` → 工单 · 认领; a word that nobody translated stays as it is. */
export function actionName(action: string): string {
  const [area = "", ...rest] = action.split(".");
  const word = rest.join(".");
  return `${AREAS[area] ?? area}${word ? ` · ${WORDS[word] ?? word}` : ""}`;
}

const PLACES: Record<string, (id: string) => RouteLocationRaw> = {
  entry: (id) => ({ name: "entry", params: { id } }),
  policy: (id) => ({ name: "policies", params: { id } }),
  table: (id) => ({ name: "tables", params: { id } }),
  import: (id) => ({ name: "import", params: { id } }),
  release: (number) => ({ name: "release", params: { number } }),
};

/** Where the subject can be looked at; null where it is none of these. */
export function placeOf(subject: string): RouteLocationRaw | null {
  if (/^FW\d{8}-\d{4,}$/.test(subject)) return { name: "ticket", params: { number: subject } };
  const [, kind = "", id = ""] = /^([a-z]+):([^/]+)$/.exec(subject) ?? [];
  return PLACES[kind] && (kind !== "release" || /^\d+$/.test(id)) ? PLACES[kind](id) : null;
}

const SUBJECTS: Record<string, string> = { entries: "多条知识", "wrong-rate": "可接受的答错率" };

/** `entry:travel-001` → 知识条目 travel-001; what nobody named stays as it is. */
export function subjectName(subject: string): string {
  const [kind = "", ...rest] = subject.split(":");
  return rest.length && AREAS[kind] ? `${AREAS[kind]} ${rest.join(":")}` : (SUBJECTS[subject] ?? subject);
}

export function verdict(found: Verification): { type: "success" | "error"; title: string; text: string } {
  if (found.broken !== null)
    return {
      type: "error",
      title: "日志链已断裂",
      text: `第 ${found.broken} 条与前一条对不上：它或它之前的记录被改动或删除。请保留现场并联系系统管理员。`,
    };
  if (found.altered !== null)
    return {
      type: "error",
      title: "工单时间线与日志不符",
      text: `时间线事件 ${found.altered} 与日志中的记录不一致。请保留现场并联系系统管理员。`,
    };
  return {
    type: "success",
    title: "日志完整",
    text: `${found.entries} 条记录首尾相接，工单时间线与日志一致。最新一条的校验值：${found.head}`,
  };
}

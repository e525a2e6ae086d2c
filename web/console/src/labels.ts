import type { Band, Reach, Speaker } from "./api/types";

type Tone = "primary" | "success" | "warning" | "danger" | "info";

const HANDOFF_REASONS: Record<string, string> = {
  customer_request: "用户要求",
  missing_knowledge: "知识缺失",
  low_confidence: "置信度低",
  policy_restriction: "制度限制",
  tool_failure: "系统故障",
  complaint: "投诉",
  emergency: "紧急事项",
  system: "系统开单",
};

export const CHANNELS: Record<string, string> = {
  widget: "网页挂件",
  web: "网页挂件",
  api: "开放接口",
  wecom: "企业微信",
  dingtalk: "钉钉",
};

const STATUS_TONES: Record<string, Tone> = {
  new: "danger",
  assigned: "warning",
  in_progress: "primary",
  waiting: "warning",
  waiting_for_requester: "warning",
  resolved: "success",
  closed: "info",
  reopened: "danger",
  cancelled: "info",
  merged: "info",
};

const BANDS: Record<Band, { label: string; tone: Tone }> = {
  answer: { label: "直接回答", tone: "success" },
  clarify: { label: "请用户选择", tone: "warning" },
  none: { label: "不回答", tone: "info" },
};

const SPEAKERS: Record<Speaker, string> = { user: "员工", bot: "智能客服", agent: "人工坐席" };

export const REACH: Record<Reach, { label: string; tone: Tone }> = {
  read: { label: "已读", tone: "success" },
  unread: { label: "未读", tone: "info" },
  delivered: { label: "已送达", tone: "success" },
  waiting: { label: "正在送达", tone: "info" },
  unsure: { label: "可能没有送达", tone: "warning" },
  dead: { label: "没有送达，请换个方式联系员工", tone: "danger" },
  settled: { label: "已另行告知", tone: "info" },
};

export const handoffReason = (reason: string | null) => (reason ? (HANDOFF_REASONS[reason] ?? reason) : "—");
export const channelName = (channel: string | null) => (channel ? (CHANNELS[channel] ?? channel) : "—");
export const statusTone = (status: string): Tone => STATUS_TONES[status] ?? "info";
export const bandLabel = (band: Band | null) => (band ? BANDS[band].label : "—");
export const bandTone = (band: Band | null): Tone => (band ? BANDS[band].tone : "info");
export const speakerName = (speaker: Speaker) => SPEAKERS[speaker];

export function urgencyTone(label: string): Tone {
  if (label === "特急" || label === "critical") return "danger";
  return label === "紧急" || label === "urgent" ? "warning" : "info";
}

/** 0.8732 → 87.3 %. Never rounds up to 100 % what is not certain. */
export function percent(probability: number): string {
  const tenths = probability < 1 ? Math.min(Math.round(probability * 1000), 999) : 1000;
  return `${(tenths / 10).toFixed(1)}%`;
}

const DIGITS = "零一二三四五六七八九";

/** 12 → 十二, for article numbers from 1 to 999. */
export function chineseNumber(n: number): string {
  if (!Number.isInteger(n) || n < 1 || n > 999) return String(n);
  const [hundreds, tens, ones] = [Math.floor(n / 100), Math.floor(n / 10) % 10, n % 10];
  const tail = ones ? DIGITS[ones] : "";
  if (!hundreds) return tens ? `${tens > 1 ? DIGITS[tens] : ""}十${tail}` : `${tail}`;
  const middle = tens ? `${DIGITS[tens]}十` : ones ? "零" : "";
  return `${DIGITS[hundreds]}百${middle}${tail}`;
}

export const articleLabel = (number: number) => `第${chineseNumber(number)}条`;

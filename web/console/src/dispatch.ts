import type { Conditions, Outcome, Rule, RuleSet, Shift } from "./api/types-dispatch";
import { handoffReason } from "./labels";

export const TIER_NAMES: Record<string, string> = { standard: "普通单位", vip: "重点单位" };
export const REASONS = [
  "customer_request",
  "missing_knowledge",
  "low_confidence",
  "policy_restriction",
  "tool_failure",
  "complaint",
  "emergency",
  "system",
] as const;
const WEEKDAYS = ["一", "二", "三", "四", "五", "六", "日"];

export const tierName = (tier: string) => TIER_NAMES[tier] ?? tier;

export interface Words {
  label: string;
  values: string[];
}

/** What a rule asks for, as words; `place` names a page or node. */
export function conditionWords(when: Conditions, place: (scene: string) => string): Words[] {
  return [
    { label: "风险词", values: when.risk_words },
    { label: "业务类型", values: when.business_types },
    { label: "紧急程度", values: when.urgencies },
    { label: "服务等级", values: when.service_tiers.map(tierName) },
    { label: "公司", values: when.companies },
    { label: "部门", values: when.departments },
    { label: "提问位置", values: when.places.map(place) },
    { label: "转人工原因", values: when.reasons.map((one) => handoffReason(one)) },
  ].filter(({ values }) => values.length);
}

export const noConditions = (): Conditions => ({
  business_types: [],
  companies: [],
  departments: [],
  urgencies: [],
  service_tiers: [],
  places: [],
  reasons: [],
  risk_words: [],
});

export function newRule(group: string, tier: number): Rule {
  return {
    id: `rule-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`,
    name: "",
    enabled: true,
    when: noConditions(),
    then: { group, tier, priority: null, sla_policy: null, skill: null, emergency: false },
  };
}

/** The rules with the one at `from` put where the one at `to` is. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), list[from] as T, ...rest.slice(to)];
}

/** A new rule comes before those for everyday business, which would leave it nothing, and after those that raise the alarm. */
export function added(rules: readonly Rule[], rule: Rule): Rule[] {
  const alarms = rules.findIndex((one) => !one.then.emergency);
  const at = rule.then.emergency ? 0 : alarms < 0 ? rules.length : alarms;
  return [...rules.slice(0, at), rule, ...rules.slice(at)];
}

export const sameRules = (a: RuleSet, b: RuleSet) =>
  JSON.stringify([a.rules, a.default]) === JSON.stringify([b.rules, b.default]);

export const priorityWords = (priority: number | null) => (priority ? `P${priority}` : "按紧急程度");

export function outcomeWords(then: Outcome, groupName: (id: string) => string): string {
  return [groupName(then.group), priorityWords(then.priority)].join(" · ");
}

/** 随工作日历, 每天, 周一至周五, 周六、周日 … */
export function dayWords(days: readonly number[]): string {
  if (days.length === 1 && days[0] === 0) return "随工作日历";
  if (days.length === 7) return "每天";
  const runs = days.every((day, index) => index === 0 || day === (days[index - 1] as number) + 1);
  const name = (day: number) => `周${WEEKDAYS[day - 1]}`;
  if (runs && days.length > 2) return `${name(days[0] as number)}至${name(days.at(-1) as number)}`;
  return days.map(name).join("、");
}

export const hoursWords = ({ starts, ends }: Pick<Shift, "starts" | "ends">) =>
  `${starts}–${ends <= starts ? "次日" : ""}${ends}`;

/** The seven days of the week that `day` (`YYYY-MM-DD`) lies in, Monday first. */
export function weekOf(day: string): string[] {
  const at = new Date(`${day}T00:00:00Z`);
  const back = (at.getUTCDay() + 6) % 7;
  return Array.from({ length: 7 }, (_, index) =>
    new Date(at.getTime() + (index - back) * 86_400_000).toISOString().slice(0, 10),
  );
}

/** `2026-11-23` → 周一 11-23. */
export function dayLabel(day: string): string {
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return `周${WEEKDAYS[weekday]} ${day.slice(5)}`;
}

/** An id that is not among `taken`, for something that is called so. */
export function freshId(prefix: string, taken: readonly string[]): string {
  for (let n = taken.length + 1; ; n += 1) {
    const id = `${prefix}-${n}`;
    if (!taken.includes(id)) return id;
  }
}

/** What a log of finished calls says while it is empty; a call that still runs stands elsewhere on the page. */
export const nothingPast = (running: number): string =>
  running ? "还没有结束的应急呼叫；上面的呼叫有人确认后会记在这里" : "还没有应急呼叫";

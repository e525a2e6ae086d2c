import type { BulkChange } from "./api/types-care";

export type BulkField = keyof BulkChange;

export const BULK_FIELDS: readonly { name: BulkField; label: string; none?: string }[] = [
  { name: "owner", label: "负责组" },
  { name: "business_type", label: "业务类型" },
  { name: "effective_from", label: "生效日期", none: "清空：即日生效" },
  { name: "effective_to", label: "失效日期", none: "清空：长期有效" },
  { name: "review_on", label: "复核日", none: "清空：不提醒" },
  { name: "audience", label: "可见范围" },
  { name: "add_scenes", label: "增加场景" },
  { name: "remove_scenes", label: "去掉场景" },
  { name: "retire", label: "停用" },
];

export type BulkValues = Required<Omit<BulkChange, "retire">>;

export const EMPTY_BULK: Readonly<BulkValues> = Object.freeze({
  owner: "",
  business_type: "",
  effective_from: null,
  effective_to: null,
  review_on: null,
  audience: { companies: [], groups: [] },
  add_scenes: [],
  remove_scenes: [],
});

/** What is sent: the ticked fields and no others; a cleared date is null; to retire goes alone. */
export function changeOf(ticked: readonly BulkField[], values: BulkValues): BulkChange {
  if (ticked.includes("retire")) return { retire: true };
  const picked = ticked.map((name) => [name, values[name as keyof BulkValues] ?? null]);
  return Object.fromEntries(picked) as BulkChange;
}

/** What is still to be chosen before the change makes sense; '' when nothing is. A cleared date is a choice, an empty owner is not. */
export function problemOf(ticked: readonly BulkField[], values: BulkValues): string {
  if (!ticked.length) return "勾选要改的项目";
  if (ticked.includes("retire")) return "";
  for (const name of ticked) {
    const value = values[name as keyof BulkValues];
    if (value === "" || (Array.isArray(value) && !value.length)) {
      return `请选择${BULK_FIELDS.find((one) => one.name === name)!.label}`;
    }
  }
  const { effective_from: from, effective_to: to } = values;
  const both = ticked.includes("effective_from") && ticked.includes("effective_to");
  return both && from && to && from > to ? "失效日期早于生效日期" : "";
}

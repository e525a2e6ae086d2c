import type { Dimension, PolicyTable, TableCell, TableRow } from "./api/types";

/** How a table is laid out: one dimension down, one across, the rest chosen by switches. */
export interface Layout {
  rows: Dimension;
  columns: Dimension | null;
  switches: Dimension[];
}

const DIMENSIONS: Record<string, string> = {
  city: "城市",
  level: "人员级别",
  season: "季节",
  vehicle: "交通工具",
  region: "地区",
  item: "项目",
};

export const dimensionLabel = ({ label, name }: Dimension) => label ?? DIMENSIONS[name] ?? name;

/** The longest dimension goes down, the longest of the others across; a season is a switch whenever something else can go across. */
export function layoutOf(table: PolicyTable): Layout {
  const [rows, ...others] = [...table.dimensions].sort((a, b) => b.values.length - a.values.length);
  if (!rows) throw new Error(`table ${table.id} has no dimension`);
  const seasonal = (one: Dimension) => /季|season/i.test(`${one.name}${one.label ?? ""}`);
  const columns = others.find((one) => !seasonal(one)) ?? others[0] ?? null;
  return { rows, columns, switches: others.filter((one) => one !== columns) };
}

/** The row of the table at the given coordinates. One that leaves a dimension out holds for all its values; the most exact wins. */
export function rowAt(table: PolicyTable, at: Record<string, string>): TableRow | null {
  let best: TableRow | null = null;
  let exactness = -1;
  for (const row of table.rows) {
    let exact = 0;
    const fits = Object.entries(at).every(([name, value]) => {
      const own = row[name];
      if (own === undefined || own === null || own === "") return true;
      exact += 1;
      return String(own) === value;
    });
    if (fits && exact > exactness) {
      best = row;
      exactness = exact;
    }
  }
  return best;
}

/** 1200 → 1,200; words stay words; nothing is —. */
export function showCell(value: TableCell | undefined): string {
  if (value === null || value === undefined || value === "") return "—";
  return typeof value === "number" ? value.toLocaleString("zh-CN") : String(value);
}

/** `[7, 8, 9, 11, 12, 1, 2, 3]` → 7–9月、11–次年3月. */
export function showMonths(months: number[] = []): string {
  const runs: [number, number][] = [];
  for (const month of months) {
    const last = runs[runs.length - 1];
    if (last && month === (last[1] % 12) + 1) last[1] = month;
    else runs.push([month, month]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}月` : `${from}–${to < from ? "次年" : ""}${to}月`)).join("、");
}

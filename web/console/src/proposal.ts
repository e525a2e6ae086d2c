import type { PolicyTable, TableCell, TableRow } from "./api/types";
import type { FoundTable, TableProposal } from "./api/types-imports";

export type ColumnUse = "dimension" | "value" | "unused";

/** What one column of a found table is to become; `name` is the dimension's, or the value's along the dimension across. */
export interface ColumnPlan {
  column: number;
  header: string;
  use: ColumnUse;
  name: string;
}

export const ACROSS = "项目";

/** A proposal as one line a column, for a person to change. */
export function columnPlans({ header, proposal }: Pick<FoundTable, "header" | "proposal">): ColumnPlan[] {
  return header.map((text, column) => {
    const dimension = proposal.dimensions.find((one) => one.column === column);
    if (dimension) return { column, header: text, use: "dimension", name: dimension.name };
    const value = proposal.value_columns.find((one) => one.column === column);
    return { column, header: text, use: value ? "value" : "unused", name: value?.name ?? text };
  });
}

export function planned(plans: ColumnPlan[]): Pick<TableProposal, "dimensions" | "value_columns"> {
  const of = (use: ColumnUse) =>
    plans.filter((one) => one.use === use).map(({ column, name }) => ({ column, name: name.trim() }));
  return { dimensions: of("dimension"), value_columns: of("value") };
}

/** Why the table cannot be taken over like this, in words that say what to do; null when it can. */
export function problemOf(rows: string[][], { dimensions, value_columns: values }: TableProposal): string | null {
  if (!dimensions.length) return "请至少指定一列为维度，例如城市或人员级别。";
  if (!values.length) return "请至少指定一列为标准值，例如限额。";
  if ([...dimensions, ...values].some((one) => !one.name)) return "请给每个维度和标准值起名字。";
  const names = dimensions.map((one) => one.name);
  if (new Set(names).size < names.length) return "维度的名字不能重复。";
  if (new Set(values.map((one) => one.name)).size < values.length) return "标准值的名字不能重复。";
  const seen = new Map<string, string>();
  for (const row of rows) {
    const place = dimensions.map((one) => (row[one.column] ?? "").trim());
    const held = JSON.stringify(values.map((one) => (row[one.column] ?? "").trim()));
    if ((seen.get(JSON.stringify(place)) ?? held) !== held) {
      return `“${place.join("、")}”有不同的值：请再指定一列为维度，使每一行可以区分。`;
    }
    seen.set(JSON.stringify(place), held);
  }
  return null;
}

function cellOf(text: string): TableCell {
  const plain = text.replace(/[,，\s]/g, "");
  return plain && /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : text.trim() || null;
}

/** What goes across, dimension by dimension: 季节×人员级别 with 旺季×集团领导 stands for two. */
function acrossOf({ value_columns: values, value_dimension: named }: TableProposal): [string, string[]][] {
  if (values.length < 2) return [];
  const name = named?.trim() || ACROSS;
  const names = name.split("×").map((one) => one.trim());
  const parts = values.map((one) => one.name.split("×").map((part) => part.trim()));
  if (names.some((one) => !one) || parts.some((one) => one.length !== names.length)) {
    return [[name, values.map((one) => one.name)]];
  }
  return names.map((one, at) => [one, parts.map((part) => part[at]!)]);
}

/** The table of the knowledge base that would come out of it. */
export function pivoted(rows: string[][], settings: TableProposal): PolicyTable {
  const { dimensions, value_columns: values, unit } = settings;
  const across = acrossOf(settings);
  const at = (row: string[], column: number) => (row[column] ?? "").trim();
  const distinct = (found: string[]) => [...new Set(found.filter(Boolean))];
  const laid: TableRow[] = rows.flatMap((row) =>
    values.map((value, index) => ({
      ...Object.fromEntries(dimensions.map((one) => [one.name, at(row, one.column)])),
      ...Object.fromEntries(across.map(([name, names]) => [name, names[index]])),
      value: cellOf(at(row, value.column)),
    })),
  );
  return {
    id: settings.id ?? "",
    title: settings.title ?? "",
    unit,
    effective_from: null,
    source: null,
    dimensions: [
      ...dimensions.map((one) => ({ name: one.name, values: distinct(rows.map((row) => at(row, one.column))) })),
      ...across.map(([name, names]) => ({ name, values: distinct(names) })),
    ],
    rows: laid.filter((row) => row.value !== null),
  };
}

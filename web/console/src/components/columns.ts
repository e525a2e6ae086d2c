import { ElTableColumn, type TableColumnCtx } from "element-plus";

type Props = Partial<
  Pick<TableColumnCtx, "type" | "label" | "prop" | "width" | "minWidth" | "align" | "fixed" | "reserveSelection">
>;

export type ColumnOf<Row> = new () => {
  $props: Props;
  $slots: { default?: (scope: { row: Row; $index: number }) => unknown };
};

/** Element Plus' table column, whose cells know what a row is. */
export function columnOf<Row>(): ColumnOf<Row> {
  return ElTableColumn as unknown as ColumnOf<Row>;
}

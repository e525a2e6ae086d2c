import type { ArticleChange, ArticleChangeKind } from "./api/types-imports";
import { articleLabel } from "./labels";

type Tone = "primary" | "success" | "warning" | "danger" | "info";

export const CHANGES: Record<ArticleChangeKind, { label: string; tone: Tone }> = {
  changed: { label: "修改", tone: "warning" },
  added: { label: "新增", tone: "success" },
  removed: { label: "删除", tone: "danger" },
  unchanged: { label: "未变", tone: "info" },
};

export const articleName = ({ label, number }: Pick<ArticleChange, "label" | "number">) => label || articleLabel(number);

/** How many articles of each kind of change, kinds that do not occur left out. */
export function changeCounts(articles: ArticleChange[]): { change: ArticleChangeKind; label: string; count: number }[] {
  return (Object.keys(CHANGES) as ArticleChangeKind[])
    .map((change) => ({
      change,
      label: CHANGES[change].label,
      count: articles.filter((one) => one.change === change).length,
    }))
    .filter((one) => one.count > 0);
}

/** What is worth reading first: the changes, or everything when nothing is stored to compare with. */
export function firstShown(articles: ArticleChange[]): ArticleChangeKind[] {
  const changed = changeCounts(articles)
    .map((one) => one.change)
    .filter((one) => one !== "unchanged");
  return changed.length ? changed : ["unchanged"];
}

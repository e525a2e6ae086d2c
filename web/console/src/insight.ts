import { computed, type ComputedRef } from "vue";

import type { Asked, Figure, Unit } from "./api/insight";
import { useUrlFilter, type UrlFilter } from "./filters";
import { percent } from "./labels";
import { lastDays } from "./quality";

const NAMES = ["since", "until", "company", "department", "channel", "business_type", "page_name"] as const;
export type AskedName = (typeof NAMES)[number];

/** What a page of figures is asked for, kept in the address; the last 30 days where nothing is said. */
export function useAsked(): { asked: ComputedRef<Asked>; filter: UrlFilter<AskedName> } {
  const filter = useUrlFilter(NAMES);
  const asked = computed(() => {
    const { page_name, ...rest } = filter.values.value;
    const usual = lastDays(30);
    return { ...rest, page: page_name, since: rest.since || usual.start, until: rest.until || usual.end };
  });
  return { asked, filter };
}

/** A value as it is read; a dash where there is none. */
export function written(value: number | null | undefined, unit: Unit = "count"): string {
  if (value === null || value === undefined) return "—";
  if (unit === "share") return percent(value);
  if (unit === "ms") return value < 1000 ? `${Math.round(value)} 毫秒` : `${(value / 1000).toFixed(1)} 秒`;
  if (unit === "minutes") return value < 90 ? `${Math.round(value)} 分钟` : `${(value / 60).toFixed(1)} 小时`;
  if (unit === "score") return value.toFixed(2);
  return value.toLocaleString("zh-CN");
}

/** How a figure stands against the period before: its words, and whether that is good. */
export function change(figure: Figure): { text: string; tone: "good" | "bad" | "" } | null {
  const { value, before, unit, better } = figure;
  if (value === null || before === null || (unit !== "share" && before === 0)) return null;
  const grown = unit === "share" ? value - before : value / before - 1;
  if (Math.abs(grown) < 0.0005) return { text: "与上期持平", tone: "" };
  const size = `${(Math.abs(grown) * 100).toFixed(1)}`;
  const text = `较上期${grown > 0 ? "升" : "降"} ${size}${unit === "share" ? " 个百分点" : "%"}`;
  return { text, tone: better === "" ? "" : (better === "up") === grown > 0 ? "good" : "bad" };
}

/** Fen as yuan. */
export const yuan = (fen: number): string =>
  (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

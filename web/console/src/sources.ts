import type { Source } from "./api/types";

export type SourceKind = "policy" | "table" | "regulation";

export const SOURCE_KINDS: readonly { value: SourceKind; label: string }[] = [
  { value: "policy", label: "制度条款" },
  { value: "table", label: "标准表" },
  { value: "regulation", label: "法规" },
];

/** Told by which of the three fields is set at all, if only to ''. */
export function kindOf(source: Source): SourceKind {
  if (typeof source.table === "string") return "table";
  return typeof source.regulation === "string" || (source.label && source.policy == null) ? "regulation" : "policy";
}

/** An empty source of a kind; the quote is kept, the label belongs to what was picked before. */
export function sourceOf(kind: SourceKind, before: Source = {}): Source {
  return {
    label: "",
    policy: kind === "policy" ? "" : null,
    article: null,
    table: kind === "table" ? "" : null,
    regulation: kind === "regulation" ? "" : null,
    quote: before.quote ?? null,
  };
}

/** As it is sent: what was not picked is null, a regulation without a label of its own is its own label. */
export function tidySource(source: Source): Source {
  const text = (value: string | null | undefined) => value?.trim() || null;
  return {
    label: text(source.label) ?? text(source.regulation) ?? "",
    policy: text(source.policy),
    article: source.policy ? (source.article ?? null) : null,
    table: text(source.table),
    regulation: text(source.regulation),
    quote: text(source.quote),
  };
}

export const isBlank = (source: Source) =>
  ![source.label, source.policy, source.table, source.regulation, source.quote].some((value) => value?.trim());

import type { DiffLine, FieldDiff } from "./api/types-care";

export type Piece = { text: string; changed: boolean };
export type Shown = { op: " " | "+" | "-"; pieces: Piece[] } | { op: "…"; count: number };

const AROUND = 2;

/** Unchanged lines far from any change are folded into one `…`; within a changed line what changed is marked. */
export function shownLines(lines: readonly DiffLine[], around = AROUND): Shown[] {
  const far = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).every((line) => line.op === " "),
  );
  const partners = pairs(lines);
  const shown: Shown[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    let count = 0;
    while (far[at + count]) count += 1;
    if (count > 1) {
      shown.push({ op: "…", count });
      at += count - 1;
      continue;
    }
    const { op, text } = lines[at]!;
    const other = partners.get(at);
    const pieces = other === undefined ? [{ text, changed: op !== " " }] : marked(text, lines[other]!.text);
    shown.push({ op, pieces });
  }
  return shown;
}

/** A run of removed lines and the run of added ones after it belong together, line by line. */
function pairs(lines: readonly DiffLine[]): Map<number, number> {
  const found = new Map<number, number>();
  let at = 0;
  while (at < lines.length) {
    if (lines[at]!.op !== "-") {
      at += 1;
      continue;
    }
    const removed = at;
    while (lines[at]?.op === "-") at += 1;
    const added = at;
    while (lines[at]?.op === "+") at += 1;
    for (let k = 0; k < Math.min(added - removed, at - added); k += 1) {
      if (!alike(lines[removed + k]!.text, lines[added + k]!.text)) continue;
      found.set(removed + k, added + k);
      found.set(added + k, removed + k);
    }
  }
  return found;
}

function edges(a: string, b: string): [number, number] {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [start, end];
}

function alike(a: string, b: string): boolean {
  const [start, end] = edges(a, b);
  return (start + end) * 3 >= Math.max(a.length, b.length);
}

function marked(text: string, other: string): Piece[] {
  const [start, end] = edges(text, other);
  const pieces = [
    { text: text.slice(0, start), changed: false },
    { text: text.slice(start, text.length - end), changed: true },
    { text: text.slice(text.length - end), changed: false },
  ];
  return pieces.filter((piece) => piece.text);
}

/** The lines of a field: as the gateway compared them, else the value before and the value after. */
export function linesOfField(field: FieldDiff): DiffLine[] {
  if (field.lines?.length) return field.lines;
  const before = valueText(field.before);
  const after = valueText(field.after);
  if (before === after) return [];
  return [
    ...(before ? [{ op: "-", text: before } as const] : []),
    ...(after ? [{ op: "+", text: after } as const] : []),
  ];
}

export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(valueText).filter(Boolean).join("、");
  if (typeof value === "object") {
    const { label, companies, groups } = value as { label?: string; companies?: string[]; groups?: string[] };
    if (label) return label;
    if (companies || groups) return audienceText({ companies: companies ?? [], groups: groups ?? [] });
    return JSON.stringify(value);
  }
  return String(value);
}

export function audienceText(audience: { companies?: string[]; groups?: string[] } | null | undefined): string {
  const { companies = [], groups = [] } = audience ?? {};
  if (!companies.length && !groups.length) return "所有人（含未登录访客）";
  return [companies.length && `公司：${companies.join("、")}`, groups.length && `人员组：${groups.join("、")}`]
    .filter(Boolean)
    .join("；并且");
}

/** A text and what is selected in it, as a text area has them. */
export interface Selected {
  text: string;
  start: number;
  end: number;
}

/** Puts `mark` around what is selected, or takes it off; without a selection `placeholder` is put between the marks. */
export function wrapped({ text, start, end }: Selected, mark: string, placeholder: string): Selected {
  const inside = text.slice(start, end);
  const outer = text.slice(Math.max(0, start - mark.length), start) === mark && text.slice(end, end + mark.length) === mark;
  if (outer) {
    const made = text.slice(0, start - mark.length) + inside + text.slice(end + mark.length);
    return { text: made, start: start - mark.length, end: end - mark.length };
  }
  const put = inside || placeholder;
  const made = text.slice(0, start) + mark + put + mark + text.slice(end);
  return { text: made, start: start + mark.length, end: start + mark.length + put.length };
}

/** Makes list items of the selected lines, or plain lines of list items. Steps are counted. */
export function listed({ text, start, end }: Selected, kind: "bullets" | "steps"): Selected {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", Math.max(start, end - 1));
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split("\n");
  const sign = kind === "steps" ? /^\d+\.\s+/ : /^[-*]\s+/;
  const all = lines.every((line) => !line.trim() || sign.test(line)) && lines.some((line) => sign.test(line));
  let n = 0;
  const made = lines
    .map((line) => {
      const bare = line.replace(/^(?:\d+\.|[-*])\s+/, "");
      if (all) return bare;
      if (!line.trim() && lines.length > 1) return line;
      n += 1;
      return `${kind === "steps" ? `${n}.` : "-"} ${bare}`;
    })
    .join("\n");
  return { text: text.slice(0, from) + made + text.slice(to), start: from, end: from + made.length };
}

/** `[selected](https://)`, the address selected, ready to be typed over. */
export function linked({ text, start, end }: Selected): Selected {
  const label = text.slice(start, end) || "链接文字";
  const address = "https://";
  const made = `${text.slice(0, start)}[${label}](${address})${text.slice(end)}`;
  const at = start + label.length + 3;
  return { text: made, start: at, end: at + address.length };
}

const BULLET = /^[ 　]*[•·●○▪◦■◆➢\u2013\uf06c\uf0b7\uf0d8][\t ]+/;
const NUMBER = /^[ 　]*(\d{1,3})[.．、)）]\t/;
const cellsOf = (line: string) => line.split("\t").map((cell) => cell.trim().replace(/\|/g, "\\|"));

/** What Word and Excel put on the clipboard, as Markdown: cells between tabs become a table, their list marks ours. */
export function fromOffice(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
  const made: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!.replace(BULLET, "- ").replace(NUMBER, "$1. ");
    const width = cellsOf(line).length;
    let end = at + 1;
    while (width > 1 && end < lines.length && cellsOf(lines[end]!).length === width) end += 1;
    if (end - at < 2) {
      made.push(line);
      continue;
    }
    const rows = lines.slice(at, end).map((one) => `| ${cellsOf(one).join(" | ")} |`);
    if (made.length && made[made.length - 1]) made.push("");
    made.push(rows[0]!, `|${" --- |".repeat(width)}`, ...rows.slice(1));
    if (end < lines.length && lines[end]) made.push("");
    at = end - 1;
  }
  return made.join("\n");
}

import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });
const ALLOWED_TAGS = [
  ...["p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img"],
  ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "mark"],
];
const ALLOWED_ATTR = ["href", "title", "src", "alt", "start", "align"];

/**
 * Markdown to HTML that is safe to insert, whoever wrote it: raw HTML is shown as text, scripts and odd protocols are
 * dropped, links leave in a tab of their own. Occurrences of `highlight` are wrapped in `<mark>`.
 */
export function renderMarkdown(text: string, highlight = ""): string {
  const body = DOMPurify.sanitize(markdown.render(text), {
    ALLOWED_TAGS,
    ALLOWED_ATTR,
    RETURN_DOM: true,
  }) as HTMLElement;
  for (const link of body.querySelectorAll("a")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  for (const image of body.querySelectorAll("img")) {
    image.setAttribute("loading", "lazy");
    image.setAttribute("referrerpolicy", "no-referrer");
  }
  if (highlight) mark(body, highlight.toLowerCase());
  return body.innerHTML;
}

/** Markdown as words alone, for an excerpt or a table's cell. */
export function withoutMarks(text: string): string {
  return text.replace(/\*\*|`/g, "").replace(/^\s*(#+|[-*>])\s+/gm, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}

function mark(node: Node, wanted: string): void {
  for (const child of [...node.childNodes]) {
    if (child.nodeType !== Node.TEXT_NODE) {
      mark(child, wanted);
      continue;
    }
    const text = child.textContent ?? "";
    const pieces: Node[] = [];
    let from = 0;
    for (let at = text.toLowerCase().indexOf(wanted); at >= 0; at = text.toLowerCase().indexOf(wanted, from)) {
      const found = document.createElement("mark");
      found.textContent = text.slice(at, at + wanted.length);
      pieces.push(document.createTextNode(text.slice(from, at)), found);
      from = at + wanted.length;
    }
    if (pieces.length) {
      pieces.push(document.createTextNode(text.slice(from)));
      child.replaceWith(...pieces);
    }
  }
}

type Props = Record<string, unknown>;
export type Child = Node | string | null | undefined | false;

/**
 * Makes an element. A prop that is a function listens (`onclick`), `class` and every other prop becomes an attribute;
 * `true` is an empty attribute, `false`, `null` and `undefined` are none. Text is only ever text.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child instanceof Node || (typeof child === "string" && child !== "")));
  return element;
}

const ICONS = {
  chat: "M4 4h16a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H9l-5 4v-4H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8 9h8M8 12.5h5",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-6 16-3-6.5L4 12zM11 13.5L20 4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0",
  ticket: "M4 7h16v3.5a1.8 1.8 0 0 0 0 3.5V17H4v-3a1.8 1.8 0 0 0 0-3.5V7zM14 7.5v9",
  up: "M7 11v9H4v-9h3zm0 0l4-8c1.5 0 2.2 1 2 2.4L12.500 9H19l-1.500 9.500A2 2 0 0 1 15.500 20H7",
  down: "M7 13V4H4v9h3zm0 0l4 8c1.5 0 2.2-1 2-2.4L12.500 15H19l-1.500-9.500A2 2 0 0 0 15.500 4H7",
  arrow: "M9 6l6 6-6 6",
  back: "M15 6l-6 6 6 6",
  clip: "M8 12.5l6-6a3 3 0 0 1 4.200 4.200l-7.500 7.500a5 5 0 0 1-7-7L11 4",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  source: "M6 3h9l4 4v14H6V3zM14 3v5h5M9 12h7M9 16h7",
  bottom: "M12 5v14M6 13l6 6 6-6",
} as const;

export type IconName = keyof typeof ICONS;

const SVG = "http://www.w3.org/2000/svg";

/** A line icon, 1em square, hidden from screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

import type { Conversation } from "../chat/conversation";
import type { Line } from "../chat/thread";
import type { Actions } from "./actions";
import { h, icon } from "./dom";
import { lineBody, lineTail, speaker } from "./line";
import type { Interaction } from "./options";
import { instant, shortTime } from "./time";

/** Types that ask for one answer; the buttons of the others stay useful. */
const ASKED_ONCE: ReadonlySet<string> = new Set(["choices", "question", "summary", "notice"]);
const PAUSE_SHOWN = 5 * 60_000;
const NEAR_END = 80;
const TOP_MARGIN = 12;

interface Drawn {
  element: HTMLElement;
  body: HTMLElement;
  tail: HTMLElement | null;
  bodySignature: string;
  tailSignature: string;
}

/** The list of messages. Draws anew only what changed, so that focus, selection and screen readers are left alone. */
export class MessageLog {
  readonly element: HTMLElement;
  private readonly list = h("div", { class: "lines", role: "log", "aria-live": "polite", "aria-label": "对话消息" });
  private readonly typing: HTMLElement;
  private readonly toEnd: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly drawn = new Map<string, Drawn>();
  private follow = true;
  private lastKey: string | null = null;

  constructor(
    intro: HTMLElement,
    private readonly actions: Actions,
    /** Called when the focused button has gone. */
    private readonly refocus: () => void,
  ) {
    this.typing = h(
      "div",
      { class: "typing", role: "status", hidden: true },
      h("span", { class: "sr-only" }, "对方正在输入"),
      ...[1, 2, 3].map(() => h("i", { "aria-hidden": "true" })),
    );
    this.scroller = h(
      "div",
      { class: "scroller", tabindex: "0", role: "region", "aria-label": "消息记录", onscroll: () => this.scrolled() },
      intro,
      this.list,
      this.typing,
    );
    this.toEnd = h(
      "button",
      { type: "button", class: "to-end", hidden: true, onclick: () => this.scrollToEnd() },
      icon("bottom"),
      h("span", {}, "新消息"),
    );
    this.element = h("div", { class: "log" }, this.scroller, this.toEnd);
  }

  render(conversation: Conversation): void {
    const { lines } = conversation;
    const lastSaid = lines.reduce((last, line, index) => (isFromUser(line) ? index : last), -1);
    const firstMissed = missedFrom(lines, conversation.missedAfter);
    let previous: Line | null = null;
    let cursor: ChildNode | null = this.list.firstChild;
    const seen = new Set<string>();
    lines.forEach((line, index) => {
      const drawn = this.draw(line, previous, interactionOf(line, index > lastSaid, conversation, lines, index));
      this.separate(drawn.element, line.key === firstMissed);
      if (drawn.element === cursor) cursor = cursor.nextSibling;
      else this.list.insertBefore(drawn.element, cursor);
      seen.add(line.key);
      previous = line;
    });
    for (const [key, drawn] of this.drawn) {
      if (seen.has(key)) continue;
      drawn.element.remove();
      this.drawn.delete(key);
    }
    this.typing.hidden = !conversation.typing;

    const last = lines.at(-1);
    const grown = last !== undefined && last.key !== this.lastKey;
    if (grown) {
      if (last.kind === "said") this.follow = true;
      else if (!this.follow) this.toEnd.hidden = false;
      this.lastKey = last.key;
    }
    const answered = last?.kind === "received" && last.message.from === "bot" && last.message.type !== "notice";
    if (this.follow && grown && answered && lastSaid >= 0) this.scrollToReply(lines[lastSaid]!);
    else if (this.follow) this.scrollToEnd();
  }

  scrollToEnd(): void {
    this.follow = true;
    this.toEnd.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** To the end, but not past the question: a long reply is read from its beginning. */
  private scrollToReply(question: Line): void {
    const top = (this.drawn.get(question.key)?.element.offsetTop ?? Infinity) - TOP_MARGIN;
    this.scroller.scrollTop = Math.min(top, this.scroller.scrollHeight - this.scroller.clientHeight);
  }

  private draw(line: Line, previous: Line | null, interaction: Interaction): Drawn {
    const bodySignature = JSON.stringify(line.kind === "said" ? line.label : bodyOf(line));
    const tailSignature = JSON.stringify([line.kind === "said" ? [line.state, line.error?.message] : line.message, interaction]);
    let drawn = this.drawn.get(line.key);
    if (!drawn) {
      const body = lineBody(line, this.actions);
      drawn = { element: h("article"), body, tail: null, bodySignature, tailSignature: "" };
      drawn.element.append(body);
      this.drawn.set(line.key, drawn);
    } else if (drawn.bodySignature !== bodySignature) {
      const body = lineBody(line, this.actions);
      drawn.body.replaceWith(body);
      drawn.body = body;
      drawn.bodySignature = bodySignature;
    }
    this.decorate(drawn.element, line, previous);
    if (drawn.tailSignature !== tailSignature) {
      this.replaceTail(drawn, lineTail(line, interaction, this.actions));
      drawn.tailSignature = tailSignature;
    }
    return drawn;
  }

  private decorate(element: HTMLElement, line: Line, previous: Line | null): void {
    const from = line.kind === "said" ? "user" : line.message.from;
    const name = line.kind === "received" && from !== "user" ? speaker(line.message) : "我";
    const nameShown = name !== "" && from !== "user" && (!previous || isFromUser(previous) || nameOf(previous) !== name);
    const at = timeOf(line);
    const timeShown = !previous || at - timeOf(previous) > PAUSE_SHOWN;
    const notice = line.kind === "received" && line.message.type === "notice";
    element.className = `line ${from}${notice ? " notice" : ""}`;
    element.setAttribute("aria-label", `${name || "提示"} ${shortTime(at)}`);
    element.toggleAttribute("data-named", nameShown);
    if (nameShown) element.dataset.name = name;
    else delete element.dataset.name;
    if (timeShown) element.dataset.time = shortTime(at);
    else delete element.dataset.time;
  }

  /** 以下是新消息, above what was said while the employee was away. */
  private separate(element: HTMLElement, missed: boolean): void {
    const separator = element.querySelector(":scope > .separator");
    if (missed && !separator) element.prepend(h("p", { class: "separator", role: "separator" }, "以下是新消息"));
    else if (!missed) separator?.remove();
  }

  private replaceTail(drawn: Drawn, tail: HTMLElement | null): void {
    const root = this.element.getRootNode() as ShadowRoot | Document;
    const focused = drawn.tail && root.activeElement && drawn.tail.contains(root.activeElement) ? root.activeElement : null;
    const focusKey = (focused as HTMLElement | null)?.dataset.focus;
    drawn.tail?.remove();
    if (tail) {
      tail.setAttribute("aria-live", "off");
      drawn.element.append(tail);
    }
    drawn.tail = tail;
    if (!focused) return;
    const next = tail && [...tail.querySelectorAll<HTMLElement>("[data-focus]")].find((e) => e.dataset.focus === focusKey);
    if (next && !next.hasAttribute("disabled")) next.focus();
    else this.refocus();
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.follow = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.follow) this.toEnd.hidden = true;
  }
}

function interactionOf(line: Line, latest: boolean, conversation: Conversation, lines: Line[], index: number): Interaction {
  if (line.kind === "said") return { active: false, chosen: null };
  const { message } = line;
  const chosen = conversation.choiceMade(message.id) ?? chosenByNext(message.options ?? [], lines[index + 1]);
  const once = ASKED_ONCE.has(message.type);
  return { active: !once || latest, chosen: once ? chosen : null };
}

/** After a reload the choice is only known from what was said next. */
function chosenByNext(options: { label: string; choice: string }[], next: Line | undefined): string | null {
  if (!next || !isFromUser(next)) return null;
  const said = next.kind === "said" ? next.label : next.message.text;
  return options.find((option) => option.label === said)?.choice ?? null;
}

function missedFrom(lines: Line[], after: number | null): string | null {
  if (after === null) return null;
  const first = lines.find((line) => line.kind === "received" && line.message.seq > after && line.message.from !== "user");
  return first?.key ?? null;
}

function isFromUser(line: Line): boolean {
  return line.kind === "said" || line.message.from === "user";
}

function nameOf(line: Line): string {
  return line.kind === "said" ? "我" : speaker(line.message);
}

function timeOf(line: Line): number {
  return line.kind === "said" ? line.at : instant(line.message.at);
}

function bodyOf({ message }: Line & { kind: "received" }): unknown {
  if (message.from === "user") return message.text;
  return message.type === "answer"
    ? [message.text, message.title, message.sources, message.effective_from]
    : [message.type, message.text];
}

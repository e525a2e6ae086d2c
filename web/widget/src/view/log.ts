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
const NEAR_END = 24;
const TOP_MARGIN = 12;
/** A question that takes more of the log than this is not shown once more above its answer. */
const QUESTION_SHARE = 1 / 3;

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
  private readonly toEndLabel = h("span");
  private readonly scroller: HTMLElement;
  private readonly drawn = new Map<string, Drawn>();
  private follow = true;
  private lastKey: string | null = null;
  /** Whether something arrived below while the employee read further up. */
  private unseen = false;
  /** Where this log itself has scrolled to. */
  private placed = -1;
  /** A part that the employee has just opened. */
  private opened: HTMLElement | null = null;

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
      this.toEndLabel,
    );
    this.element = h("div", { class: "log" }, this.scroller, this.toEnd);
  }

  render(conversation: Conversation): void {
    const { lines } = conversation;
    const lastSaid = lines.reduce((last, line, index) => (isFromUser(line) ? index : last), -1);
    const firstMissed = missedFrom(lines, conversation.missedAfter);
    const fresh = lines.findIndex((line, index) => index > lastSaid && !this.drawn.has(line.key));
    const spoken = lines.reduce((last, line, index) => (index > lastSaid && isFromAgent(line) ? index : last), -1);
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
    const opened = this.lastKey === null;
    const start = opened ? openingOf(lines, firstMissed, spoken, lastSaid) : unreadOf(lines, fresh, spoken);
    if (last && last.key !== this.lastKey && isFromUser(last)) this.scrollToEnd();
    else if (this.follow && start) this.readFrom(start, lines[lastSaid]);
    else if (this.follow) this.scrollToEnd();
    else if (fresh >= 0) this.unseen = true;
    this.lastKey = last?.key ?? null;
    this.reveal();
    this.offerEnd();
  }

  /** The dialog was opened: the next drawing shows what is unread from its beginning. */
  show(): void {
    this.follow = true;
    this.lastKey = null;
  }

  private scrollToEnd(): void {
    this.follow = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.placed = this.scroller.scrollTop;
    this.offerEnd();
  }

  /** To the end, but not past `line`: it is read from its beginning, below the question where that is short. */
  private readFrom(line: Line, question: Line | undefined): void {
    const top = this.topOf(line);
    const asked = question ? this.topOf(question) : top;
    const near = asked <= top && top - asked <= this.scroller.clientHeight * QUESTION_SHARE;
    const from = near ? asked : top;
    const end = this.scroller.scrollHeight - this.scroller.clientHeight;
    this.follow = from >= end;
    this.scroller.scrollTop = Math.min(from, end);
    this.placed = this.scroller.scrollTop;
  }

  private topOf(line: Line): number {
    return (this.drawn.get(line.key)?.element.offsetTop ?? Infinity) - TOP_MARGIN;
  }

  /** What the employee has opened, such as the reasons below 没用, is brought into sight. */
  private reveal(): void {
    if (!this.opened) return;
    const hidden = this.opened.offsetTop + this.opened.offsetHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    if (hidden > 0) this.scroller.scrollTop += hidden;
    this.opened = null;
  }

  private offerEnd(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (atEnd) this.unseen = false;
    this.toEnd.hidden = atEnd;
    const label = this.unseen ? "新消息" : "到底部";
    if (this.toEndLabel.textContent !== label) this.toEndLabel.textContent = label;
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
    if (drawn.tail && !drawn.tail.querySelector(".reasons") && tail?.querySelector(".reasons")) this.opened = drawn.element;
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
    if (scrollTop !== this.placed) this.follow = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.offerEnd();
  }
}

/** The first line that was missed; else what an agent said last, or what came after the employee's last words. */
function openingOf(lines: Line[], missed: string | null, spoken: number, lastSaid: number): Line | undefined {
  const unread = missed === null ? undefined : lines.find((line) => line.key === missed);
  return unread ?? (spoken >= 0 ? lines[spoken] : lastSaid >= 0 ? lines[lastSaid + 1] : undefined);
}

/** The first new line; but what an agent said is not scrolled away by what follows it, such as the question how it was. */
function unreadOf(lines: Line[], fresh: number, spoken: number): Line | undefined {
  return fresh < 0 ? undefined : lines[spoken >= 0 ? Math.min(spoken, fresh) : fresh];
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

function isFromAgent(line: Line): boolean {
  return line.kind === "received" && line.message.from === "agent";
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

import type { Conversation } from "../chat/conversation";
import type { PageContext } from "../chat/message";
import type { Actions } from "./actions";
import { Composer } from "./composer";
import { h, icon } from "./dom";
import { Intro } from "./intro";
import { MessageLog } from "./log";
import { StatusBar } from "./status";
import { TalkBar } from "./talk";
import { TicketPanel } from "./tickets";

const PHONE = "(max-width: 639px)";

/** The dialog with the desk. */
export class Panel {
  readonly element: HTMLElement;
  readonly composer: Composer;
  private readonly intro: Intro;
  private readonly log: MessageLog;
  private readonly status: StatusBar;
  private readonly talk: TalkBar;
  private readonly tickets: TicketPanel;
  private readonly person: HTMLElement;
  /** The ticket that an agent talks about. */
  private number: string | null = null;
  private readonly place = h("span", { class: "place", hidden: true });
  private readonly phone = matchMedia(PHONE);

  constructor(private readonly actions: Actions) {
    this.composer = new Composer(
      (text) => actions.say({ label: text, text }),
      (files) => {
        if (this.number) void actions.tickets.send(this.number, files);
      },
    );
    this.intro = new Intro(actions);
    this.log = new MessageLog(this.intro.greeting, actions, () => this.focus());
    this.status = new StatusBar(actions);
    this.talk = new TalkBar(actions);
    this.tickets = new TicketPanel(actions, () => this.focus());
    this.person = this.quick("person", "转人工", () => actions.say({ label: "转人工", choice: "handoff" }));
    this.element = h(
      "section",
      {
        class: "panel",
        role: "dialog",
        "aria-labelledby": "title",
        hidden: true,
        onkeydown: (event: KeyboardEvent) => this.keydown(event),
      },
      h(
        "header",
        {},
        h("span", { class: "logo" }, icon("chat")),
        h("div", { class: "heading" }, h("h2", { id: "title" }, "财务共享客服"), this.place),
        h("button", { type: "button", class: "close", "aria-label": "关闭客服窗口", onclick: () => actions.close() }, icon("close")),
      ),
      this.status.element,
      this.talk.element,
      this.log.element,
      h(
        "footer",
        {},
        h(
          "div",
          { class: "shortcuts" },
          h(
            "div",
            { class: "quick", role: "group", "aria-label": "快捷操作" },
            this.person,
            this.quick("ticket", "我的工单", () => actions.tickets.show()),
          ),
          this.intro.strip,
        ),
        this.composer.element,
      ),
      this.tickets.element,
    );
    window.visualViewport?.addEventListener("resize", this.fitKeyboard);
  }

  render(conversation: Conversation, context: PageContext, label: string | null): void {
    this.renderPlace(conversation, context, label);
    this.intro.render(conversation);
    this.status.render(conversation);
    this.talk.render(conversation);
    this.log.render(conversation);
    this.tickets.render();
    // What 我的工单 covers is out of reach for keys and screen readers, too.
    for (const part of this.element.children) {
      if (part !== this.tickets.element) part.toggleAttribute("inert", this.actions.tickets.shown);
    }
    this.person.hidden = conversation.withAgent;
    if (conversation.withAgent) this.intro.strip.hidden = true;
    this.number = conversation.standing?.number ?? null;
    this.composer.uploading = this.actions.tickets.busy === "attach";
    this.composer.listener = conversation.withAgent ? (conversation.standing?.agent ?? "人工客服") : null;
  }

  show(): void {
    this.element.hidden = false;
    this.element.setAttribute("aria-modal", String(this.phone.matches));
    this.fitKeyboard();
    this.log.show();
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** Into the composer; on a phone only onto the dialog, so that the keyboard does not cover the greeting. */
  focus(): void {
    if (matchMedia("(pointer: coarse)").matches) this.element.querySelector<HTMLElement>(".scroller")?.focus({ preventScroll: true });
    else this.composer.focus();
  }

  dispose(): void {
    window.visualViewport?.removeEventListener("resize", this.fitKeyboard);
  }

  private quick(name: "person" | "ticket", text: string, press: () => void): HTMLElement {
    return h("button", { type: "button", onclick: press }, icon(name), text);
  }

  private renderPlace(conversation: Conversation, context: PageContext, label: string | null): void {
    const told = [conversation.suggestions?.page_label, conversation.suggestions?.node_label].filter(Boolean).join(" · ");
    const text = [label || told, context.document_no].filter(Boolean).join(" · ");
    this.place.hidden = !text;
    if (this.place.textContent !== text) {
      this.place.textContent = text;
      this.place.title = `当前页面：${text}`;
    }
  }

  private keydown(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) {
      event.stopPropagation();
      if (this.actions.tickets.shown) this.tickets.leave();
      else this.actions.close();
    } else if (event.key === "Tab" && this.phone.matches) this.keepFocus(event);
  }

  /** On a phone the dialog covers the page: Tab goes round inside it. */
  private keepFocus(event: KeyboardEvent): void {
    const stops = [...this.element.querySelectorAll<HTMLElement>("button:not([disabled]), a[href], textarea, input, [tabindex='0']")].filter(
      (stop) => stop.getClientRects().length > 0 && !stop.closest("[inert]"),
    );
    const active = (this.element.getRootNode() as ShadowRoot).activeElement;
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (active !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
  }

  private readonly fitKeyboard = (): void => {
    const height = window.visualViewport?.height;
    if (height) this.element.style.setProperty("--visible-height", `${height}px`);
  };
}

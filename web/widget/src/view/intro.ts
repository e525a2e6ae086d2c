import type { Conversation } from "../chat/conversation";
import type { Suggestions } from "../chat/message";
import type { Actions } from "./actions";
import { h, icon } from "./dom";

/** The greeting of the page with its hot questions, before anything was said; a strip of them afterwards. */
export class Intro {
  /** Stands before the first message. */
  readonly greeting = h("div", { class: "intro", hidden: true });
  /** Stands above the composer. */
  readonly strip = h("div", { class: "strip", hidden: true });
  private signature = "";

  constructor(private readonly actions: Actions) {}

  render(conversation: Conversation): void {
    const { suggestions, loaded } = conversation;
    const empty = conversation.lines.length === 0;
    this.greeting.hidden = !(suggestions && empty && loaded);
    this.strip.hidden = !(suggestions && !empty && suggestions.items.length > 0);
    const signature = JSON.stringify(suggestions);
    if (!suggestions || signature === this.signature) return;
    this.signature = signature;

    const text = h("div", { class: "markdown" });
    text.append(this.actions.render(suggestions.greeting));
    this.greeting.replaceChildren(
      h("article", { class: "line bot", "data-named": true, "data-name": "智能客服" }, h("div", { class: "bubble" }, text)),
      suggestions.items.length > 0 ? h("div", { class: "caption" }, "大家常问") : "",
      h("ul", { class: "options list", "aria-label": "常见问题" }, ...this.questions(suggestions.items, true)),
    );
    this.strip.replaceChildren(
      h("ul", { "aria-label": "本页常问" }, ...this.questions(suggestions.items, false)),
    );
  }

  private questions(items: Suggestions["items"], asList: boolean): HTMLElement[] {
    return items.map(({ entry_id, title }) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            title: asList ? null : title,
            onclick: () => this.actions.say({ label: title, choice: `entry:${entry_id}` }),
          },
          h("span", {}, title),
          asList && icon("arrow"),
        ),
      ),
    );
  }
}

import type { Conversation } from "../chat/conversation";
import type { Actions } from "./actions";
import { h, icon } from "./dom";

/** Tells that a person talks, over which ticket, and how to get the bot back. */
export class TalkBar {
  readonly element = h("div", { class: "talk-bar", hidden: true });
  private shown = "";

  constructor(private readonly actions: Actions) {}

  render(conversation: Conversation): void {
    const { standing, withAgent } = conversation;
    const shown = withAgent ? `${standing?.agent}|${standing?.number}` : "";
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.hidden = !withAgent;
    const number = standing?.number;
    this.element.replaceChildren(
      icon("person"),
      h(
        "span",
        {},
        h("b", {}, standing?.agent ?? "人工客服"),
        " 正在为您服务",
        number
          ? h("button", { type: "button", class: "link", onclick: () => this.actions.tickets.show(number) }, number)
          : "",
      ),
      h(
        "button",
        { type: "button", class: "back-to-bot", onclick: () => this.actions.say({ label: "回到机器人", choice: "bot" }) },
        "回到机器人",
      ),
    );
  }
}

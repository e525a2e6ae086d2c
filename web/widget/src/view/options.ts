import type { Message, Option } from "../chat/message";
import type { Actions } from "./actions";
import { h, icon } from "./dom";

/** The state of a message that its buttons depend on. */
export interface Interaction {
  /** False once the conversation has gone on: the buttons stay visible but do nothing. */
  active: boolean;
  /** The choice that was made, if it was made here. */
  chosen: string | null;
}

const NONE = "none";

/** Buttons of a message: a list for choices and follow-ups, chips for the quick values of a question. */
export function optionButtons(
  message: Message,
  options: Option[],
  interaction: Interaction,
  actions: Actions,
): HTMLElement | null {
  if (options.length === 0) return null;
  const asList = message.type === "choices" || message.type === "answer";
  const label = message.type === "answer" ? "相关问题" : "请选择";
  const list = h(
    "ul",
    { class: asList ? "options list" : "options chips", "aria-label": label },
    ...options.map((option) => h("li", {}, optionButton(message, option, interaction, actions, asList))),
  );
  if (message.type !== "answer") return list;
  return h("div", { class: "follow-ups" }, h("div", { class: "caption", "aria-hidden": "true" }, "相关问题"), list);
}

function optionButton(
  message: Message,
  option: Option,
  interaction: Interaction,
  actions: Actions,
  asList: boolean,
): HTMLElement {
  const chosen = interaction.chosen === option.choice;
  return h(
    "button",
    {
      type: "button",
      class: [option.choice === NONE ? "none" : "", chosen ? "chosen" : ""].join(" ").trim() || null,
      disabled: !interaction.active,
      "aria-pressed": chosen ? "true" : null,
      "data-focus": `option:${option.choice}`,
      onclick: () => actions.say({ label: option.label, choice: option.choice }, message.id),
    },
    h("span", {}, option.label),
    asList && option.choice !== NONE && icon("arrow"),
  );
}

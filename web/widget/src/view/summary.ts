import type { Option, SummaryField, SummaryMessage } from "../chat/message";
import type { Actions } from "./actions";
import { h } from "./dom";
import { optionButtons, type Interaction } from "./options";

/** The ticket form before it is filed: its fields, each with 修改, then 提交 and 取消. */
export function summaryCard(message: SummaryMessage, interaction: Interaction, actions: Actions): HTMLElement {
  const fields = message.fields ?? [];
  const options = message.options ?? [];
  const corrections = new Map(fields.map((field) => [field.field, correction(field, options)]));
  const ownOptions = new Set([...corrections.values()].map((option) => option.choice));
  const rest = options.filter((option) => !ownOptions.has(option.choice));
  return h(
    "div",
    { class: "card" },
    h(
      "dl",
      { class: "fields" },
      ...fields.map((field) => {
        const option = corrections.get(field.field)!;
        return h(
          "div",
          { class: "field" },
          h("dt", {}, field.label),
          h("dd", { class: field.value ? null : "empty" }, field.value || "未填写"),
          h(
            "dd",
            { class: "correct" },
            h(
              "button",
              {
                type: "button",
                class: "link",
                disabled: !interaction.active,
                "aria-label": `修改${field.label}`,
                "data-focus": `option:${option.choice}`,
                onclick: () =>
                  actions.say(
                    option.choice ? { label: option.label, choice: option.choice } : { label: option.label, text: option.label },
                    message.id,
                  ),
              },
              "修改",
            ),
          ),
        );
      }),
    ),
    optionButtons(message, rest, interaction, actions),
  );
}

/** The option that reopens a field: named by the server, found among the options, or said in words. */
function correction(field: SummaryField, options: Option[]): Option {
  const label = `修改${field.label}`;
  if (field.choice) return { label, choice: field.choice };
  const found = options.find(
    (option) => option.label === label || option.choice.split(":").includes(field.field) || option.choice === `say:${label}`,
  );
  return found ?? { label, choice: "" };
}

import type { Received, Said } from "../chat/thread";
import type { AnswerMessage, Message } from "../chat/message";
import type { Actions } from "./actions";
import { h, icon, type Child } from "./dom";
import { feedback } from "./feedback";
import { fileList } from "./files";
import { optionButtons, type Interaction } from "./options";
import { ratingCard } from "./rating";
import { summaryCard } from "./summary";
import { surveyCard } from "./survey";
import { ticketCard } from "./ticket";

/** What was said, as it never changes. */
export function lineBody(line: Received | Said, actions: Actions): HTMLElement {
  if (line.kind === "said") return h("div", { class: "bubble" }, line.label);
  const { message } = line;
  if (message.from === "user") return h("div", { class: "bubble" }, message.text);
  const text = h("div", { class: "markdown" });
  text.append(actions.render(shownText(message)));
  return h(
    "div",
    { class: "bubble" },
    message.type === "answer" && message.title && h("h3", { class: "title" }, message.title),
    text,
    message.type === "answer" && provenance(message),
  );
}

/** What belongs to a line and changes: its buttons, its state of delivery. Null when there is nothing. */
export function lineTail(line: Received | Said, interaction: Interaction, actions: Actions): HTMLElement | null {
  const parts = line.kind === "said" ? delivery(line, actions) : extras(line.message, interaction, actions);
  const shown = parts.filter(Boolean);
  return shown.length > 0 ? h("div", { class: "tail" }, ...shown) : null;
}

export function speaker(message: Message): string {
  if (message.from === "agent") return message.agent_name ? `人工客服 · ${message.agent_name}` : "人工客服";
  if (message.type === "notice") return "";
  return "智能客服";
}

/** A summary's text lists the fields that its card shows. */
function shownText(message: Message): string {
  if (message.type !== "summary" || !message.fields?.length) return message.text;
  return message.heading ?? message.text.split(/\n\s*\n/)[0] ?? "";
}

function provenance(message: AnswerMessage): HTMLElement | null {
  const sources = message.sources ?? [];
  if (sources.length === 0 && !message.effective_from) return null;
  return h(
    "div",
    { class: "provenance" },
    sources.length > 0 &&
      h(
        "ul",
        { class: "sources", "aria-label": "依据" },
        ...sources.map((source) => h("li", {}, icon("source"), h("span", {}, source.label))),
      ),
    message.effective_from && h("span", { class: "effective" }, `生效日期 ${message.effective_from}`),
  );
}

function extras(message: Message, interaction: Interaction, actions: Actions): Child[] {
  const { number, attachments } = message;
  const files = number && attachments?.length ? fileList(attachments, (file) => void actions.tickets.save(number, file)) : null;
  if (files || message.from === "user") return [files];
  const options = message.options ?? [];
  switch (message.type) {
    case "answer":
      return [feedback(message, actions), optionButtons(message, options, interaction, actions)];
    case "summary":
      return [summaryCard(message, interaction, actions)];
    case "notice":
      // The way back to the bot stands above the messages.
      return [optionButtons(message, options.filter(({ choice }) => choice !== "bot"), interaction, actions)];
    case "ticket":
      return [ticketCard(message, actions), optionButtons(message, options, interaction, actions)];
    case "rating":
      return [
        ratingCard({ ...message, given: message.given ?? null }, (score, reasons, words) =>
          actions.tickets.rate(message.number, score, reasons, words),
        ),
      ];
    case "survey":
      return [surveyCard(message, (answers) => actions.tickets.answerSurvey(message.survey, answers))];
    default:
      return [optionButtons(message, options, interaction, actions)];
  }
}

function delivery(line: Said, actions: Actions): Child[] {
  const button = (label: string, action: () => void) =>
    h("button", { type: "button", class: "link", "data-focus": label, onclick: action }, label);
  switch (line.state) {
    case "sending":
      return [h("span", { class: "delivery" }, "发送中…")];
    case "waiting":
      return [h("span", { class: "delivery" }, "等待网络，恢复后自动发送")];
    case "held":
      return [h("span", { class: "delivery" }, "等待重新登录后发送")];
    case "failed":
      return [
        h("span", { class: "delivery bad" }, line.error?.message ?? "没有发送成功。"),
        button("重试", () => actions.retry(line.key)),
      ];
    case "refused":
      return [
        h("span", { class: "delivery bad" }, line.error?.message ?? "没有发送成功。"),
        line.outgoing.text !== undefined
          ? button("修改后重发", () => actions.edit(line.key))
          : button("重试", () => actions.retry(line.key)),
      ];
    default:
      return [];
  }
}

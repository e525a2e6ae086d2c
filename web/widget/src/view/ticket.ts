import type { TicketMessage } from "../chat/message";
import type { Actions } from "./actions";
import { h, icon } from "./dom";
import { instant, shortTime } from "./time";

/** A filed ticket: its number and where it stands. */
export function ticketCard(message: TicketMessage, actions: Actions): HTMLElement {
  return h(
    "div",
    { class: "card ticket" },
    h(
      "div",
      { class: "ticket-head" },
      icon("ticket"),
      h(
        "button",
        { type: "button", class: "number link", title: "查看进度", "data-focus": "ticket", onclick: () => actions.tickets.show(message.number) },
        message.number,
      ),
      h("span", { class: "status", "data-status": message.status }, message.status_label),
    ),
    h(
      "dl",
      { class: "fields" },
      row("业务类型", message.business_type),
      row("问题描述", message.description),
      row("提交时间", message.created_at ? shortTime(instant(message.created_at)) : ""),
    ),
  );
}

function row(label: string, value: string | undefined): HTMLElement | null {
  return value ? h("div", { class: "field" }, h("dt", {}, label), h("dd", {}, value)) : null;
}

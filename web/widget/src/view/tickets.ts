import type { Ticket, TicketEvent, TicketRow } from "../chat/ticket";
import type { Tickets } from "../chat/tickets";
import type { Actions } from "./actions";
import { h, icon, type Child } from "./dom";
import { fileList, sizeOf } from "./files";
import { ratingCard } from "./rating";
import { instant, shortTime } from "./time";

const MOST_WORDS = 2_000;
const MOST_REASON = 500;

/** 我的工单, over the dialog: the list, or one ticket with all that its requester may do. */
export class TicketPanel {
  readonly element: HTMLElement;
  private readonly title = h("h2", { id: "tickets-title" });
  private readonly backButton: HTMLButtonElement;
  private readonly told = h("p", { class: "told", role: "status", hidden: true });
  private readonly body = h("div", { class: "tickets-body", tabindex: "-1" });
  private readonly words = area("要补充的内容", "补充说明，处理的同事会看到", MOST_WORDS);
  private readonly reason = area("重新打开的原因", "哪里没有解决？", MOST_REASON);
  private readonly picker: HTMLInputElement;
  /** What needs a second word before it is done. */
  private asking: "reopen" | "cancel" | null = null;
  private signature = "";
  private showing: string | null = null;

  constructor(
    private readonly actions: Actions,
    private readonly refocus: () => void,
  ) {
    this.backButton = h("button", { type: "button", class: "close", "aria-label": "返回", onclick: () => this.leave() }, icon("back"));
    this.picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": "选择附件",
      onchange: () => {
        const files = [...(this.picker.files ?? [])];
        this.picker.value = "";
        void this.tickets.attach(files);
      },
    });
    this.element = h(
      "section",
      { class: "tickets", "aria-labelledby": "tickets-title", hidden: true },
      h(
        "header",
        {},
        this.backButton,
        h("div", { class: "heading" }, this.title),
        h("button", { type: "button", class: "close", "aria-label": "关闭客服窗口", onclick: () => actions.close() }, icon("close")),
      ),
      this.told,
      this.body,
      this.picker,
    );
  }

  /** From one ticket to the list, from the list to the chat. */
  leave(): void {
    if (this.tickets.ticket && this.tickets.list) this.tickets.back();
    else {
      this.tickets.hide();
      this.refocus();
    }
  }

  render(): void {
    const { tickets } = this;
    this.element.hidden = !tickets.shown;
    if (!tickets.shown) {
      this.showing = null;
      return;
    }
    const { ticket, told } = tickets;
    const showing = ticket?.number ?? "";
    if (showing !== this.showing) {
      this.asking = null;
      this.words.value = this.reason.value = "";
      this.signature = "";
      if (this.showing === null) queueMicrotask(() => this.backButton.focus({ preventScroll: true }));
      this.showing = showing;
    }
    this.title.textContent = ticket ? `工单 ${ticket.number}` : "我的工单";
    this.told.hidden = !told;
    this.told.textContent = told?.text ?? "";
    this.told.classList.toggle("good", told?.good ?? false);
    const signature = JSON.stringify([tickets.list, ticket, tickets.files, tickets.busy, this.asking]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.draw(ticket ? this.one(ticket) : this.all(tickets.list));
  }

  private get tickets(): Tickets {
    return this.actions.tickets;
  }

  private draw(children: Child[]): void {
    const root = this.element.getRootNode() as ShadowRoot | Document;
    const focused = (root.activeElement as HTMLElement | null)?.dataset?.focus;
    const top = this.body.scrollTop;
    this.body.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
    this.body.scrollTop = top;
    if (focused) this.body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  private all(list: TicketRow[] | null): Child[] {
    if (!list) return [h("p", { class: "empty" }, this.tickets.busy ? "正在加载…" : "没有加载成功，请稍后再试。")];
    if (list.length === 0) {
      return [
        h("p", { class: "empty" }, "您还没有提交过工单。"),
        h("div", { class: "tickets-actions" }, this.button("提交工单", "file", () => this.file(), "primary")),
      ];
    }
    return [
      h("ul", { class: "ticket-list" }, ...list.map((one) => h("li", {}, this.row(one)))),
      h(
        "div",
        { class: "tickets-actions" },
        this.button("提交工单", "file", () => this.file()),
        this.button("导出我的服务记录", "records", () => void this.tickets.saveRecords()),
      ),
    ];
  }

  private row(one: TicketRow): HTMLElement {
    return h(
      "button",
      { type: "button", class: "ticket-row", "data-focus": `ticket:${one.number}`, onclick: () => this.tickets.show(one.number) },
      h("span", { class: "ticket-head" }, h("span", { class: "number" }, one.number), chip(one)),
      h("span", { class: "ticket-text" }, one.description),
      h(
        "span",
        { class: "caption" },
        [one.business_type, one.agent && `${one.agent} 处理`, shortTime(instant(one.updated_at))].filter(Boolean).join(" · "),
        one.unread > 0 && h("b", { class: "news" }, "有新消息"),
      ),
    );
  }

  private file(): void {
    this.tickets.hide();
    this.actions.say({ label: "提交工单", choice: "file" });
    this.refocus();
  }

  private one(ticket: Ticket): Child[] {
    const { can } = ticket;
    return [
      h(
        "div",
        { class: "card" },
        h("div", { class: "ticket-head" }, icon("ticket"), h("span", { class: "number" }, ticket.business_type), chip(ticket)),
        h(
          "dl",
          { class: "fields" },
          field("问题描述", ticket.description),
          field("紧急程度", ticket.urgency),
          field("单据编号", ticket.document_no),
          field("处理人", ticket.agent || (ticket.open ? "等待受理" : "")),
          field("提交时间", shortTime(instant(ticket.created_at))),
          field("解决说明", ticket.resolution),
        ),
      ),
      ticket.merged_into &&
        this.button(`已并入 ${ticket.merged_into}，点此查看`, "merged", () => this.tickets.show(ticket.merged_into!), "link"),
      this.verbs(ticket),
      this.asking && this.ask(),
      can.rate && ticket.satisfaction && this.rating(ticket),
      h("h3", { class: "caption" }, "进展"),
      h("ol", { class: "timeline" }, ...ticket.events.map((event) => this.event(event, ticket))),
      can.say && this.more(can.attach),
    ];
  }

  private verbs(ticket: Ticket): Child {
    const { can, urge_at: urgeAt } = ticket;
    const buttons = [
      can.urge &&
        (urgeAt
          ? h("span", { class: "caption" }, `已催办，${shortTime(instant(urgeAt))} 后可再催`)
          : this.button("催办", "urge", () => void this.tickets.urge())),
      can.confirm && this.button("问题已解决", "confirm", () => void this.tickets.confirm(), "primary"),
      can.reopen && this.button("没有解决，重新打开", "reopen", () => this.begin("reopen")),
      can.cancel && this.button("撤销", "cancel", () => this.begin("cancel")),
    ].filter(Boolean);
    return buttons.length > 0 && h("div", { class: "tickets-actions" }, ...buttons);
  }

  private begin(what: "reopen" | "cancel"): void {
    this.asking = what;
    this.render();
    this.body.querySelector<HTMLElement>(".ask textarea, .ask button")?.focus();
  }

  private ask(): HTMLElement {
    const done = () => {
      this.asking = null;
      this.render();
    };
    const reopen = this.asking === "reopen";
    return h(
      "div",
      { class: "card ask" },
      h("p", {}, reopen ? "请说一下哪里没有解决，同事会接着处理：" : "确定撤销这张工单吗？撤销后同事不再处理。"),
      reopen && this.reason,
      h(
        "div",
        { class: "tickets-actions" },
        this.button(reopen ? "重新打开" : "确定撤销", "sure", async () => {
          if (!reopen) await this.tickets.cancel();
          else if (!(await this.tickets.reopen(this.reason.value.trim()))) return;
          done();
        }, "primary"),
        this.button("不了", "no", done),
      ),
    );
  }

  private rating(ticket: Ticket): HTMLElement {
    const { satisfaction, number } = ticket;
    const asked = {
      number,
      low: satisfaction!.low ?? 2,
      reasons: satisfaction!.offered ?? { low: [], high: [] },
      given: satisfaction,
    };
    return ratingCard(asked, (score, reasons, words) => this.tickets.rate(number, score, reasons, words));
  }

  private event(event: TicketEvent, ticket: Ticket): HTMLElement {
    const files = ticket.attachments.filter((file) => event.attachments.includes(file.id));
    return h(
      "li",
      { class: event.mine ? "mine" : null },
      h("span", { class: "caption" }, `${event.by} · ${shortTime(instant(event.at))}`),
      event.mine ? h("p", {}, event.text) : this.rendered(event.text),
      fileList(files, (file) => void this.tickets.save(ticket.number, file)),
    );
  }

  private rendered(markdown: string): HTMLElement {
    const text = h("div", { class: "markdown" });
    text.append(this.actions.render(markdown));
    return text;
  }

  private more(attach: boolean): HTMLElement {
    const { files, busy } = this.tickets;
    return h(
      "div",
      { class: "card more" },
      this.words,
      files.length > 0 &&
        h(
          "ul",
          { class: "files" },
          ...files.map((file) =>
            h(
              "li",
              {},
              h("span", { class: "file-name" }, file.name),
              h("span", { class: "caption" }, sizeOf(file.size)),
              h("button", { type: "button", class: "link", "aria-label": `不带 ${file.name}`, onclick: () => this.tickets.detach(file.id) }, "移除"),
            ),
          ),
        ),
      h(
        "div",
        { class: "tickets-actions" },
        attach && this.button(busy === "attach" ? "正在上传…" : "添加附件", "attach", () => this.picker.click()),
        this.button("发送", "say", async () => {
          if (await this.tickets.say(this.words.value.trim())) this.words.value = "";
        }, "primary"),
      ),
      h("p", { class: "caption" }, "附件：图片、PDF、OFD、Word、Excel 等，单个不超过 20 MB"),
    );
  }

  private button(label: string, focus: string, press: () => void, kind = ""): HTMLButtonElement {
    return h(
      "button",
      { type: "button", class: kind || "plain", "data-focus": focus, disabled: this.tickets.busy !== null && kind !== "link", onclick: press },
      label,
    );
  }
}

function area(label: string, placeholder: string, most: number): HTMLTextAreaElement {
  return h("textarea", { rows: 2, maxlength: most, "aria-label": label, placeholder, "data-focus": label });
}

function chip(one: TicketRow): HTMLElement {
  return h("span", { class: "status", "data-status": one.status }, one.status_label);
}

function field(label: string, value: string | null): HTMLElement | null {
  return value ? h("div", { class: "field" }, h("dt", {}, label), h("dd", {}, value)) : null;
}

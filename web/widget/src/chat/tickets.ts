import type { ChatClient } from "./client";
import type { Conversation } from "./conversation";
import { ApiError, DeskError } from "./errors";
import { ANONYMOUS, newMessageId } from "./identity";
import type { Attachment, SurveyAnswers } from "./message";
import type { Ticket, TicketRow } from "./ticket";

const REFRESH = 8_000;
export const MOST_BYTES = 20 * 2 ** 20;
export const MOST_FILES = 10;

/** 我的工单: the list, or one ticket, as the server last told it, and what is being done. */
export class Tickets {
  shown = false;
  list: TicketRow[] | null = null;
  ticket: Ticket | null = null;
  /** Files that go with the next words. */
  files: Attachment[] = [];
  /** What is under way, such as `urge`; null when nothing is. */
  busy: string | null = null;
  /** What went wrong or well, in Chinese. */
  told: { text: string; good: boolean } | null = null;

  private timer: ReturnType<typeof setTimeout> | null = null;
  private wordsId = newMessageId();
  private stopped = false;

  constructor(
    private readonly client: ChatClient,
    private readonly conversation: Conversation,
    private readonly anonymous: boolean,
    private readonly changed: () => void,
  ) {}

  static of(client: ChatClient, conversation: Conversation, identity: string, changed: () => void): Tickets {
    return new Tickets(client, conversation, identity === ANONYMOUS, changed);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  /** Shows the list, or one ticket. */
  show(number?: string): void {
    this.shown = true;
    this.told = null;
    if (number !== this.ticket?.number) this.leaveTicket();
    this.changed();
    void (number ? this.open(number) : this.reload());
  }

  hide(): void {
    this.shown = false;
    this.leaveTicket();
    if (this.timer) clearTimeout(this.timer);
    this.changed();
  }

  back(): void {
    this.leaveTicket();
    this.changed();
    void this.reload();
  }

  /** True when the words have arrived. */
  async say(text: string): Promise<boolean> {
    const done = await this.act("say", {
      client_message_id: this.wordsId,
      text,
      attachments: this.files.map((file) => file.id),
    });
    if (done) {
      this.wordsId = newMessageId();
      this.files = [];
      this.good("已补充，处理的同事会看到。");
    }
    return done;
  }

  async urge(): Promise<void> {
    if (await this.act("urge")) this.good("已催办，共享中心的同事会收到提醒。");
  }

  async confirm(): Promise<void> {
    if (await this.act("confirm")) this.good("感谢确认，工单已关闭。");
  }

  async cancel(): Promise<void> {
    if (await this.act("cancel", { reason: "" })) this.good("工单已撤销。");
  }

  async reopen(reason: string): Promise<boolean> {
    const done = await this.act("reopen", { reason });
    if (done) this.good("已重新打开，同事会继续处理。");
    return done;
  }

  /** Also from the chat, where the ticket is not shown. */
  async rate(number: string, score: number, reasons: string[], words: string): Promise<boolean> {
    try {
      const ticket = await this.client.act(number, "rate", { score, reasons, words }, this.whose);
      if (this.ticket?.number === number) this.ticket = ticket;
      if (ticket.satisfaction) this.conversation.rated(number, ticket.satisfaction);
      this.conversation.stands(ticket);
      this.conversation.refresh();
      this.changed();
      return true;
    } catch (error) {
      this.conversation.notice = wordsOf(error);
      this.bad(error);
      return false;
    }
  }

  /** Null when the answers are kept, else what to tell the employee. */
  async answerSurvey(token: string, answers: SurveyAnswers): Promise<string | null> {
    try {
      await this.client.answerSurvey(token, answers);
      return null;
    } catch (error) {
      return wordsOf(error);
    }
  }

  async attach(files: Iterable<File>): Promise<void> {
    const { ticket } = this;
    if (!ticket) return;
    for (const file of files) {
      const problem = refused(file, this.files.length);
      if (problem) {
        this.told = { text: problem, good: false };
        this.changed();
        return;
      }
      const kept = await this.run("attach", () => this.client.attach(ticket.number, file, this.whose));
      if (!kept) return;
      this.files = [...this.files, kept];
      this.changed();
    }
  }

  /** Files from the chat, to the ticket that an agent talks about. */
  async send(number: string, files: Iterable<File>): Promise<void> {
    const { conversation } = this;
    const chosen = [...files];
    conversation.notice = chosen.map((file, index) => refused(file, index)).find((problem) => problem !== null) ?? null;
    if (conversation.notice || chosen.length === 0) return this.changed();
    this.busy = "attach";
    this.changed();
    try {
      const ids = [];
      for (const file of chosen) ids.push((await this.client.attach(number, file, this.whose)).id);
      await this.client.act(number, "say", { client_message_id: newMessageId(), text: "", attachments: ids }, this.whose);
    } catch (error) {
      conversation.notice = wordsOf(error);
    }
    this.busy = null;
    conversation.refresh();
    this.changed();
  }

  detach(id: string): void {
    this.files = this.files.filter((file) => file.id !== id);
    this.changed();
  }

  async save(number: string, file: Attachment): Promise<void> {
    const blob = await this.run("save", () => this.client.attachment(number, file.id, this.whose));
    if (blob) download(blob, file.name);
  }

  async saveRecords(): Promise<void> {
    const blob = await this.run("records", () => this.client.records(this.whose));
    if (blob) download(blob, "我的服务记录.xlsx");
  }

  /** Anonymous visitors prove by the conversation that a ticket is theirs. */
  private get whose(): string | null {
    return this.anonymous ? this.conversation.id : null;
  }

  private leaveTicket(): void {
    this.ticket = null;
    this.files = [];
    this.told = null;
    this.wordsId = newMessageId();
  }

  private async open(number: string): Promise<void> {
    const ticket = await this.run("open", () => this.client.ticket(number, this.whose));
    if (ticket && this.shown) this.ticket = ticket;
    this.later();
  }

  private async reload(): Promise<void> {
    if (this.anonymous && !this.whose) this.list = [];
    else this.list = (await this.run("list", () => this.client.tickets(this.whose))) ?? this.list;
    this.later();
  }

  private later(): void {
    if (this.timer) clearTimeout(this.timer);
    this.changed();
    if (!this.shown || this.stopped) return;
    this.timer = setTimeout(() => void (this.ticket ? this.refresh(this.ticket.number) : this.reload()), REFRESH);
  }

  /** Quietly: what somebody is about to do is not disturbed by a network that blinks. */
  private async refresh(number: string): Promise<void> {
    try {
      const ticket = await this.client.ticket(number, this.whose);
      if (this.ticket?.number === number && !this.busy) this.ticket = ticket;
    } catch {
      // The next one may succeed.
    }
    this.later();
  }

  private async act(verb: string, body: object = {}): Promise<boolean> {
    const number = this.ticket?.number;
    if (!number) return false;
    const ticket = await this.run(verb, () => this.client.act(number, verb, body, this.whose));
    if (!ticket) return false;
    if (this.ticket?.number === number) this.ticket = ticket;
    this.conversation.stands(ticket);
    this.conversation.refresh();
    this.changed();
    return true;
  }

  private async run<T>(what: string, task: () => Promise<T>): Promise<T | null> {
    if (what !== "list" && what !== "open") this.told = null;
    this.busy = what;
    this.changed();
    try {
      return await task();
    } catch (error) {
      this.bad(error);
      return null;
    } finally {
      this.busy = null;
      if (!this.stopped) this.changed();
    }
  }

  private good(text: string): void {
    this.told = { text, good: true };
    this.changed();
  }

  private bad(error: unknown): void {
    this.told = { text: wordsOf(error), good: false };
    if (!this.stopped) this.changed();
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof DeskError ? "网络连接不上，请稍后再试。" : "没有成功，请稍后再试。";
}

function refused(file: File, count: number): string | null {
  if (count >= MOST_FILES) return `一次最多带 ${MOST_FILES} 个附件。`;
  if (file.size === 0) return `“${file.name}”是空的，请重新选择。`;
  if (file.size > MOST_BYTES) return `“${file.name}”超过 ${MOST_BYTES / 2 ** 20} MB，请压缩或拆分后再上传。`;
  return null;
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

import type { ChatClient } from "./client";
import { ApiError, DeskError, TokenError, isTransient } from "./errors";
import { ANONYMOUS, newMessageId } from "./identity";
import type { Memory } from "./memory";
import type { AnswerMessage, FeedbackReason, Option, PageContext, Satisfaction, SendResult, Standing, Suggestions, Utterance } from "./message";
import { Outbox, type DeliveryState } from "./outbox";
import { Poller } from "./poller";
import { ReadMarker } from "./reading";
import { Thread, type Line } from "./thread";
import type { Ticket } from "./ticket";

export const MESSAGE_LIMIT = 2_000;

/** How often the server is asked for news, with the dialog open and closed. */
const PACE = {
  agent: { open: 2_000, closed: 10_000 },
  ticket: { open: 5_000, closed: 30_000 },
  bot: { open: 15_000, closed: 60_000 },
} as const;
/** What was left unsent longer ago than this waits for a click instead of going out by itself. */
const STALE_AFTER = 12 * 3_600_000;

export type Connection = "online" | "reconnecting" | "offline";

export interface ConversationEvents {
  changed(): void;
  tokenRefused(error: TokenError): void;
}

/** One person's conversation with the desk: what is shown, what is on its way, what is unread. */
export class Conversation {
  readonly thread = new Thread();
  connection: Connection = "online";
  suggestions: Suggestions | null = null;
  /** Why the server does not take the token, until a new one is given. */
  tokenProblem: TokenError | null = null;
  /** Something that went wrong beside the messages, in Chinese. */
  notice: string | null = null;
  /** False until the history was fetched, or there is none. */
  loaded = false;
  /** Who talks, as the server last said. */
  standing: Standing | null = null;
  /** What comes after this number was said while the employee was away; null where they missed nothing. */
  missedAfter: number | null = null;

  private context: PageContext = {};
  private suggestedFor: string | null = null;
  private watching = false;
  private cursor = 0;
  private shown: string | null = null;
  private stopped = false;
  private returning = true;
  private sought = false;
  private readonly marker: ReadMarker;
  private readonly chosen = new Map<string, string>();
  private readonly outbox: Outbox;
  private readonly poller: Poller;

  constructor(
    private readonly client: ChatClient,
    private readonly memory: Memory,
    private readonly events: ConversationEvents,
  ) {
    this.marker = new ReadMarker(client);
    this.outbox = new Outbox(client, memory, {
      delivery: (id, state, error) => this.delivery(id, state, error),
      delivered: (id, result) => this.delivered(id, result),
      tokenRefused: (error) => this.tokenRefused(error),
    });
    this.poller = new Poller(
      () => this.poll(),
      () => PACE[this.pace][this.watching && !document.hidden ? "open" : "closed"],
    );
  }

  /** Fetches the history, sends what an earlier page left unsent, and begins to listen. */
  start(): void {
    addEventListener("online", this.networkChanged);
    addEventListener("offline", this.networkChanged);
    document.addEventListener("visibilitychange", this.visibilityChanged);
    if (navigator.onLine === false) this.connection = "offline";
    const staleBefore = Date.now() - STALE_AFTER;
    for (const message of this.memory.unsent()) {
      this.thread.say(message);
      if (message.asked_at < staleBefore) this.thread.deliver(message.client_message_id, "failed", null);
      else this.outbox.add(message);
    }
    void this.poller.now();
  }

  stop(): void {
    this.stopped = true;
    this.marker.stop();
    removeEventListener("online", this.networkChanged);
    removeEventListener("offline", this.networkChanged);
    document.removeEventListener("visibilitychange", this.visibilityChanged);
    this.outbox.stop();
    this.poller.stop();
  }

  get lines(): Line[] {
    return this.thread.lines;
  }

  /** Whether a person of the desk talks. */
  get withAgent(): boolean {
    return this.standing?.mode === "agent";
  }

  /** The conversation's id, once there is one. */
  get id(): string | null {
    return this.memory.conversationId;
  }

  private get pace(): keyof typeof PACE {
    if (this.withAgent) return "agent";
    return this.standing?.open_tickets ? "ticket" : "bot";
  }

  /** True while a reply of the bot is awaited. */
  get typing(): boolean {
    if (this.withAgent) return false;
    return this.lines.some((line) => line.kind === "said" && line.state === "sending");
  }

  get unread(): number {
    const read = this.memory.readSeq;
    return this.lines.filter(
      (line) => line.kind === "received" && line.message.from !== "user" && line.message.seq > read,
    ).length;
  }

  /** Tells whether the employee looks at the messages. */
  watch(watching: boolean): void {
    if (this.watching === watching) return;
    this.watching = watching;
    this.returning = watching;
    if (!watching) this.missedAfter = null;
    this.markRead();
    if (watching) void this.poller.now();
    else this.poller.reschedule();
    this.changed();
  }

  setContext(context: PageContext): void {
    this.context = context;
    if (this.watching) void this.poller.now();
  }

  /** Says something; `inAnswerTo` names the message whose button was pressed. Text must not be blank or too long. */
  say(utterance: Utterance, inAnswerTo?: string): void {
    if (inAnswerTo && utterance.choice !== undefined) this.chosen.set(inAnswerTo, utterance.choice);
    const message = {
      ...utterance,
      client_message_id: newMessageId(),
      context: { ...this.context },
      asked_at: Date.now(),
    };
    this.notice = null;
    this.missedAfter = null;
    this.returning = false;
    this.thread.say(message);
    this.outbox.add(message);
    this.changed();
  }

  /** Sends again what failed, under the id it had. */
  retry(key: string): void {
    const line = this.thread.said(key);
    if (!line) return;
    this.thread.deliver(key, "sending", null);
    if (this.outbox.has(key)) this.outbox.resume();
    else this.outbox.add(line.outgoing);
    this.changed();
  }

  /** Takes back what was refused or failed, and gives its text for editing. */
  takeBack(key: string): string {
    const line = this.thread.said(key);
    this.outbox.discard(key);
    this.thread.remove(key);
    this.changed();
    return line?.outgoing.text ?? line?.label ?? "";
  }

  async rate(messageId: string, helpful: boolean, reason?: FeedbackReason): Promise<void> {
    const message = this.thread.message(messageId);
    const conversationId = this.memory.conversationId;
    if (message?.type !== "answer" || !conversationId) return;
    const before = message.feedback ?? null;
    this.setFeedback(message, { helpful, reason: reason ?? null });
    try {
      await this.client.feedback(conversationId, messageId, helpful, reason);
    } catch (error) {
      if (this.stopped) return;
      this.setFeedback(message, before);
      this.trouble(error, "评价没有提交成功，请稍后再试。");
    }
  }

  /** Shows what was answered to the question about a ticket. */
  rated(number: string, given: Satisfaction): void {
    for (const line of this.lines) {
      if (line.kind !== "received" || line.message.type !== "rating" || line.message.number !== number) continue;
      this.thread.receive([{ ...line.message, given }]);
    }
  }

  /** Takes away the buttons that the ticket's state has overtaken, such as 问题已解决 once it is closed. */
  stands({ number, can }: Ticket): void {
    const works = ({ choice }: Option) => {
      const [verb, about] = choice.split(":");
      return about !== number || (verb !== "confirm" && verb !== "reopen" && verb !== "urge") || can[verb];
    };
    for (const line of this.lines) {
      if (line.kind !== "received" || (line.message.options ?? []).every(works)) continue;
      this.thread.receive([{ ...line.message, options: line.message.options!.filter(works) }]);
    }
  }

  /** The choice that was made under a message, or null. */
  choiceMade(messageId: string): string | null {
    return this.chosen.get(messageId) ?? null;
  }

  /** Something was done beside the chat. */
  refresh(): void {
    void this.poller.now();
  }

  /** The host has given a new token of the same person. */
  tokenRenewed(): void {
    this.tokenProblem = null;
    this.suggestedFor = null;
    this.outbox.resume();
    void this.poller.now();
    this.changed();
  }

  /** Another tab may have begun another conversation: all tabs of a person follow the latest. */
  private show(conversationId: string): void {
    if (this.shown !== null && this.shown !== conversationId) {
      this.thread.restart();
      this.cursor = 0;
      this.memory.readSeq = 0;
      this.marker.known(0);
      this.standing = null;
      this.returning = true;
    }
    this.shown = conversationId;
  }

  private delivery(id: string, state: DeliveryState, error: DeskError | null): void {
    this.thread.deliver(id, state, error);
    if (state === "waiting" || state === "failed") this.lost();
    this.changed();
  }

  private delivered(id: string, result: SendResult): void {
    this.show(result.conversation_id);
    this.thread.acknowledge(id, result.messages);
    this.loaded = true;
    this.recovered();
    this.markRead();
    this.changed();
    // The bot may have come or gone with this message.
    if (this.withAgent || result.messages.length === 0 || result.messages.some(({ type }) => type === "notice" || type === "ticket")) {
      void this.poller.now();
    }
  }

  private tokenRefused(error: TokenError): void {
    const first = this.tokenProblem === null;
    this.tokenProblem = error;
    this.changed();
    if (first) this.events.tokenRefused(error);
  }

  private async poll(): Promise<boolean> {
    if (this.tokenProblem) return true;
    const suggested = !this.watching || (await this.refreshSuggestions());
    if (!(await this.seek())) return false;
    const conversationId = this.memory.conversationId;
    if (!conversationId) {
      this.loaded = true;
      if (suggested && !this.tokenProblem) this.recovered();
      this.changed();
      return suggested;
    }
    this.show(conversationId);
    try {
      const { messages, conversation, current } = await this.client.history(conversationId, this.cursor);
      if (this.stopped || conversationId !== this.memory.conversationId) return true;
      this.thread.receive(messages);
      this.cursor = messages.reduce((last, message) => Math.max(last, message.seq), this.cursor);
      this.standing = conversation ?? null;
      if (conversation && conversation.read_seq > this.memory.readSeq) this.memory.readSeq = conversation.read_seq;
      if (conversation) this.marker.known(conversation.read_seq);
      this.loaded = true;
      this.recovered();
      this.outbox.resume();
      this.markRead();
      this.returning = false;
      this.changed();
      if (current && current !== conversationId) {
        this.memory.conversationId = current;
        void this.poller.now();
      }
      return suggested;
    } catch (error) {
      if (this.stopped) return true;
      if (error instanceof ApiError && (error.status === 404 || error.status === 403)) {
        if (this.memory.conversationId === conversationId) this.memory.conversationId = null;
        this.sought = false;
        this.loaded = true;
      } else this.trouble(error, null);
      this.changed();
      return !isTransient(error);
    }
  }

  /** Finds the conversation that this person had on another page or device. */
  private async seek(): Promise<boolean> {
    if (this.sought || this.memory.identity === ANONYMOUS || this.memory.conversationId) return true;
    try {
      const found = await this.client.current();
      this.sought = true;
      if (found && !this.stopped && !this.memory.conversationId) this.memory.conversationId = found.id;
    } catch (error) {
      // A token that has run out matters once something is said.
      if (this.stopped || error instanceof TokenError) return true;
      this.trouble(error, null);
      return !isTransient(error);
    }
    return true;
  }

  private async refreshSuggestions(): Promise<boolean> {
    const wanted = `${this.context.page ?? ""}/${this.context.node ?? ""}`;
    if (wanted === this.suggestedFor) return true;
    this.suggestedFor = wanted;
    try {
      const suggestions = await this.client.suggestions(this.context);
      if (this.stopped || this.suggestedFor !== wanted) return true;
      this.suggestions = suggestions;
      this.changed();
      return true;
    } catch (error) {
      if (this.suggestedFor === wanted) this.suggestedFor = null;
      if (!this.stopped) this.trouble(error, null);
      return !isTransient(error);
    }
  }

  private trouble(error: unknown, notice: string | null): void {
    if (error instanceof TokenError) this.tokenRefused(error);
    else if (isTransient(error)) this.lost();
    if (notice) this.notice = error instanceof ApiError ? error.message : notice;
    this.changed();
  }

  private lost(): void {
    this.connection = navigator.onLine === false ? "offline" : "reconnecting";
  }

  private recovered(): void {
    this.connection = "online";
    this.tokenProblem = null;
  }

  private markRead(): void {
    if (!this.watching || document.hidden) return;
    const { readSeq } = this.memory;
    if (this.returning && this.missedAfter === null && readSeq > 0 && this.unread > 0) this.missedAfter = readSeq;
    if (this.thread.lastSeq > this.memory.readSeq) this.memory.readSeq = this.thread.lastSeq;
    this.tellRead();
  }

  private tellRead(): void {
    const { conversationId } = this.memory;
    if (!conversationId) return;
    this.marker.tell(this.memory.readSeq, () =>
      this.stopped || conversationId !== this.memory.conversationId ? null : { id: conversationId, seq: this.memory.readSeq },
    );
  }

  private setFeedback(message: AnswerMessage, feedback: AnswerMessage["feedback"]): void {
    this.thread.receive([{ ...message, feedback }]);
    this.changed();
  }

  private changed(): void {
    if (!this.stopped) this.events.changed();
  }

  private readonly networkChanged = (): void => {
    if (navigator.onLine === false) this.connection = "offline";
    else {
      this.connection = "online";
      this.outbox.resume();
      void this.poller.now();
    }
    this.changed();
  };

  private readonly visibilityChanged = (): void => {
    if (!document.hidden && this.watching) this.returning = true;
    this.markRead();
    if (document.hidden) this.poller.reschedule();
    else void this.poller.now();
    this.changed();
  };
}

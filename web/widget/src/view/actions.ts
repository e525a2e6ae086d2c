import type { FeedbackReason, Utterance } from "../chat/message";
import type { Tickets } from "../chat/tickets";

/** What the parts of the panel ask for. */
export interface Actions {
  say(utterance: Utterance, inAnswerTo?: string): void;
  retry(key: string): void;
  /** Takes back what was not delivered and puts its text into the composer. */
  edit(key: string): void;
  rate(messageId: string, helpful: boolean, reason?: FeedbackReason): void;
  render(markdown: string): DocumentFragment;
  /** 我的工单 of whoever chats. */
  readonly tickets: Tickets;
  close(): void;
  /** Tries again with the token there is. */
  reconnect(): void;
}

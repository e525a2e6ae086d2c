import type { FeedbackReason, Utterance } from "../chat/message";

/** What the parts of the panel ask for. */
export interface Actions {
  say(utterance: Utterance, inAnswerTo?: string): void;
  retry(key: string): void;
  /** Takes back what was not delivered and puts its text into the composer. */
  edit(key: string): void;
  rate(messageId: string, helpful: boolean, reason?: FeedbackReason): void;
  render(markdown: string): DocumentFragment;
  close(): void;
  /** Tries again with the token there is. */
  reconnect(): void;
}

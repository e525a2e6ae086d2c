import type { ChatClient } from "./client";
import { ApiError, DeskError, TokenError, isTransient } from "./errors";
import type { Memory, StoredOutgoing } from "./memory";
import type { SendResult } from "./message";

const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
const ATTEMPTS_BEFORE_ASKING = 5;

/**
 * sending    on its way
 * waiting    the network or the server is away; goes out by itself
 * held       the token is not accepted; goes out when the host gives a new one
 * failed     given up for now; a click, a reconnect or a reload sends it again
 * refused    the server will never take it as it is
 */
export type DeliveryState = "sending" | "waiting" | "held" | "failed" | "refused";

export interface OutboxListener {
  delivery(clientMessageId: string, state: DeliveryState, error: DeskError | null): void;
  delivered(clientMessageId: string, result: SendResult): void;
  tokenRefused(error: TokenError): void;
}

/**
 * Sends one message after the other, in the order they were said. A message leaves the browser's memory only when the
 * server has acknowledged or refused it, and keeps its `client_message_id` through every attempt, so that it is
 * neither lost nor answered twice.
 */
export class Outbox {
  private readonly queue: StoredOutgoing[] = [];
  private running = false;
  private stopped = false;
  private wake: (() => void) | null = null;

  constructor(
    private readonly client: ChatClient,
    private readonly memory: Memory,
    private readonly listener: OutboxListener,
  ) {}

  has(clientMessageId: string): boolean {
    return this.queue.some((message) => message.client_message_id === clientMessageId);
  }

  add(message: StoredOutgoing): void {
    this.memory.keep(message);
    this.queue.push(message);
    this.listener.delivery(message.client_message_id, "sending", null);
    this.resume();
  }

  /** Tries again now, whatever the queue was waiting for. */
  resume(): void {
    if (this.wake) this.wake();
    else if (!this.running && !this.stopped && this.queue.length > 0) void this.run();
  }

  discard(clientMessageId: string): void {
    const index = this.queue.findIndex((message) => message.client_message_id === clientMessageId);
    if (index >= 0) this.queue.splice(index, 1);
    this.memory.forget(clientMessageId);
  }

  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  private async run(): Promise<void> {
    this.running = true;
    this.tellAll("sending", null);
    let attempt = 0;
    while (!this.stopped && this.queue.length > 0) {
      const message = this.queue[0]!;
      try {
        const result = await this.client.send(message, this.addressed(message));
        if (this.stopped) break;
        this.discard(message.client_message_id);
        this.memory.conversationId = result.conversation_id;
        attempt = 0;
        this.listener.delivered(message.client_message_id, result);
      } catch (error) {
        if (this.stopped) break;
        if (error instanceof TokenError) {
          this.tellAll("held", error);
          this.running = false;
          this.listener.tokenRefused(error);
          return;
        }
        if (isTransient(error)) {
          attempt += 1;
          if (attempt >= ATTEMPTS_BEFORE_ASKING && navigator.onLine !== false) {
            this.tellAll("failed", error);
            break;
          }
          this.tellAll("waiting", error);
          const asked = "retryAfter" in error ? error.retryAfter : null;
          await this.pause(asked ?? backoff(attempt));
          if (!this.stopped) this.tellAll("sending", null);
        } else if (error instanceof ApiError && error.status === 404 && message.sent_to) {
          if (this.memory.conversationId === message.sent_to) this.memory.conversationId = null;
          delete message.sent_to;
        } else {
          this.discard(message.client_message_id);
          this.listener.delivery(message.client_message_id, "refused", asDeskError(error));
        }
      }
    }
    this.running = false;
  }

  private addressed(message: StoredOutgoing): string | null {
    if (message.sent_to === undefined) {
      message.sent_to = this.memory.conversationId;
      this.memory.keep(message);
    }
    return message.sent_to;
  }

  private tellAll(state: DeliveryState, error: DeskError | null): void {
    for (const message of [...this.queue]) this.listener.delivery(message.client_message_id, state, error);
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(finish, milliseconds);
      this.wake = finish;
    });
  }
}

function backoff(attempt: number): number {
  const delay = Math.min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY);
  return delay * (0.75 + Math.random() * 0.5);
}

function asDeskError(error: unknown): DeskError {
  return error instanceof DeskError ? error : new DeskError("没有发送成功，请稍后重试。");
}

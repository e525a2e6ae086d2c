import type { DeskError } from "./errors";
import type { StoredOutgoing } from "./memory";
import type { Message } from "./message";
import type { DeliveryState } from "./outbox";

/** What the employee said, from the click until the server's copy of it is seen. */
export interface Said {
  kind: "said";
  key: string;
  label: string;
  /** Milliseconds since the epoch. */
  at: number;
  state: DeliveryState | "sent";
  error: DeskError | null;
  outgoing: StoredOutgoing;
}

export interface Received {
  kind: "received";
  key: string;
  message: Message;
}

export type Line = Said | Received;

interface Placed {
  line: Line;
  /** The server's `seq`; a half step before its reply for what was said here; infinite while it is not acknowledged. */
  order: number;
  index: number;
}

/**
 * The lines of a conversation in order, each once: what the server has told (in any order, any number of times) and
 * what was said here, joined with the server's copy of it when that arrives.
 */
export class Thread {
  private readonly placed = new Map<string, Placed>();
  private readonly messageKeys = new Map<string, string>();
  private readonly replySeqs = new Map<string, number>();
  private sorted: Line[] | null = null;
  private count = 0;
  lastSeq = 0;

  get lines(): Line[] {
    this.sorted ??= [...this.placed.values()]
      .sort((a, b) => (a.order === b.order ? a.index - b.index : a.order - b.order))
      .map((placed) => placed.line);
    return this.sorted;
  }

  say(outgoing: StoredOutgoing): void {
    const key = outgoing.client_message_id;
    this.place(key, Infinity, {
      kind: "said",
      key,
      label: outgoing.label,
      at: outgoing.asked_at,
      state: "sending",
      error: null,
      outgoing,
    });
  }

  said(key: string): Said | null {
    const line = this.placed.get(key)?.line;
    return line?.kind === "said" ? line : null;
  }

  deliver(key: string, state: Said["state"], error: DeskError | null): void {
    const line = this.said(key);
    if (line) this.place(key, this.placed.get(key)!.order, { ...line, state, error });
  }

  /** Takes the replies to what was said under `key`. */
  acknowledge(key: string, replies: Message[]): void {
    const line = this.said(key);
    if (line) {
      const replySeq = Math.min(...replies.map((reply) => reply.seq));
      const order = (Number.isFinite(replySeq) ? replySeq : this.lastSeq + 1) - 0.5;
      if (Number.isFinite(replySeq)) this.replySeqs.set(key, replySeq);
      this.place(key, order, { ...line, state: "sent", error: null });
    }
    this.receive(replies);
  }

  receive(messages: Message[]): void {
    for (const message of messages) {
      const key = this.messageKeys.get(message.id) ?? this.twinOf(message) ?? message.id;
      this.messageKeys.set(message.id, key);
      this.lastSeq = Math.max(this.lastSeq, message.seq);
      this.place(key, message.seq, { kind: "received", key, message });
    }
  }

  remove(key: string): void {
    this.placed.delete(key);
    this.sorted = null;
  }

  /** Forgets all but what is still on its way: another conversation is shown from now on. */
  restart(): void {
    for (const [key, { line }] of this.placed) {
      if (line.kind === "received" || line.state === "sent") this.placed.delete(key);
    }
    this.messageKeys.clear();
    this.replySeqs.clear();
    this.lastSeq = 0;
    this.sorted = null;
  }

  message(id: string): Message | null {
    const line = this.placed.get(this.messageKeys.get(id) ?? id)?.line;
    return line?.kind === "received" ? line.message : null;
  }

  /** The line said here that this message is the server's copy of. */
  private twinOf(message: Message): string | null {
    if (message.from !== "user") return null;
    const { client_message_id: id } = message;
    if (id && this.said(id)) return id;
    const candidates = this.lines.filter((line): line is Said => line.kind === "said" && line.state !== "refused");
    const answered = candidates.find((line) => this.replySeqs.get(line.key) === message.seq + 1);
    const alike = id ? null : candidates.find((line) => line.label.trim() === message.text.trim());
    return (answered ?? alike)?.key ?? null;
  }

  private place(key: string, order: number, line: Line): void {
    this.placed.set(key, { line, order, index: this.placed.get(key)?.index ?? this.count++ });
    this.sorted = null;
  }
}

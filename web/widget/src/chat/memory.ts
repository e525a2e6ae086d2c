import type { Outgoing } from "./client";

const PREFIX = "fssc-desk";

export interface StoredOutgoing extends Outgoing {
  /** Milliseconds since the epoch. */
  asked_at: number;
  /** The conversation it was first sent to, null for a new one. It stays so: the server compares what comes again. */
  sent_to?: string | null;
}

/**
 * What one person's widget remembers in this browser: the conversation, how far it was read, and what was said but not
 * yet acknowledged. Each unsent message has a key of its own, so that two tabs never overwrite each other's.
 * Works without storage too (private mode, blocked cookies): then it only lives as long as the page.
 */
export class Memory {
  private readonly area: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

  constructor(
    private readonly server: string,
    readonly identity: string,
    area: Storage | null = browserStorage(),
  ) {
    this.area = area ?? new VolatileArea();
  }

  get conversationId(): string | null {
    return this.area.getItem(this.key("conversation"));
  }

  set conversationId(id: string | null) {
    if (id === null) this.area.removeItem(this.key("conversation"));
    else this.write("conversation", id);
  }

  get readSeq(): number {
    return Number(this.area.getItem(this.key("read")) ?? 0) || 0;
  }

  set readSeq(seq: number) {
    this.write("read", String(seq));
  }

  /** Unacknowledged messages, oldest first. */
  unsent(): StoredOutgoing[] {
    const prefix = this.key("unsent:");
    const found: StoredOutgoing[] = [];
    const keys = Array.from({ length: this.area.length }, (_, index) => this.area.key(index));
    for (const key of keys) {
      if (!key?.startsWith(prefix)) continue;
      try {
        found.push(JSON.parse(this.area.getItem(key) ?? "") as StoredOutgoing);
      } catch {
        this.area.removeItem(key);
      }
    }
    return found.sort((a, b) => a.asked_at - b.asked_at);
  }

  keep(message: StoredOutgoing): void {
    this.write(`unsent:${message.client_message_id}`, JSON.stringify(message));
  }

  forget(clientMessageId: string): void {
    this.area.removeItem(this.key(`unsent:${clientMessageId}`));
  }

  private key(name: string): string {
    return `${PREFIX}|${this.server}|${this.identity}|${name}`;
  }

  private write(name: string, value: string): void {
    try {
      this.area.setItem(this.key(name), value);
    } catch {
      // Storage is full or refused: the page still works, only a reload forgets.
    }
  }
}

function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

class VolatileArea {
  private readonly items = new Map<string, string>();

  get length(): number {
    return this.items.size;
  }

  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

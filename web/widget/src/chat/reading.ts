import type { ChatClient } from "./client";

const PAUSE = 400;

/** Tells the server how far was read, so that other devices of the same person know; soon, and not more often than needed. */
export class ReadMarker {
  private told = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly client: ChatClient) {}

  /** Another conversation is shown, or the server has said how far it knows. */
  known(seq: number): void {
    this.told = seq;
  }

  /** `read()` is asked when the time has come; null where nothing is to be told any more. */
  tell(seq: number, read: () => { id: string; seq: number } | null): void {
    if (seq <= this.told || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      const now = read();
      if (!now) return;
      this.client.read(now.id, now.seq).then(
        () => (this.told = Math.max(this.told, now.seq)),
        () => {}, // Told again with the next message.
      );
    }, PAUSE);
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
  }
}

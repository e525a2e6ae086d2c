const LONGEST_DELAY = 120_000;

/** Runs `task` again and again, `interval()` milliseconds after it ended; slower and slower while it fails. */
export class Poller {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running = false;
  private again = false;
  private failures = 0;
  private stopped = false;

  constructor(
    /** Resolves to false when it failed. */
    private readonly task: () => Promise<boolean>,
    private readonly interval: () => number,
  ) {}

  /** Runs the task now, or once more after the run that is under way. */
  async now(): Promise<void> {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return;
    }
    if (this.timer) clearTimeout(this.timer);
    this.running = true;
    do {
      this.again = false;
      this.failures = (await this.task()) ? 0 : this.failures + 1;
    } while (this.again && !this.stopped);
    this.running = false;
    this.reschedule();
  }

  /** To be called when `interval()` has changed. */
  reschedule(): void {
    if (this.timer) clearTimeout(this.timer);
    if (this.stopped || this.running) return;
    const delay = Math.min(this.interval() * 2 ** this.failures, Math.max(LONGEST_DELAY, this.interval()));
    this.timer = setTimeout(() => void this.now(), delay);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }
}

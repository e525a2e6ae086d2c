import { defineStore } from "pinia";
import { ref } from "vue";

import { STREAM } from "../api/desk";
import type { Change, Notice } from "../api/types-desk";

export type News =
  | { event: "tickets"; changes: Change[]; hidden: number }
  | { event: "notice"; notice: Notice }
  /** News may have been missed: load what is shown again. */
  | { event: "resync" };

type Heard = (news: News) => void;

const HIDDEN_FOR_MS = 60_000;
const AGAIN_MS = 10_000;

/**
 * What happens at the desk, as it happens. A browser opens six connections to a host at most, so a tab that has been hidden
 * for a minute lets its own go, and takes it up again when it is looked at.
 */
export const useLive = defineStore("live", () => {
  const connected = ref(false);
  const heard = new Set<Heard>();
  let source: EventSource | null = null;
  let later: ReturnType<typeof setTimeout> | undefined;
  let wanted = false;
  let broken = false;

  const tell = (news: News) => heard.forEach((one) => one(news));

  function open(): void {
    if (source || !wanted || typeof EventSource === "undefined") return;
    const mine = new EventSource(STREAM);
    source = mine;
    mine.addEventListener("hello", () => {
      connected.value = true;
      if (broken) tell({ event: "resync" });
      broken = false;
    });
    mine.addEventListener("tickets", (event) => {
      const data = JSON.parse((event as MessageEvent<string>).data) as { changes: Change[]; hidden: number };
      tell({ event: "tickets", ...data });
    });
    mine.addEventListener("notice", (event) => {
      tell({ event: "notice", notice: JSON.parse((event as MessageEvent<string>).data) as Notice });
    });
    mine.addEventListener("error", () => {
      connected.value = false;
      broken = true;
      if (mine.readyState !== EventSource.CLOSED || source !== mine) return;
      source = null;
      clearTimeout(later);
      later = setTimeout(open, AGAIN_MS);
    });
  }

  function shut(): void {
    clearTimeout(later);
    source?.close();
    source = null;
    connected.value = false;
  }

  function looked(): void {
    clearTimeout(later);
    if (document.visibilityState === "hidden") {
      later = setTimeout(() => {
        shut();
        broken = true;
      }, HIDDEN_FOR_MS);
    } else open();
  }

  function start(): void {
    if (wanted) return;
    wanted = true;
    document.addEventListener("visibilitychange", looked);
    open();
  }

  function stop(): void {
    wanted = false;
    document.removeEventListener("visibilitychange", looked);
    shut();
  }

  /** `one` hears all news until the returned function is called. */
  function listen(one: Heard): () => void {
    heard.add(one);
    return () => heard.delete(one);
  }

  return { connected, start, stop, listen };
});

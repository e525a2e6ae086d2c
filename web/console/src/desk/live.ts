import { onBeforeUnmount, onMounted } from "vue";

import { useLive, type News } from "../stores/live";

const GATHER_MS = 400;
const LEAST_MS = 2_000;
const ANYWAY_MS = 60_000;

/**
 * Calls `reload` when there is news that `concerns` the page: soon after it came, never twice within two seconds, and now
 * and then without any news, since what runs out by itself is no news.
 */
export function useReloading(reload: () => void, concerns: (news: News) => boolean): void {
  const live = useLive();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = Infinity;
  let last = 0;
  let leave = () => {};

  /** What is due earlier already stays so, lest news without end put it off for ever. */
  function by(moment: number): void {
    if (due <= moment) return;
    clearTimeout(timer);
    due = moment;
    timer = setTimeout(() => {
      last = Date.now();
      due = Infinity;
      by(last + ANYWAY_MS);
      if (document.visibilityState !== "hidden") reload();
    }, moment - Date.now());
  }

  onMounted(() => {
    leave = live.listen((news) => {
      if (concerns(news)) by(Math.max(Date.now() + GATHER_MS, last + LEAST_MS));
    });
    by(Date.now() + ANYWAY_MS);
  });
  onBeforeUnmount(() => {
    leave();
    clearTimeout(timer);
  });
}

import { onScopeDispose, watch } from "vue";

import type { Loading } from "./loading";

/** Loads again `everyMs` after each answer, good or bad, for as long as `working()` holds and the component lives. */
export function usePolling(loading: Loading<unknown>, working: () => boolean, everyMs = 1200): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(
    loading.busy,
    (busy) => {
      clearTimeout(timer);
      if (!busy && working()) timer = setTimeout(() => void loading.load(), everyMs);
    },
    { flush: "sync" },
  );
  onScopeDispose(() => clearTimeout(timer));
}

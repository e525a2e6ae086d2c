import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from "vue";

import { ApiError } from "./api/transport";

export interface Loading<T> {
  data: ShallowRef<T | null>;
  error: Ref<ApiError | null>;
  busy: Ref<boolean>;
  load: () => Promise<void>;
}

/**
 * Loads with the latest call winning: an earlier one still under way is aborted and its answer ignored.
 * What was loaded before stays in `data` while busy, and after an error unless it says that the thing is no longer there. Errors other than `ApiError` are thrown on.
 */
export function useLoading<T>(fetcher: (signal: AbortSignal) => Promise<T>): Loading<T> {
  const data = shallowRef<T | null>(null);
  const error = ref<ApiError | null>(null);
  const busy = ref(false);
  let current: AbortController | null = null;

  async function load(): Promise<void> {
    current?.abort();
    const mine = new AbortController();
    current = mine;
    busy.value = true;
    error.value = null;
    try {
      const found = await fetcher(mine.signal);
      if (current === mine) data.value = found;
    } catch (cause) {
      if (current !== mine) return;
      if (!(cause instanceof ApiError)) throw cause;
      error.value = cause;
      if (cause.notFound) data.value = null;
    } finally {
      if (current === mine) busy.value = false;
    }
  }

  onScopeDispose(() => {
    current?.abort();
    current = null;
  });
  return { data, error, busy, load };
}

import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from "vue";

import { care } from "./api/care";
import type { EntryBody, Finding } from "./api/types-care";
import { placeOf, type Place } from "./care";
import { problemsOf, tidied } from "./draft";
import { useLoading } from "./loading";

const PAUSE_MS = 600;

export interface Checking {
  findings: ComputedRef<Finding[]>;
  at: (place: Place) => Finding[];
  busy: Ref<boolean>;
  failed: ComputedRef<string | null>;
  /** From now on what is missing is told too: an empty form is not blamed before anybody tried to save it. */
  insist: () => void;
}

/** What the gateway's checks say of the body as it is written, a moment after each change. */
export function useChecking(body: Ref<EntryBody>): Checking {
  const insisting = ref(false);
  const { data, error, busy, load } = useLoading((signal) => care.check(tidied(body.value), signal));

  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(
    () => JSON.stringify(tidied(body.value)),
    () => {
      clearTimeout(timer);
      const worthwhile = body.value.question.trim() || body.value.answer.trim();
      if (worthwhile) timer = setTimeout(() => void load(), PAUSE_MS);
      else data.value = null;
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));

  const own = computed(() =>
    problemsOf(body.value).filter((one) => insisting.value || one.kind === "invalid_dates"),
  );
  const findings = computed(() => {
    const ours = new Set(["missing_question", "missing_answer", "invalid_dates"]);
    return [...own.value, ...(data.value?.findings ?? []).filter((one) => !ours.has(one.kind))];
  });

  return {
    findings,
    at: (place) => findings.value.filter((one) => placeOf(one) === place),
    busy,
    failed: computed(() => error.value?.message ?? null),
    insist: () => (insisting.value = true),
  };
}

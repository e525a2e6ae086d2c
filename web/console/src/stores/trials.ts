import { defineStore } from "pinia";
import { ref, watch } from "vue";

import type { Band, TrialQuestion } from "../api/types";

export interface PastTrial extends TrialQuestion {
  band: Band;
  best: string | null;
  probability: number | null;
  at: string;
}

const KEY = "fssc.console.trials";
const KEPT = 20;

function remembered(): PastTrial[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as PastTrial[];
  } catch {
    return [];
  }
}

function same(a: TrialQuestion, b: TrialQuestion): boolean {
  const key = ({ q, page, node, groups, company }: TrialQuestion) =>
    JSON.stringify([q, page ?? "", node ?? "", [...(groups ?? [])].sort(), company ?? ""]);
  return key(a) === key(b);
}

/** What was tried on the test page since this tab was opened, newest first; trying again moves it up. */
export const useTrials = defineStore("trials", () => {
  const past = ref<PastTrial[]>(remembered());

  watch(past, (kept) => sessionStorage.setItem(KEY, JSON.stringify(kept)), { deep: true });

  function remember(trial: PastTrial): void {
    past.value = [trial, ...past.value.filter((one) => !same(one, trial))].slice(0, KEPT);
  }

  function clear(): void {
    past.value = [];
  }

  return { past, remember, clear };
});

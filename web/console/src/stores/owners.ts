import { defineStore } from "pinia";
import { computed, ref } from "vue";

/** The groups that own knowledge, as far as they have been seen: what filters and forms offer. */
export const useOwners = defineStore("owners", () => {
  const seen = ref(new Set<string>());
  const names = computed(() => [...seen.value].sort((a, b) => a.localeCompare(b, "zh-CN")));

  function saw(owners: readonly string[]): void {
    const fresh = owners.filter((one) => one && !seen.value.has(one));
    if (fresh.length) seen.value = new Set([...seen.value, ...fresh]);
  }

  return { names, saw };
});

import { defineStore } from "pinia";
import { computed, ref } from "vue";

import { desk } from "../api/desk";
import type { People } from "../api/types-desk";

/** Groups and colleagues to whom tickets go. Loaded when first asked for, and anew by `load`. */
export const usePeople = defineStore("people", () => {
  const people = ref<People | null>(null);

  async function load(): Promise<void> {
    people.value = await desk.people();
  }

  const groups = computed(() => people.value?.groups ?? []);
  const colleagues = computed(() => people.value?.people ?? []);
  const me = computed(() => people.value?.me ?? { username: "", groups: [], leads: [] });
  const mayShare = computed(() => people.value?.may_share ?? false);
  const inGroup = (group: string | null | undefined) =>
    colleagues.value.filter((one) => !group || one.groups.includes(group));

  return { people, load, groups, colleagues, me, mayShare, inGroup };
});

import { defineStore } from "pinia";
import { computed, ref } from "vue";

import { meta as api } from "../api/client";
import type { Labelled, Meta } from "../api/types";

/** The words that filters and labels are made of: business types, urgencies, states, scenes. Loaded once. */
export const useMeta = defineStore("meta", () => {
  const meta = ref<Meta | null>(null);
  let loading: Promise<void> | null = null;

  function load(): Promise<void> {
    loading ??= api().then(
      (found) => {
        meta.value = found;
      },
      (error: unknown) => {
        loading = null;
        throw error;
      },
    );
    return loading;
  }

  const businessTypes = computed(() => meta.value?.business_types ?? []);
  const statuses = computed<Labelled[]>(() => meta.value?.statuses ?? []);
  const urgencies = computed<Labelled[]>(() =>
    (meta.value?.urgencies ?? []).map((one) => (typeof one === "string" ? { value: one, label: one } : one)),
  );
  const scenes = computed(() => meta.value?.scenes ?? []);
  const groups = computed(() => meta.value?.groups ?? []);
  const companies = computed(() => meta.value?.companies ?? []);

  /** The page's name, then the node's when there is one; what is unknown stays as it is. */
  function placeOf(page: string, node?: string | null): string[] {
    const found = scenes.value.find((one) => one.page === page);
    const names = [found?.label ?? page];
    if (node) names.push(found?.nodes.find((one) => one.node === node)?.label ?? node);
    return names;
  }

  /** `expense.travel.fill/itinerary` → 差旅报销单填写 · 行程明细. */
  function sceneLabel(scene: string): string {
    const [page = "", node] = scene.split("/");
    return placeOf(page, node).join(" · ");
  }

  return { meta, load, businessTypes, statuses, urgencies, scenes, groups, companies, placeOf, sceneLabel };
});

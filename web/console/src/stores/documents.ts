import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";

import { knowledge } from "../api/client";
import type { Article, Policy, PolicyTable } from "../api/types";
import { articleLabel } from "../labels";

/** Policies and tables that an entry may rest on. */
export const useDocuments = defineStore("documents", () => {
  const policies = shallowRef<Policy[]>([]);
  const tables = shallowRef<PolicyTable[]>([]);

  async function load(signal?: AbortSignal): Promise<void> {
    [policies.value, tables.value] = await Promise.all([knowledge.policies(signal), knowledge.tables(signal)]);
  }

  const byId = computed(() => new Map(policies.value.map((one) => [one.id, one])));

  function article(policy: string | null | undefined, number: number | null | undefined): Article | null {
    return (policy && byId.value.get(policy)?.articles.find((one) => one.number === number)) || null;
  }

  /** 《差旅费管理办法》第十二条, 《会议费标准》; '' for what is not known. */
  function labelOf(source: { policy?: string | null; article?: number | null; table?: string | null }): string {
    const policy = source.policy ? byId.value.get(source.policy) : null;
    if (policy) {
      const cited = article(source.policy, source.article);
      return `${titled(policy.title)}${source.article ? cited?.called || (cited?.label ?? articleLabel(source.article)) : ""}`;
    }
    const table = source.table ? tables.value.find((one) => one.id === source.table) : null;
    return table ? titled(table.title) : "";
  }

  return { policies, tables, load, article, labelOf };
});

const titled = (title: string) => (title.startsWith("《") ? title : `《${title}》`);

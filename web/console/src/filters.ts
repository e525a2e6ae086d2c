import { computed, type ComputedRef } from "vue";
import { useRoute, useRouter, type LocationQuery } from "vue-router";

export interface UrlFilter<Name extends string> {
  values: ComputedRef<Record<Name, string>>;
  page: ComputedRef<number>;
  active: ComputedRef<boolean>;
  set: (changes: Partial<Record<Name, string>>) => void;
  goTo: (page: number) => void;
  clear: () => void;
}

/** The first value of a query parameter, or ''. */
export function queryValue(query: LocationQuery, name: string): string {
  const value = query[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** Filters and page number kept in the address, so that a list can be bookmarked, shared and gone back to. */
export function useUrlFilter<Name extends string>(names: readonly Name[]): UrlFilter<Name> {
  const route = useRoute();
  const router = useRouter();
  const values = computed(
    () => Object.fromEntries(names.map((name) => [name, queryValue(route.query, name)])) as Record<Name, string>,
  );
  const page = computed(() => Math.max(1, Math.floor(Number(queryValue(route.query, "page"))) || 1));
  const active = computed(() => names.some((name) => values.value[name] !== ""));

  function go(wanted: Partial<Record<string, string>>): void {
    const query = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
    void router.push({ query, hash: "" });
  }

  return {
    values,
    page,
    active,
    set: (changes) => go({ ...values.value, ...changes }),
    goTo: (wanted) => go({ ...values.value, page: wanted > 1 ? String(wanted) : "" }),
    clear: () => go({}),
  };
}

import { onScopeDispose, ref, type Ref } from "vue";

/** Whether the screen is a phone's, followed while the component lives. */
export function useNarrow(): Ref<boolean> {
  const query = window.matchMedia("(max-width: 760px)");
  const narrow = ref(query.matches);
  const heard = () => (narrow.value = query.matches);
  query.addEventListener("change", heard);
  onScopeDispose(() => query.removeEventListener("change", heard));
  return narrow;
}

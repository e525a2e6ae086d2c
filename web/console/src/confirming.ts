import { onBeforeUnmount, onMounted } from "vue";

/** Ctrl+Enter confirms while `open()` holds, wherever the cursor is: a dialog that just opened has it nowhere. */
export function useConfirmKey(open: () => boolean, confirm: () => unknown): void {
  function pressed(event: KeyboardEvent): void {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || !open()) return;
    event.preventDefault();
    void confirm();
  }
  onMounted(() => document.addEventListener("keydown", pressed));
  onBeforeUnmount(() => document.removeEventListener("keydown", pressed));
}

import { ElMessageBox } from "element-plus";
import { onBeforeUnmount, onMounted, type Ref } from "vue";
import { onBeforeRouteLeave, onBeforeRouteUpdate } from "vue-router";

/** Asks before what was written and not saved is left behind: on the way to another page and when the tab closes. */
export function useUnsavedGuard(dirty: Ref<boolean>): void {
  async function mayGo(): Promise<boolean> {
    if (!dirty.value) return true;
    try {
      await ElMessageBox.confirm("还有修改没有保存，离开后会丢失。", "离开编辑？", {
        confirmButtonText: "离开，不保存",
        cancelButtonText: "继续编辑",
        type: "warning",
      });
      return true;
    } catch {
      return false;
    }
  }
  onBeforeRouteLeave(mayGo);
  onBeforeRouteUpdate(mayGo);

  function onUnload(event: BeforeUnloadEvent): void {
    if (dirty.value) event.preventDefault();
  }
  onMounted(() => window.addEventListener("beforeunload", onUnload));
  onBeforeUnmount(() => window.removeEventListener("beforeunload", onUnload));
}

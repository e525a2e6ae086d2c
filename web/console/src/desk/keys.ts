import { onBeforeUnmount, onMounted } from "vue";

export type Keys = Record<string, (event: KeyboardEvent) => void>;

/** Whether what is typed now is meant as words. */
export function typing(target: EventTarget | null): boolean {
  const at = target as HTMLElement | null;
  return !!at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName ?? ""));
}

/** Something lies over the page and takes the keys: a dialog, a question, an open list. */
function covered(): boolean {
  return [...document.querySelectorAll<HTMLElement>(".el-overlay, .el-select__popper[aria-hidden=false]")].some(
    (one) => one.style.display !== "none",
  );
}

/** Single keys do things while nothing is typed, no dialog is open and neither Ctrl, Alt nor Cmd is held. */
export function useKeys(keys: Keys): void {
  function pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || covered()) return;
    const at = event.target as HTMLElement;
    if (event.key === "Enter" && at.closest?.("a, button, [role=button], [role=combobox]")) return;
    const doing = keys[event.key];
    if (!doing) return;
    event.preventDefault();
    doing(event);
  }
  onMounted(() => document.addEventListener("keydown", pressed));
  onBeforeUnmount(() => document.removeEventListener("keydown", pressed));
}

export const QUEUE_KEYS: readonly [string, string][] = [
  ["j / k", "下一张 / 上一张"],
  ["Enter", "打开工单"],
  ["x", "选中或取消选中，用于批量处理"],
  ["c", "认领（已派给您的则受理）"],
  ["a", "派给同事"],
  ["r", "打开并回复"],
  ["n", "打开并写内部备注"],
  ["e", "打开并标记解决"],
  ["1 – 7", "切换视图：我的、待领取、本组……"],
  ["/", "搜索"],
  ["?", "显示这张表"],
];

export const TICKET_KEYS: readonly [string, string][] = [
  ["r", "回复员工"],
  ["n", "写内部备注（员工看不到）"],
  ["c", "认领或受理"],
  ["a", "派给同事"],
  ["t", "转到其他组"],
  ["e", "标记解决"],
  ["i", "插入常用回复"],
  ["Ctrl + Enter", "发送正在写的内容"],
  ["Esc", "离开输入框"],
  ["j / k", "列表里的下一张 / 上一张"],
  ["u", "返回列表"],
  ["?", "显示这张表"],
];

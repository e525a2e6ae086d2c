import { shanghaiDay } from "./time";

export interface Validity {
  label: string;
  tone: "success" | "warning" | "info";
  window: string;
}

/** Both ends are days in Asia/Shanghai and belong to the window; an open end is always valid. */
export function validityOf(from: string | null, to: string | null, now: Date): Validity {
  const day = shanghaiDay(now);
  const window = !from && !to ? "长期有效" : `${from ?? "即日"} 起${to ? `，至 ${to}` : "长期有效"}`;
  if (from && from > day) return { label: "未生效", tone: "warning", window };
  if (to && to < day) return { label: "已失效", tone: "info", window };
  return { label: "生效中", tone: "success", window };
}

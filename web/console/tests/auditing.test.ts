import { describe, expect, it } from "vitest";

import { actionName, ticketOf, verdict } from "../src/auditing";

describe("the audit log in words", () => {
  it("says what was done to what, and leaves what it does not know", () => {
    expect(actionName("ticket.claimed")).toBe("工单 · 认领");
    expect(actionName("rules.activated")).toBe("派工规则 · 生效");
    expect(actionName("quality.rubric.published")).toBe("服务质量 · rubric.published");
    expect(actionName("moon.landed")).toBe("moon · landed");
  });

  it("leads to tickets only", () => {
    expect(ticketOf("FW20261122-0001")).toBe("FW20261122-0001");
    expect(ticketOf("staff:zhang")).toBeNull();
    expect(ticketOf("FW20261122-0001/../users")).toBeNull();
  });

  it("tells a broken chain from a rewritten timeline", () => {
    const good = { holds: true, broken: null, altered: null, entries: 12, head: "ab" };
    expect(verdict(good)).toMatchObject({ type: "success", text: expect.stringContaining("12 条") });
    expect(verdict({ ...good, holds: false, broken: 7 })).toMatchObject({ type: "error", title: "日志链已断裂" });
    expect(verdict({ ...good, holds: false, altered: 3 }).text).toContain("事件 3");
  });
});

import { describe, expect, it } from "vitest";

import { actionName, placeOf, subjectName, verdict } from "../src/auditing";

describe("the audit log in words", () => {
  it("says what was done to what, and leaves what it does not know", () => {
    expect(actionName("ticket.claimed")).toBe("工单 · 认领");
    expect(actionName("rules.activated")).toBe("派工规则 · 生效");
    expect(actionName("quality.rubric.published")).toBe("服务质量 · rubric.published");
    expect(actionName("moon.landed")).toBe("moon · landed");
  });

  it("leads to what can be looked at, and calls it by its name", () => {
    expect(placeOf("FW20261122-0001")).toEqual({ name: "ticket", params: { number: "FW20261122-0001" } });
    expect(placeOf("entry:travel-001")).toEqual({ name: "entry", params: { id: "travel-001" } });
    expect(placeOf("release:3")).toEqual({ name: "release", params: { number: "3" } });
    for (const subject of ["staff:zhang", "FW20261122-0001/../users", "release:x", "entries", "entry:"])
      expect(placeOf(subject), subject).toBeNull();
    expect(subjectName("entry:travel-001")).toBe("知识条目 travel-001");
    expect([subjectName("entries"), subjectName("FW20261122-0001")]).toEqual(["多条知识", "FW20261122-0001"]);
  });

  it("tells a broken chain from a rewritten timeline", () => {
    const good = { holds: true, broken: null, altered: null, entries: 12, head: "ab" };
    expect(verdict(good)).toMatchObject({ type: "success", text: expect.stringContaining("12 条") });
    expect(verdict({ ...good, holds: false, broken: 7 })).toMatchObject({ type: "error", title: "日志链已断裂" });
    expect(verdict({ ...good, holds: false, altered: 3 }).text).toContain("事件 3");
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { nextTick } from "vue";

import type { PolicyTable } from "../src/api/types";
import PivotTable from "../src/components/PivotTable.vue";
import { layoutOf, rowAt, showMonths } from "../src/pivot";
import { mount, textOf } from "./mount";

const LODGING: PolicyTable = {
  id: "lodging",
  title: "住宿费限额标准表",
  unit: "元/人·天",
  effective_from: "2026-01-01",
  source: null,
  dimensions: [
    { name: "season", values: ["平季", "旺季"] },
    { name: "level", values: ["部门负责人", "其他人员"] },
    { name: "city", values: ["北京", "三亚", "洛阳"] },
  ],
  rows: [
    { city: "北京", level: "部门负责人", season: "平季", value: 650 },
    { city: "北京", level: "其他人员", season: "平季", value: 500 },
    { city: "三亚", level: "部门负责人", season: "平季", value: 1050 },
    { city: "三亚", level: "部门负责人", season: "旺季", value: 1200, months: [10, 11, 12, 1, 2, 3, 4] },
    { city: "洛阳", level: "其他人员", season: "旺季", value: 500, months: [4, 5], checked: false },
  ],
};

afterEach(() => (document.body.innerHTML = ""));

describe("a policy table laid out", () => {
  it("puts cities down, levels across, and the season on a switch", () => {
    const { rows, columns, switches } = layoutOf(LODGING);
    expect([rows.name, columns?.name, switches.map((one) => one.name)]).toEqual(["city", "level", ["season"]]);
  });

  it("takes the most exact row, and a row without a dimension for all its values", () => {
    const table = {
      ...LODGING,
      rows: [
        { city: "北京", value: 400 },
        { city: "北京", level: "其他人员", value: 300 },
      ],
    };
    expect(rowAt(table, { city: "北京", level: "其他人员" })?.value).toBe(300);
    expect(rowAt(table, { city: "北京", level: "部门负责人" })?.value).toBe(400);
    expect(rowAt(table, { city: "三亚", level: "部门负责人" })).toBeNull();
  });

  it("says months as people do", () => {
    expect(showMonths([7, 8, 9, 11, 12, 1, 2, 3])).toBe("7–9月、11–次年3月");
    expect(showMonths([5])).toBe("5月");
    expect(showMonths()).toBe("");
  });

  it("shows only cities with a rule for the season, and says how many have none", async () => {
    const { root } = await mount(PivotTable, { table: LODGING });
    expect(textOf(root, "tbody tr")).toEqual(["北京650 500", "三亚1,050 —"]);

    const peak = [...root.querySelectorAll<HTMLInputElement>(".el-segmented input")][1]!;
    peak.click();
    await nextTick();
    expect(textOf(root, "tbody tr")).toEqual(["三亚10–次年4月1,200 —", "洛阳4–5月— ※500"]);
    expect(textOf(root, ".foot")[0]).toContain("另有 1 行在“旺季”下没有单独规定");
    expect(textOf(root, ".foot")[0]).toContain("尚未与原始来源核对");
  });

  it("filters rows by name", async () => {
    const { root } = await mount(PivotTable, { table: LODGING, wanted: "京" });
    expect(textOf(root, "tbody th")).toEqual(["北京"]);
  });
});

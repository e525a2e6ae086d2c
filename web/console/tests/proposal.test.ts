import { describe, expect, it } from "vitest";

import type { TableProposal } from "../src/api/types-imports";
import { rowAt } from "../src/pivot";
import { columnPlans, pivoted, planned, problemOf } from "../src/proposal";

const HEADER = ["城市", "部门负责人", "其他人员", "备注"];
const ROWS = [
  ["北京", "650", "500", ""],
  ["三亚", "1,050", "据实报销", "含郊区"],
  ["洛阳", "500", "", ""],
];
const PROPOSAL: TableProposal = {
  id: "lodging",
  title: "住宿费限额标准表",
  unit: "元/人·天",
  dimensions: [{ name: "城市", column: 0 }],
  value_columns: [
    { column: 1, name: "部门负责人" },
    { column: 2, name: "其他人员" },
  ],
  value_dimension: "人员级别",
};

describe("a table found in a policy", () => {
  it("starts from the proposal and says what a person made of it", () => {
    const plans = columnPlans({ header: HEADER, proposal: PROPOSAL });
    expect(plans.map((one) => [one.use, one.name])).toEqual([
      ["dimension", "城市"],
      ["value", "部门负责人"],
      ["value", "其他人员"],
      ["unused", "备注"],
    ]);
    plans[2]!.use = "unused";
    plans[1]!.name = " 限额 ";
    expect(planned(plans)).toEqual({
      dimensions: [{ column: 0, name: "城市" }],
      value_columns: [{ column: 1, name: "限额" }],
    });
  });

  it("becomes a table whose several value columns are one more dimension", () => {
    const table = pivoted(ROWS, PROPOSAL);
    expect(table.dimensions).toEqual([
      { name: "城市", values: ["北京", "三亚", "洛阳"] },
      { name: "人员级别", values: ["部门负责人", "其他人员"] },
    ]);
    expect(rowAt(table, { 城市: "三亚", 人员级别: "部门负责人" })?.value).toBe(1050);
    expect(rowAt(table, { 城市: "三亚", 人员级别: "其他人员" })?.value).toBe("据实报销");
    expect(rowAt(table, { 城市: "洛阳", 人员级别: "其他人员" })).toBeNull();
  });

  it("takes two heads of a column apart", () => {
    const table = pivoted([["海口", "500", "800"]], {
      ...PROPOSAL,
      value_columns: [
        { column: 1, name: "淡季×其他人员" },
        { column: 2, name: "旺季×其他人员" },
      ],
      value_dimension: "季节×人员级别",
    });
    expect(table.dimensions.slice(1)).toEqual([
      { name: "季节", values: ["淡季", "旺季"] },
      { name: "人员级别", values: ["其他人员"] },
    ]);
    expect(rowAt(table, { 城市: "海口", 季节: "旺季", 人员级别: "其他人员" })?.value).toBe(800);
  });

  it("has no dimension across with one value column", () => {
    const table = pivoted(ROWS, { ...PROPOSAL, value_columns: [{ column: 1, name: "限额" }] });
    expect(table.dimensions.map((one) => one.name)).toEqual(["城市"]);
    expect(table.rows[0]).toEqual({ 城市: "北京", value: 650 });
  });

  it("is not taken over when rows cannot be told apart or something is missing", () => {
    expect(problemOf(ROWS, PROPOSAL)).toBeNull();
    expect(problemOf(ROWS, { ...PROPOSAL, dimensions: [] })).toContain("维度");
    expect(problemOf(ROWS, { ...PROPOSAL, value_columns: [] })).toContain("标准值");
    expect(problemOf([...ROWS, ["北京", "700", "600", ""]], PROPOSAL)).toContain("“北京”有不同的值");
    expect(problemOf([...ROWS, ROWS[0]!], PROPOSAL)).toBeNull();
    expect(problemOf(ROWS, { ...PROPOSAL, dimensions: [{ name: "", column: 0 }] })).toContain("名字");
    const twice = [
      { name: "城市", column: 0 },
      { name: "城市", column: 3 },
    ];
    expect(problemOf(ROWS, { ...PROPOSAL, dimensions: twice })).toContain("不能重复");
  });
});

import { describe, expect, it } from "vitest";

import type { DiffLine } from "../src/api/types-care";
import { audienceText, linesOfField, shownLines, valueText } from "../src/diff";

const lines = (text: string): DiffLine[] =>
  text.split("\n").map((line) => ({ op: line[0] as DiffLine["op"], text: line.slice(1) }));
const told = (text: string) =>
  shownLines(lines(text)).map((line) =>
    line.op === "…"
      ? `…${line.count}`
      : line.op + line.pieces.map((piece) => (piece.changed ? `[${piece.text}]` : piece.text)).join(""),
  );

describe("lines of a change", () => {
  it("mark what changed within a line", () => {
    expect(told("-一线城市每天 500 元\n+一线城市每天 650 元")).toEqual([
      "-一线城市每天 [50]0 元",
      "+一线城市每天 [65]0 元",
    ]);
  });

  it("do not mark pieces of lines that have little in common", () => {
    expect(told("-请找主管审批\n+次日到账，无需操作")).toEqual(["-[请找主管审批]", "+[次日到账，无需操作]"]);
  });

  it("belong together one by one, the rest are new", () => {
    expect(told("-第一步：填单\n-第二步：提交\n+第一步：填写单据\n+第二步：提交给主管\n+第三步：等待")).toEqual([
      "-第一步：填[单]",
      "-第二步：提交",
      "+第一步：填[写单据]",
      "+第二步：提交[给主管]",
      "+[第三步：等待]",
    ]);
  });

  it("fold what lies far from any change, and never a single line", () => {
    expect(told(" a\n b\n c\n d\n+e\n f\n g\n h")).toEqual(["…2", " c", " d", "+[e]", " f", " g", " h"]);
    expect(told(" a\n b\n c\n+d")).toEqual([" a", " b", " c", "+[d]"]);
  });

  it("come from the values where the gateway sent none", () => {
    const field = { field: "owner", label: "负责组", before: "报销组", after: "应付组", lines: [] };
    expect(linesOfField(field)).toEqual([
      { op: "-", text: "报销组" },
      { op: "+", text: "应付组" },
    ]);
    expect(linesOfField({ ...field, before: null, after: "" })).toEqual([]);
    expect(linesOfField({ ...field, before: null })).toEqual([{ op: "+", text: "应付组" }]);
  });
});

describe("values as people read them", () => {
  it.each([
    [["a", "b"], "a、b"],
    [{ companies: [], groups: ["finance"] }, "人员组：finance"],
    [{ label: "《差旅费管理办法》第二条", policy: "travel" }, "《差旅费管理办法》第二条"],
    [null, ""],
    [3, "3"],
  ])("%j is %s", (value, text) => expect(valueText(value)).toBe(text));

  it("says who may see an entry", () => {
    expect(audienceText(null)).toBe("所有人（含未登录访客）");
    expect(audienceText({ companies: ["甲公司", "乙公司"], groups: ["finance"] })).toBe(
      "公司：甲公司、乙公司；并且人员组：finance",
    );
  });
});

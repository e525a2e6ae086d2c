import { describe, expect, it, vi } from "vitest";

import type { ImportJob } from "../src/api/types-imports";
import { changeCounts, firstShown } from "../src/articles";
import PolicyImport from "../src/components/PolicyImport.vue";
import { fileSize, plan, policyPlan, progressOf, refusalOf, report, rowFilters } from "../src/importing";
import { mount, textOf } from "./mount";

const file = (name: string, size = 1000) => ({ name, size });

describe("a file before it is sent", () => {
  it("is refused with what to do where no server need look at it", () => {
    expect(refusalOf(file("问答.xlsx", 0))).toContain("空的");
    expect(refusalOf(file("问答.xlsx", 60 * 1024 ** 2))).toMatch(/60\.0 MB.*拆成几个/);
    expect(refusalOf(file("旧表.XLS"))).toContain("另存为 .xlsx");
    expect(refusalOf(file("制度.doc"))).toContain("另存为 .docx");
  });

  it("goes out otherwise, whatever it is called: the server looks inside", () => {
    for (const name of ["问答.xlsx", "问答.csv", "制度.docx", "制度.pdf", "宏.xlsm", "无后缀"]) {
      expect(refusalOf(file(name)), name).toBeNull();
    }
    expect(refusalOf(file("恰好.pdf", 50 * 1024 ** 2))).toBeNull();
  });

  it("says its size as people do", () => {
    expect([fileSize(12), fileSize(1536), fileSize(3.25 * 1024 ** 2)]).toEqual(["12 B", "1.5 KB", "3.3 MB"]);
  });
});

describe("how far an import is", () => {
  it("never shows the whole before all is done, and nothing while the total is unknown", () => {
    expect(progressOf({ progress: { done: 49_999, total: 50_000 } })).toBe(99);
    expect(progressOf({ progress: { done: 3, total: 0 } })).toBeNull();
  });
});

describe("what an import says", () => {
  const counts = { rows: 31, create: 20, update: 4, same: 3, collide: 2, invalid: 2, open: 2 };

  it("names what will be written and what will not", () => {
    expect(plan(counts)).toBe(
      "确认后将新建 20 条、更新 4 条、按您的选择处理 2 行冲突；3 行与现有内容相同，2 行不能导入，不会写入。",
    );
    expect(plan({ rows: 3, same: 3 })).toBe("没有需要写入的内容；3 行与现有内容相同，不会写入。");
    expect(plan({ create: 1 })).toBe("确认后将新建 1 条。");
  });

  it("offers only the filters that find something: by plan before, by outcome after", () => {
    expect(rowFilters({ state: "preview", counts }).map((one) => [one.value, one.count])).toEqual([
      ["", 31],
      ["create", 20],
      ["update", 4],
      ["collide", 2],
      ["same", 3],
      ["invalid", 2],
    ]);
    const done = { ...counts, created: 20, merged: 1, failed: 2 };
    expect(rowFilters({ state: "done", counts: done }).map((one) => one.value)).toEqual(["", "created", "merged", "failed"]);
  });

  it("sums up a policy against the stored version", () => {
    expect(policyPlan({ articles: 12, changed: 2, added: 1, removed: 0, tables: 1 })).toBe("修改 2 条、新增 1 条，1 张表");
    expect(policyPlan({ articles: 12, unchanged: 12 })).toBe("12 条条款没有变化");
  });

  it("counts what was done", () => {
    expect(report({ created: 20, merged: 1, failed: 2, skipped: 0 })).toBe("已新建 20，已合并 1，未导入 2");
    expect(report({ created: 3, held: 1 })).toBe("已新建 3，其中 1 行有问题，存为草稿");
    expect(report({})).toBe("没有写入任何内容");
  });
});

describe("a policy's articles", () => {
  const article = (change: "changed" | "unchanged" | "added", number: number) => ({
    change,
    number,
    title: "",
    chapter: "",
    before: null,
    after: null,
    lines: [],
  });

  it("shows changes first, or everything when there is no change", () => {
    const some = [article("unchanged", 1), article("unchanged", 2), article("changed", 3), article("added", 4)];
    expect(changeCounts(some).map((one) => [one.change, one.count])).toEqual([
      ["changed", 1],
      ["added", 1],
      ["unchanged", 2],
    ]);
    expect(firstShown(some)).toEqual(["changed", "added"]);
    expect(firstShown(some.slice(0, 2))).toEqual(["unchanged"]);
  });
});

describe("a policy before it is confirmed", () => {
  const job = { id: "1", state: "preview", author: "chen", counts: {} } as unknown as ImportJob;
  const policy = { id: "print", title: "印刷费管理办法", number: "", version: "2023.1", effective_from: "2023-01-01" };

  it.each([
    [false, "下次发布后生效。"],
    [true, "只作为历史版本保存，现行版本不变。"],
  ])("says what becomes of it: history only is %s", async (historic, ending) => {
    const found = { policy, historic, against: null, articles: [], tables: [], affected_entries: [], notes: [] };
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Response.json(found)),
    );
    const { app, root } = await mount(PolicyImport, { job });
    await vi.waitFor(() => expect(textOf(root, ".confirm p")[0]).toContain(ending));
    expect(textOf(root, "section .warn")).toEqual(historic ? ["施行日期早于已入库的版本：这一版只作为历史版本保存。"] : []);
    app.unmount();
  });
});

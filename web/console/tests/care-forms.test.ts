import { afterEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h, nextTick, ref, type Component } from "vue";

import type { Finding } from "../src/api/types-care";
import EntryDiff from "../src/components/care/EntryDiff.vue";
import FindingList from "../src/components/care/FindingList.vue";
import SimilarEditor from "../src/components/care/SimilarEditor.vue";
import { mount, textOf } from "./mount";

afterEach(() => (document.body.innerHTML = ""));

describe("the list of similar questions", () => {
  async function open(start: string[]) {
    const similar = ref(start);
    const page = defineComponent(() => () =>
      h(SimilarEditor as Component, {
        modelValue: similar.value,
        question: "发票丢了怎么办？",
        "onUpdate:modelValue": (made: string[]) => (similar.value = made),
      }),
    );
    const { root } = await mount(page);
    const box = (n: number) => root.querySelectorAll("input")[n]!;
    const press = async (n: number, key: string) => {
      box(n).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      await nextTick();
      await nextTick();
    };
    return { similar, root, box, press };
  }

  it("takes many pasted lines at once, in place of an empty row", async () => {
    const { similar, box, press } = await open(["发票遗失"]);
    await press(0, "Enter");
    expect(similar.value).toEqual(["发票遗失", ""]);
    const paste = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(paste, { clipboardData: { getData: () => "1. 发票不见了\n2. 发票没了\n" } });
    box(1).dispatchEvent(paste);
    expect(similar.value).toEqual(["发票遗失", "发票不见了", "发票没了"]);
    expect(paste.defaultPrevented).toBe(true);
  });

  it("leaves one pasted line to the browser", async () => {
    const { similar, box } = await open(["发票"]);
    const paste = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(paste, { clipboardData: { getData: () => "不见了" } });
    box(0).dispatchEvent(paste);
    expect([similar.value, paste.defaultPrevented]).toEqual([["发票"], false]);
  });

  it("makes a row below with Enter, takes an empty one away with Backspace, and never one with words", async () => {
    const { similar, box, press } = await open(["甲", "乙"]);
    await press(0, "Enter");
    expect(similar.value).toEqual(["甲", "", "乙"]);
    expect(document.activeElement).toBe(box(1));
    await press(1, "Backspace");
    expect(similar.value).toEqual(["甲", "乙"]);
    await press(1, "Backspace");
    expect(similar.value).toEqual(["甲", "乙"]);
  });

  it("does nothing with the Enter that ends composing", async () => {
    const { similar, box } = await open(["甲"]);
    box(0).dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }));
    expect(similar.value).toEqual(["甲"]);
  });

  it("marks what repeats the standard question", async () => {
    const { root } = await open(["发票丢了怎么办", "发票遗失"]);
    expect(textOf(root, "li.twice .note")).toEqual(["重复"]);
  });
});

it("findings say how bad they are and lead to the other entry in a new tab", async () => {
  const findings: Finding[] = [
    { kind: "duplicate", severity: "error", message: "已有同样的问法。", entry_id: "travel-001", question: "住宿费" },
    { kind: "amount", severity: "warning", message: "请核对金额。" },
  ];
  const { root } = await mount(FindingList, { findings });
  expect([...root.querySelectorAll("li")].map((one) => one.className)).toEqual(["error", "warning"]);
  const link = root.querySelector("a")!;
  expect([link.textContent!.trim(), link.target]).toEqual(["查看“住宿费”", "_blank"]);
});

it("a change is shown by field, in the console's own words, and what says nothing is left out", async () => {
  vi.stubGlobal(
    "fetch",
    vi.fn(async () =>
      Response.json({
        fields: [
          {
            field: "answer",
            label: "答案",
            before: "每晚 500 元",
            after: "每晚 650 元",
            lines: [
              { op: "-", text: "每晚 500 元" },
              { op: "+", text: "每晚 650 元" },
            ],
          },
          { field: "owner", label: "责任组", before: "甲组", after: "乙组", lines: [] },
          { field: "title", label: "标题", before: "", after: null, lines: [] },
        ],
      }),
    ),
  );
  const { root } = await mount(EntryDiff, { id: "travel-001", from: 1, to: "draft" });
  await vi.waitFor(() => expect(textOf(root, "dt")).toEqual(["答案", "负责组"]));
  expect(textOf(root, "del")).toEqual(["每晚 500 元", "甲组"]);
  expect(textOf(root, "ins b")).toEqual(["65", "乙"]);
  expect(vi.mocked(fetch).mock.calls[0]![0]).toContain("/kb/entries/travel-001/diff?from=1&to=draft");
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import type { Trial } from "../src/api/types";
import TrialForm from "../src/components/TrialForm.vue";
import TrialResult from "../src/components/TrialResult.vue";
import { useTrials } from "../src/stores/trials";
import { fromQuery, toQuery, verdict } from "../src/trial";
import { mount, textOf } from "./mount";

const THRESHOLDS = { answer: 0.74, clarify: 0.18 };
const candidate = (entry_id: string, probability: number) => ({
  entry_id,
  question: `问题 ${entry_id}`,
  probability,
  matched_question: null,
  business_type: "差旅报销",
  features: { similarity: 0.89123, scene: 1 },
});
const trial = (band: Trial["band"], ...probabilities: number[]): Trial => ({
  band,
  release: 3,
  thresholds: THRESHOLDS,
  candidates: probabilities.map((probability, index) => candidate(`e${index}`, probability)),
});

beforeEach(() => sessionStorage.clear());
afterEach(() => (document.body.innerHTML = ""));

describe("what the employee would see", () => {
  it("is said in words", () => {
    expect(verdict(trial("answer", 0.9))).toContain("会直接回答“问题 e0”");
    expect(verdict(trial("clarify", 0.3, 0.2, 0.1))).toContain("概率合计 60.0%，达到澄清阈值 18.0%，会列出 3 个");
    expect(verdict(trial("clarify", 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))).toContain("列出 5 个");
    expect(verdict({ ...trial("none", 0.1), in_scope: 0.12 })).toContain("12.0%，低于澄清阈值 18.0%");
    expect(verdict(trial("none"))).toContain("没有找到任何候选");
  });

  it("is drawn: bars by probability with both thresholds, what becomes of each, features on demand", async () => {
    const { root } = await mount(TrialResult, { trial: { ...trial("answer", 0.9, 0.3, 0.01), in_scope: 0.97 } });
    const widths = [...root.querySelectorAll<HTMLElement>(".fill")].map((one) => one.style.width);
    expect(widths).toEqual(["97.0%", "90.0%", "30.0%", "1.0%"]);
    expect(textOf(root, ".score")).toEqual(["90.0%直接回答", "30.0%不展示", "1.0%不展示"]);
    expect([...root.querySelectorAll<HTMLElement>(".line")].map((one) => one.style.left)).toEqual([
      "18.0%",
      "74.0%",
      "74.0%",
      "74.0%",
    ]);

    const more = root.querySelector<HTMLButtonElement>(".more")!;
    expect(root.querySelector("dl")).toBeNull();
    more.click();
    await nextTick();
    expect(more.getAttribute("aria-expanded")).toBe("true");
    expect(textOf(root, "dl div")).toEqual(["语义相似0.891", "场景匹配1"]);
  });

  it("offers the five best when it asks back", async () => {
    const { root } = await mount(TrialResult, { trial: trial("clarify", 0.2, 0.1, 0.1, 0.1, 0.1, 0.1) });
    expect(textOf(root, ".score span")).toEqual([...Array(5).fill("列为选项"), "不展示"]);
  });
});

describe("asking", () => {
  it("asks on submit only, trimmed", async () => {
    const ask = vi.fn();
    const { root } = await mount(TrialForm, { asked: { q: "" }, busy: false, onAsk: ask });
    const input = root.querySelector<HTMLInputElement>("input[name=q]")!;
    input.value = "  住宿费  ";
    input.dispatchEvent(new Event("input"));
    await nextTick();
    expect(ask).not.toHaveBeenCalled();
    root.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    expect(ask).toHaveBeenCalledWith(expect.objectContaining({ q: "住宿费" }));
  });

  it("does not ask while an input method is composing", async () => {
    const { root } = await mount(TrialForm, { asked: { q: "zhusu" }, busy: false });
    const enter = new KeyboardEvent("keydown", { key: "Enter", isComposing: true, cancelable: true, bubbles: true });
    root.querySelector("input[name=q]")!.dispatchEvent(enter);
    expect(enter.defaultPrevented).toBe(true);
  });

  it("keeps the question in the address", () => {
    const question = { q: "住宿", page: "expense.travel.fill", node: "itinerary", groups: ["财务"], company: "" };
    expect(toQuery(question)).toEqual({ q: "住宿", page: "expense.travel.fill", node: "itinerary", groups: "财务" });
    expect(toQuery({ q: "住宿", node: "itinerary" })).toEqual({ q: "住宿" });
    expect(fromQuery({ q: "住宿", groups: "财务" })).toMatchObject({ q: "住宿", groups: ["财务"], page: "" });
  });
});

describe("what was tried", () => {
  it("is kept for the session, newest first, once each", async () => {
    await mount(TrialForm, { asked: { q: "" }, busy: false });
    const trials = useTrials();
    const past = (q: string, page = "") => ({ q, page, band: "none" as const, best: null, probability: null, at: q });
    trials.remember(past("甲"));
    trials.remember(past("乙"));
    trials.remember(past("甲", "expense.list"));
    trials.remember(past("甲"));
    expect(trials.past.map(({ q, page }) => `${q}${page}`)).toEqual(["甲", "甲expense.list", "乙"]);
    await nextTick();
    expect(JSON.parse(sessionStorage.getItem("fssc.console.trials")!)).toHaveLength(3);
  });
});

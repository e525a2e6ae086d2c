import { expect, test, vi } from "vitest";
import type { SurveyQuestion } from "../src/chat/message";
import { surveyCard, type SurveyAsked } from "../src/view/survey";

const QUESTIONS: SurveyQuestion[] = [
  { id: "overall", kind: "score", text: "满意吗？", options: [], many: false, required: true },
  { id: "better", kind: "choice", text: "改进什么？", options: ["更快", "更准", "少补材料"], many: true, required: false },
  { id: "words", kind: "text", text: "还想说什么？", options: [], many: false, required: false },
];
const NOW = new Date("2026-11-22T03:00:00Z");
const asked = (more: Partial<SurveyAsked> = {}): SurveyAsked => ({
  questions: QUESTIONS,
  expires_at: "2026-11-29T03:00:00Z",
  ...more,
});
const press = (card: HTMLElement, key: string) => card.querySelector<HTMLElement>(`[data-focus="survey:${key}"]`)!.click();
const send = async (card: HTMLElement) => {
  card.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
  await vi.waitFor(() => expect(card.querySelector("button[disabled]")).toBeNull());
};

test("what is required is asked for, and what was chosen is sent once", async () => {
  const answer = vi.fn(async () => null);
  const card = surveyCard(asked(), answer, NOW);
  await send(card);
  expect(answer).not.toHaveBeenCalled();
  expect(card.querySelector("[role=alert]")!.textContent).toBe("请回答：满意吗？");
  press(card, "overall:3");
  press(card, "overall:4");
  press(card, "better:更快");
  press(card, "better:更准");
  press(card, "better:更快");
  expect(card.querySelectorAll('[aria-checked="true"]')).toHaveLength(2);
  await send(card);
  expect(answer).toHaveBeenCalledExactlyOnceWith({ overall: 4, better: ["更准"] });
  expect(card.textContent).toContain("感谢");
});

test("a refusal is told in the server's words, and what was filled in stays", async () => {
  const card = surveyCard(asked(), async () => "这份问卷已经结束，谢谢您的关注。", NOW);
  press(card, "overall:5");
  await send(card);
  expect(card.querySelector("[role=alert]")!.textContent).toContain("已经结束");
  expect(card.querySelector('[data-focus="survey:overall:5"]')!.getAttribute("aria-checked")).toBe("true");
});

test("answers can be changed until the questionnaire expires", () => {
  const given = { overall: 2, words: "慢" };
  const card = surveyCard(asked({ answers: given }), async () => null, NOW);
  expect(card.textContent).toContain("感谢");
  press(card, "change");
  expect(card.querySelector('[data-focus="survey:overall:2"]')!.getAttribute("aria-checked")).toBe("true");
  expect(card.querySelector("textarea")!.value).toBe("慢");
  const late = new Date("2026-12-01T00:00:00Z");
  expect(surveyCard(asked(), async () => null, late).textContent).toContain("已经结束");
  expect(surveyCard(asked({ answers: given }), async () => null, late).querySelector("button")).toBeNull();
});

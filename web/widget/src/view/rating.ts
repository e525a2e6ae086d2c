import type { Satisfaction } from "../chat/message";
import { h } from "./dom";

const SCORES = [
  { score: 1, label: "很不满意" },
  { score: 2, label: "不满意" },
  { score: 3, label: "一般" },
  { score: 4, label: "满意" },
  { score: 5, label: "非常满意" },
];
const MOST_WORDS = 500;

export interface RatingAsked {
  number: string;
  /** Scores up to this one are low. */
  low: number;
  reasons: { low: string[]; high: string[] };
  given: Satisfaction | null;
}

export type Rate = (score: number, reasons: string[], words: string) => Promise<boolean>;

/** One to five, then why, then thanks; what was said can be changed while the question is open. */
export function ratingCard(asked: RatingAsked, rate: Rate): HTMLElement {
  const card = h("div", { class: "card rating" });
  const draw = (given: Satisfaction | null, changing: boolean): void => {
    if (given?.state === "expired" || given?.state === "withdrawn") {
      card.replaceChildren(h("p", { class: "caption" }, given.state === "expired" ? "评价时间已过。" : "工单已重新打开，解决后再请您评价。"));
    } else if (given?.score && !changing) {
      card.replaceChildren(
        h("p", { class: "rated" }, `您评了 ${given.score} 分（${SCORES[given.score - 1]!.label}）。感谢反馈！`),
        h("button", { type: "button", class: "link", "data-focus": "rating:change", onclick: () => draw(given, true) }, "修改评价"),
      );
    } else card.replaceChildren(form(asked, given, rate));
  };
  draw(asked.given, false);
  return card;
}

function form(asked: RatingAsked, given: Satisfaction | null, rate: Rate): HTMLElement {
  let score = given?.score ?? 0;
  const chosen = new Set(given?.reasons ?? []);
  const words = h("textarea", { rows: 2, maxlength: MOST_WORDS, "aria-label": "想说的话", placeholder: "还想说点什么？（选填）" });
  words.value = given?.words ?? "";
  const reasons = h("div", { class: "rating-reasons", role: "group", "aria-label": "原因，可多选" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const submit = h("button", { type: "button", class: "primary", "data-focus": "rating:send" }, "提交评价");
  const more = h("div", { class: "rating-more", hidden: true }, reasons, words, problem, submit);
  const stars = SCORES.map((one) =>
    h(
      "button",
      {
        type: "button",
        role: "radio",
        "aria-label": `${one.score} 分，${one.label}`,
        "data-focus": `rating:${one.score}`,
        onclick: () => pick(one.score),
      },
      h("b", {}, String(one.score)),
      h("span", {}, one.label),
    ),
  );

  const pick = (picked: number): void => {
    score = picked;
    stars.forEach((star, index) => star.setAttribute("aria-checked", String(index + 1 === score)));
    const offered = score <= asked.low ? asked.reasons.low : score === 3 ? [...asked.reasons.low, ...asked.reasons.high] : asked.reasons.high;
    for (const one of [...chosen]) if (!offered.includes(one)) chosen.delete(one);
    reasons.replaceChildren(
      h("span", { class: "caption" }, score <= asked.low ? "哪里让您不满意？" : "哪里做得好？"),
      ...offered.map((one) =>
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(chosen.has(one)),
            onclick: (event: Event) => {
              if (!chosen.delete(one)) chosen.add(one);
              (event.currentTarget as HTMLElement).setAttribute("aria-pressed", String(chosen.has(one)));
            },
          },
          one.slice(one.indexOf(":") + 1),
        ),
      ),
    );
    more.hidden = false;
  };
  submit.addEventListener("click", async () => {
    submit.disabled = true;
    const kept = await rate(score, [...chosen], words.value.trim());
    submit.disabled = false;
    problem.hidden = kept;
    problem.textContent = kept ? "" : "没有提交成功，请稍后再试。";
  });
  if (score) pick(score);
  return h(
    "div",
    {},
    h("div", { class: "scores", role: "radiogroup", "aria-label": `工单 ${asked.number} 的满意度` }, ...stars),
    more,
  );
}

import type { SurveyAnswers, SurveyQuestion } from "../chat/message";
import { h } from "./dom";

export interface SurveyAsked {
  questions: SurveyQuestion[];
  /** ISO 8601. */
  expires_at: string;
  /** What was answered before. */
  answers?: SurveyAnswers | null;
}

/** Null when they are kept, else what to tell the employee. */
export type Answer = (answers: SurveyAnswers) => Promise<string | null>;

const MOST_WORDS = 500;

/** A questionnaire to fill in; then thanks. Until it expires the answers can be changed. */
export function surveyCard(asked: SurveyAsked, answer: Answer, now = new Date()): HTMLElement {
  const card = h("div", { class: "card survey" });
  const over = new Date(asked.expires_at) <= now;
  const draw = (given: SurveyAnswers | null, changing: boolean): void => {
    if (given && !changing) {
      card.replaceChildren(
        h("p", { class: "rated" }, "问卷已提交，感谢您的回答！"),
        ...(over
          ? []
          : [h("button", { type: "button", class: "link", "data-focus": "survey:change", onclick: () => draw(given, true) }, "修改回答")]),
      );
    } else if (over) card.replaceChildren(h("p", { class: "caption" }, "这份问卷已经结束。"));
    else card.replaceChildren(form(asked.questions, given ?? {}, answer, (answers) => draw(answers, false)));
  };
  draw(asked.answers ?? null, false);
  return card;
}

function form(
  questions: SurveyQuestion[],
  before: SurveyAnswers,
  answer: Answer,
  done: (answers: SurveyAnswers) => void,
): HTMLElement {
  const answers: SurveyAnswers = structuredClone(before);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary", "data-focus": "survey:send" }, "提交问卷");
  const tell = (text: string | null): void => {
    problem.hidden = text === null;
    problem.textContent = text ?? "";
  };
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = questions.find((one) => one.required && empty(answers[one.id]));
    if (missing) return tell(`请回答：${missing.text}`);
    submit.disabled = true;
    const given = Object.fromEntries(Object.entries(answers).filter(([, value]) => !empty(value)));
    const refused = await answer(given);
    submit.disabled = false;
    tell(refused);
    if (refused === null) done(given);
  };
  return h(
    "form",
    { novalidate: true, onsubmit: send },
    ...questions.map((question) =>
      h(
        "fieldset",
        {},
        h("legend", {}, question.text, question.required && h("span", { class: "required", "aria-label": "必答" }, " *")),
        field(question, answers),
      ),
    ),
    problem,
    submit,
  );
}

const empty = (value: SurveyAnswers[string] | undefined): boolean =>
  value === undefined || (typeof value !== "number" && value.length === 0);

function field(question: SurveyQuestion, answers: SurveyAnswers): HTMLElement {
  if (question.kind === "text") {
    const box = h("textarea", {
      rows: 2,
      maxlength: MOST_WORDS,
      "aria-label": question.text,
      oninput: () => (answers[question.id] = box.value.trim()),
    });
    box.value = String(answers[question.id] ?? "");
    return box;
  }
  const options: (string | number)[] = question.kind === "score" ? [1, 2, 3, 4, 5] : question.options;
  const pressed = (option: string | number): boolean => {
    const given = answers[question.id];
    return Array.isArray(given) ? given.includes(String(option)) : given === option;
  };
  const buttons = options.map((option) =>
    h(
      "button",
      {
        type: "button",
        role: question.many ? "checkbox" : "radio",
        "aria-checked": String(pressed(option)),
        "data-focus": `survey:${question.id}:${option}`,
        onclick: () => {
          answers[question.id] = question.many ? toggled(answers[question.id], String(option)) : option;
          buttons.forEach((button, index) => button.setAttribute("aria-checked", String(pressed(options[index]!))));
        },
      },
      String(option),
    ),
  );
  return h(
    "div",
    {
      class: question.kind === "score" ? "survey-scores" : "survey-options",
      role: question.many ? "group" : "radiogroup",
      "aria-label": question.kind === "score" ? `${question.text}（1 最低，5 最高）` : question.text,
    },
    ...buttons,
  );
}

function toggled(given: SurveyAnswers[string] | undefined, option: string): string[] {
  const chosen = Array.isArray(given) ? given : [];
  return chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option];
}

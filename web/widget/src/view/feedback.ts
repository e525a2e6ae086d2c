import type { AnswerMessage, FeedbackReason } from "../chat/message";
import type { Actions } from "./actions";
import { h, icon } from "./dom";

const REASONS: { reason: FeedbackReason; label: string }[] = [
  { reason: "incorrect", label: "答案有误" },
  { reason: "incomplete", label: "不完整" },
  { reason: "outdated", label: "已过时" },
  { reason: "unclear", label: "看不懂" },
  { reason: "impolite", label: "语气不好" },
];

/** 有用 / 没用, and what was wrong with the answer. */
export function feedback(message: AnswerMessage, actions: Actions): HTMLElement {
  const given = message.feedback ?? null;
  const vote = (helpful: boolean) => {
    const pressed = given?.helpful === helpful;
    return h(
      "button",
      {
        type: "button",
        class: "vote",
        "aria-pressed": String(pressed),
        "data-focus": `vote:${helpful}`,
        onclick: () => {
          if (!pressed) actions.rate(message.id, helpful);
        },
      },
      icon(helpful ? "up" : "down"),
      helpful ? "有用" : "没用",
    );
  };
  return h(
    "div",
    { class: "feedback" },
    h("div", { class: "votes", role: "group", "aria-label": "这个回答有用吗" }, vote(true), vote(false)),
    given && given.helpful && h("p", { class: "thanks" }, "感谢反馈。"),
    given && !given.helpful && reasons(message, given.reason ?? null, actions),
  );
}

function reasons(message: AnswerMessage, given: FeedbackReason | null, actions: Actions): HTMLElement {
  if (given) {
    const label = REASONS.find(({ reason }) => reason === given)?.label ?? "其他";
    return h("p", { class: "thanks" }, `已记录：${label}。我们会改进，也可以点“转人工”继续咨询。`);
  }
  return h(
    "div",
    { class: "reasons", role: "group", "aria-label": "哪里没有帮到您" },
    h("span", { class: "caption" }, "哪里没有帮到您？"),
    ...REASONS.map(({ reason, label }) =>
      h(
        "button",
        {
          type: "button",
          "data-focus": `reason:${reason}`,
          onclick: () => actions.rate(message.id, false, reason),
        },
        label,
      ),
    ),
  );
}

import type { Conversation } from "../chat/conversation";
import type { Actions } from "./actions";
import { h } from "./dom";

/** One line above the messages that tells what is wrong, and what to do. */
export class StatusBar {
  readonly element = h("div", { class: "status-bar", role: "status", hidden: true });
  private shown = "";

  constructor(private readonly actions: Actions) {}

  render(conversation: Conversation): void {
    const { tokenProblem, connection, notice } = conversation;
    const text = tokenProblem
      ? `${tokenProblem.message} 您已输入的内容会保留，重新登录后自动发送。`
      : connection === "offline"
        ? "网络已断开，您的消息会在恢复后自动发送。"
        : connection === "reconnecting"
          ? "正在重新连接…"
          : (notice ?? "");
    if (text === this.shown) return;
    this.shown = text;
    this.element.hidden = !text;
    this.element.dataset.kind = tokenProblem ? "token" : "connection";
    this.element.replaceChildren(
      h("span", {}, text),
      tokenProblem
        ? h("button", { type: "button", class: "link", onclick: () => this.actions.reconnect() }, "已登录，重试")
        : "",
    );
  }
}

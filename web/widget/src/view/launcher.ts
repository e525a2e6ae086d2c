import { h, icon } from "./dom";

const MOST_SHOWN = 99;

/** The floating button that opens the dialog, with the number of unread messages. */
export class Launcher {
  readonly element: HTMLButtonElement;
  private readonly badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });

  constructor(open: () => void) {
    this.element = h(
      "button",
      { type: "button", class: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: open },
      icon("chat"),
      h("span", { class: "launcher-text", "aria-hidden": "true" }, "财务客服"),
      this.badge,
    );
    this.render(0, false);
  }

  focus(): void {
    this.element.hidden = false;
    this.element.focus({ preventScroll: true });
  }

  render(unread: number, open: boolean): void {
    this.element.hidden = open;
    this.element.setAttribute("aria-expanded", String(open));
    const label = unread > 0 ? `打开财务共享客服，${unread} 条未读消息` : "打开财务共享客服";
    if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label);
    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > MOST_SHOWN ? `${MOST_SHOWN}+` : String(unread);
  }
}

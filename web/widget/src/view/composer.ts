import { MESSAGE_LIMIT } from "../chat/conversation";
import { h, icon } from "./dom";

const PLACEHOLDER = matchMedia("(pointer: coarse)").matches ? "请描述您的问题" : "请描述您的问题，Enter 发送";
const COUNTER_FROM = 200;
const TALLEST = 132;

/** The place to type: Enter sends, Shift+Enter breaks the line, and an input method keeps its own Enter. */
export class Composer {
  readonly element: HTMLElement;
  private readonly input: HTMLTextAreaElement;
  private readonly button: HTMLButtonElement;
  private readonly clip: HTMLButtonElement;
  private readonly counter = h("span", { class: "counter", id: "counter" });

  constructor(
    private readonly send: (text: string) => void,
    attach: (files: File[]) => void,
  ) {
    const picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      onchange: () => {
        attach([...(picker.files ?? [])]);
        picker.value = "";
      },
    });
    this.clip = h(
      "button",
      { type: "button", class: "clip", "aria-label": "发送附件", title: "发送附件，单个不超过 20 MB", hidden: true, onclick: () => picker.click() },
      icon("clip"),
    );
    this.input = h("textarea", {
      rows: 1,
      "aria-label": "输入您的问题",
      "aria-describedby": "counter",
      placeholder: PLACEHOLDER,
      enterkeyhint: "send",
      autocomplete: "off",
      oninput: () => this.refresh(),
      onkeydown: (event: KeyboardEvent) => this.keydown(event),
    });
    this.button = h("button", { type: "submit", class: "send", "aria-label": "发送", disabled: true }, icon("send"));
    this.element = h(
      "form",
      {
        class: "composer",
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.submit();
        },
      },
      picker,
      this.clip,
      h("div", { class: "entry" }, this.input, this.counter),
      this.button,
    );
    this.refresh();
  }

  get text(): string {
    return this.input.value;
  }

  set text(value: string) {
    this.input.value = value;
    this.refresh();
  }

  /** Who reads what is typed; null is the bot. */
  set listener(name: string | null) {
    this.clip.hidden = name === null;
    const text = name ? `对 ${name} 说…` : PLACEHOLDER;
    if (this.input.placeholder !== text) this.input.placeholder = text;
  }

  set uploading(uploading: boolean) {
    this.clip.disabled = uploading;
  }

  focus(): void {
    this.input.focus({ preventScroll: true });
  }

  private keydown(event: KeyboardEvent): void {
    // Safari ends the composition before the Enter that confirmed it; 229 tells that the input method took the key.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) {
      event.preventDefault();
      this.submit();
    }
  }

  private submit(): void {
    if (!this.sendable) return;
    const text = this.input.value.trim();
    this.text = "";
    this.send(text);
  }

  private get length(): number {
    return [...this.input.value.trim()].length;
  }

  private get sendable(): boolean {
    return this.length > 0 && this.length <= MESSAGE_LIMIT;
  }

  private refresh(): void {
    const { length } = this;
    const over = length - MESSAGE_LIMIT;
    this.button.disabled = !this.sendable;
    this.counter.hidden = length < COUNTER_FROM;
    // Read out only when it is too much: a count at every key would talk over the typing.
    this.counter.setAttribute("aria-live", over > 0 ? "polite" : "off");
    this.counter.textContent = over > 0 ? `超出 ${over} 字，最多 ${MESSAGE_LIMIT} 字` : `${length}/${MESSAGE_LIMIT}`;
    this.element?.toggleAttribute("data-over", over > 0);
    this.input.setAttribute("aria-invalid", String(over > 0));
    this.input.style.height = "auto";
    const height = Math.min(this.input.scrollHeight, TALLEST);
    if (height > 0) this.input.style.height = `${height}px`;
  }
}

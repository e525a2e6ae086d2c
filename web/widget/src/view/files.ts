import type { Attachment } from "../chat/message";
import { h, icon } from "./dom";

/** `3.2 MB`, `48 KB`. */
export function sizeOf(bytes: number): string {
  return bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

/** Files, each a button that saves it. */
export function fileList(files: Attachment[], save: (file: Attachment) => void): HTMLElement | null {
  if (files.length === 0) return null;
  return h(
    "ul",
    { class: "files", "aria-label": "附件" },
    ...files.map((file) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", title: `保存 ${file.name}`, "data-focus": `file:${file.id}`, onclick: () => save(file) },
          icon("source"),
          h("span", { class: "file-name" }, file.name),
          h("span", { class: "caption" }, sizeOf(file.size)),
        ),
      ),
    ),
  );
}

import MarkdownIt from "markdown-it";
import { Sanitizer } from "./sanitizer";

/** Turns the desk's Markdown into nodes that are safe to insert. HTML in it is shown as text. */
export class MarkdownRenderer {
  private readonly markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });
  private readonly sanitizer: Sanitizer;

  /** `server` is the origin that relative addresses belong to. */
  constructor(server: string) {
    this.sanitizer = new Sanitizer(server);
  }

  render(text: string): DocumentFragment {
    return this.sanitizer.clean(this.markdown.render(text));
  }
}

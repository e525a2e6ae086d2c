import createDOMPurify from "dompurify";

const TAGS =
  "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr img li ol p pre s strong table tbody td th thead tr ul".split(" ");
const ATTRIBUTES = ["href", "title", "src", "alt", "start"];
const LINK_SCHEMES = /^(?:https?|mailto|tel):/i;
const IMAGE_SCHEMES = /^https?:/i;

/** The only door through which markup becomes nodes. Relative addresses are the server's, not the host page's. */
export class Sanitizer {
  private readonly purifier = createDOMPurify(window);

  constructor(private readonly server: string) {
    this.purifier.addHook("afterSanitizeAttributes", (element) => {
      if (element.nodeName === "A") this.secureLink(element);
      if (element.nodeName === "IMG") this.secureImage(element);
    });
  }

  clean(html: string): DocumentFragment {
    return this.purifier.sanitize(html, {
      ALLOWED_TAGS: TAGS,
      ALLOWED_ATTR: ATTRIBUTES,
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
      ADD_DATA_URI_TAGS: [],
      RETURN_DOM_FRAGMENT: true,
    });
  }

  private secureLink(link: Element): void {
    const address = this.absolute(link.getAttribute("href"));
    if (!LINK_SCHEMES.test(address)) {
      link.removeAttribute("href");
      return;
    }
    link.setAttribute("href", address);
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }

  /** DOMPurify lets `data:` images pass; a chat has no use for them. */
  private secureImage(image: Element): void {
    const address = this.absolute(image.getAttribute("src"));
    if (!IMAGE_SCHEMES.test(address)) {
      image.removeAttribute("src");
      return;
    }
    image.setAttribute("src", address);
    image.setAttribute("loading", "lazy");
    image.setAttribute("referrerpolicy", "no-referrer");
  }

  private absolute(address: string | null): string {
    try {
      return address ? new URL(address, this.server).href : "";
    } catch {
      return "";
    }
  }
}

import { ChatClient } from "./chat/client";
import { Conversation } from "./chat/conversation";
import { identityOf } from "./chat/identity";
import { Memory } from "./chat/memory";
import type { PageContext } from "./chat/message";
import { Tickets } from "./chat/tickets";
import { MarkdownRenderer } from "./markdown/render";
import type { Actions } from "./view/actions";
import { Launcher } from "./view/launcher";
import { Panel } from "./view/panel";
import styles from "./view/styles.css?inline";

export interface HostContext {
  page?: string | null;
  node?: string | null;
  document?: string | null;
  /** What the header calls the place, e.g. `差旅报销单 · 关联发票与附件`; the server's own name for it if absent. */
  label?: string | null;
}

const OBSERVED = ["server", "page", "node", "document", "label", "token"] as const;
const OPEN_FLAG = "fssc-desk|open";
const TOKEN_EVENT_PAUSE = 3_000;

/**
 * `<fssc-desk server page node document label token>`: the launcher and the dialog.
 * Dispatches `fssc-token-expired` (bubbling, `detail: {code, message}`) when the server refuses the token.
 */
export class FsscDesk extends HTMLElement {
  static readonly observedAttributes = OBSERVED;
  /** Origin of the gateway where the element names none. */
  static defaultServer = location.origin;

  private conversation: Conversation | null = null;
  private tickets: Tickets | null = null;
  private renderer: MarkdownRenderer | null = null;
  private identity: string | null = null;
  private launcher!: Launcher;
  private panel!: Panel;
  private opened = false;
  private drawing = false;
  private tokenEventAt = 0;

  connectedCallback(): void {
    if (!this.shadowRoot) this.build();
    this.begin();
    if (readFlag() && matchMedia("(min-width: 640px)").matches) this.show();
  }

  disconnectedCallback(): void {
    this.end();
    this.panel.dispose();
  }

  attributeChangedCallback(name: (typeof OBSERVED)[number], before: string | null, after: string | null): void {
    if (before === after || !this.conversation) return;
    if (name === "server") this.begin();
    else if (name === "token") this.tokenChanged();
    else this.contextChanged();
  }

  open(): void {
    this.show();
    this.panel.focus();
  }

  close(): void {
    if (!this.opened) return;
    this.opened = false;
    writeFlag(false);
    this.panel.hide();
    this.conversation?.watch(false);
    this.draw();
    this.launcher.focus();
  }

  setContext(context: HostContext): void {
    for (const name of ["page", "node", "document", "label"] as const) this.set(name, context[name]);
  }

  setToken(token: string | null): void {
    if ((token ?? "") === (this.getAttribute("token") ?? "")) this.conversation?.tokenRenewed();
    else this.set("token", token);
  }

  /** Opens the dialog and says `text` for the employee. */
  ask(text: string): void {
    this.open();
    const trimmed = text.trim();
    if (trimmed) this.conversation?.say({ label: trimmed, text: trimmed });
  }

  private get server(): string {
    return (this.getAttribute("server") || FsscDesk.defaultServer).replace(/\/+$/, "");
  }

  private get token(): string | null {
    return this.getAttribute("token") || null;
  }

  private get context(): PageContext {
    const read = (name: string) => this.getAttribute(name) || undefined;
    return { page: read("page"), node: read("node"), document_no: read("document") };
  }

  private build(): void {
    const root = this.attachShadow({ mode: "open" });
    adopt(root, styles);
    const tickets = () => this.tickets!;
    const actions: Actions = {
      say: (utterance, inAnswerTo) => this.conversation?.say(utterance, inAnswerTo),
      retry: (key) => this.conversation?.retry(key),
      edit: (key) => {
        this.panel.composer.text = this.conversation?.takeBack(key) ?? "";
        this.panel.composer.focus();
      },
      rate: (messageId, helpful, reason) => void this.conversation?.rate(messageId, helpful, reason),
      render: (markdown) => this.renderer!.render(markdown),
      get tickets() {
        return tickets();
      },
      close: () => this.close(),
      reconnect: () => this.conversation?.tokenRenewed(),
    };
    this.launcher = new Launcher(() => this.open());
    this.panel = new Panel(actions);
    root.append(this.launcher.element, this.panel.element);
  }

  /** Takes up the conversation of whoever the token names. */
  private begin(): void {
    this.end();
    const { server } = this;
    this.identity = identityOf(this.token);
    this.renderer = new MarkdownRenderer(server);
    const client = new ChatClient(server, () => this.token);
    this.conversation = new Conversation(
      client,
      new Memory(server, this.identity),
      { changed: () => this.draw(), tokenRefused: (error) => this.announceToken(error.code, error.message) },
    );
    this.tickets = Tickets.of(client, this.conversation, this.identity, () => this.draw());
    this.conversation.setContext(this.context);
    this.conversation.start();
    if (this.opened) this.conversation.watch(true);
    this.draw();
  }

  private end(): void {
    this.conversation?.stop();
    this.conversation = null;
    this.tickets?.stop();
  }

  private tokenChanged(): void {
    if (identityOf(this.token) === this.identity) this.conversation?.tokenRenewed();
    else {
      this.panel.composer.text = "";
      this.begin();
    }
  }

  private contextChanged(): void {
    this.conversation?.setContext(this.context);
    this.draw();
  }

  private show(): void {
    if (this.opened) return;
    this.opened = true;
    writeFlag(true);
    this.conversation?.watch(true);
    this.panel.show();
    this.draw();
  }

  private draw(): void {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      if (!this.conversation) return;
      this.launcher.render(this.conversation.unread, this.opened);
      this.panel.render(this.conversation, this.context, this.getAttribute("label"));
    });
  }

  private announceToken(code: string, message: string): void {
    const now = Date.now();
    if (now - this.tokenEventAt < TOKEN_EVENT_PAUSE) return;
    this.tokenEventAt = now;
    this.dispatchEvent(new CustomEvent("fssc-token-expired", { bubbles: true, composed: true, detail: { code, message } }));
  }

  private set(name: string, value: string | null | undefined): void {
    if (value) this.setAttribute(name, value);
    else this.removeAttribute(name);
  }
}

function adopt(root: ShadowRoot, css: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = css;
    root.append(style);
  }
}

function readFlag(): boolean {
  try {
    return sessionStorage.getItem(OPEN_FLAG) === "1";
  } catch {
    return false;
  }
}

function writeFlag(open: boolean): void {
  try {
    if (open) sessionStorage.setItem(OPEN_FLAG, "1");
    else sessionStorage.removeItem(OPEN_FLAG);
  } catch {
    // Without storage the dialog is closed again on the next page.
  }
}

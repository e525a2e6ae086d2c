import { reactive, watch } from "vue";
import { renewToken, session } from "./session";

export interface Place {
  page: string;
  node?: string;
  document?: string;
  /** What this system calls the place. */
  label: string;
}

interface DeskApi {
  open(): void;
  setContext(context: Place): void;
  setToken(token: string | null): void;
  ask(text: string): void;
}

const desk = () => (window as { FSSCDesk?: DeskApi }).FSSCDesk;

/** Where the employee stands, as the widget is told. */
export const place = reactive<Place>({ page: "expense.list", label: "我的单据" });

export function standAt(next: Place): void {
  Object.assign(place, { node: undefined, document: undefined }, next);
}

export function askDesk(text: string): void {
  desk()?.ask(text);
}

/**
 * Embeds the widget with the very tag that any host page would carry:
 * `<script src="/widget.js" data-page="…" data-node="…" data-document="…" data-token="…"></script>`.
 * It is added here rather than in index.html because this page learns only now who is signed in.
 */
export function embedDesk(): void {
  const script = document.createElement("script");
  script.src = "/widget.js";
  const attributes = { page: place.page, node: place.node, document: place.document, label: place.label, token: session.token };
  for (const [name, value] of Object.entries(attributes)) if (value) script.dataset[name] = value;
  script.onload = followAlong;
  document.body.append(script);
}

/** A single-page host tells the widget when the page or the person changes. */
function followAlong(): void {
  watch(place, () => desk()?.setContext({ ...place }), { immediate: true });
  watch(() => session.token, (token) => desk()?.setToken(token));
  document.addEventListener("fssc-token-expired", () => {
    renewToken().catch(() => (session.problem = "登录已过期，请刷新页面。"));
  });
}

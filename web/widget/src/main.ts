import { FsscDesk, type HostContext } from "./element";

/** What a host page may call; calls made before the page is ready are kept. */
export interface DeskApi {
  open(): void;
  close(): void;
  setContext(context: HostContext): void;
  /** `null` signs the employee out: the visitor is anonymous. */
  setToken(token: string | null): void;
  ask(text: string): void;
}

declare global {
  interface Window {
    FSSCDesk?: DeskApi;
  }
}

const TAG = "fssc-desk";
const script = document.currentScript as HTMLScriptElement | null;

if (!customElements.get(TAG)) {
  if (script?.src) FsscDesk.defaultServer = new URL(script.src).origin;
  customElements.define(TAG, FsscDesk);
  whenReady(() => {
    if (!document.querySelector(TAG)) place(script);
  });
  const desk = (action: (element: FsscDesk) => void) =>
    whenReady(() => {
      const element = document.querySelector<FsscDesk>(TAG);
      if (element) action(element);
    });
  window.FSSCDesk = {
    open: () => desk((element) => element.open()),
    close: () => desk((element) => element.close()),
    setContext: (context) => desk((element) => element.setContext(context)),
    setToken: (token) => desk((element) => element.setToken(token)),
    ask: (text) => desk((element) => element.ask(text)),
  };
}

/** Makes the element from the script's own tag; `data-host` is a selector of where to put it, the body if absent. */
function place(tag: HTMLScriptElement | null): void {
  const element = document.createElement(TAG);
  const { server, host, ...rest } = tag?.dataset ?? {};
  if (server) element.setAttribute("server", server);
  for (const name of ["page", "node", "document", "label", "token"]) {
    const value = rest[name];
    if (value) element.setAttribute(name, value);
  }
  const parent = (host && document.querySelector(host)) || document.body;
  parent.append(element);
}

function whenReady(action: () => void): void {
  if (document.body) action();
  else document.addEventListener("DOMContentLoaded", action, { once: true });
}

import { createPinia, type Pinia, setActivePinia } from "pinia";
import { type App, type Component, createApp, h, nextTick } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";

export interface Mounted {
  app: App;
  root: HTMLElement;
  pinia: Pinia;
  router: Router;
}

const NOWHERE: Component = { render: () => null };
const NAMES = ["entry", "policies", "tables", "ticket", "tickets", "try"];

/** Puts a component on the page as the console would: with stores and routes, whose pages are empty. */
export async function mount(component: Component, props: Record<string, unknown> = {}): Promise<Mounted> {
  const pinia = createPinia();
  setActivePinia(pinia);
  const router = createRouter({
    history: createMemoryHistory("/console/"),
    routes: [
      { path: "/", component: NOWHERE },
      ...NAMES.map((name) => ({ path: `/${name}/:id?`, name, component: NOWHERE })),
    ],
  });
  const app = createApp({ render: () => h(component, props) });
  app.use(pinia).use(router);
  const root = document.body.appendChild(document.createElement("div"));
  await router.push("/");
  app.mount(root);
  await nextTick();
  return { app, root, pinia, router };
}

export function textOf(root: ParentNode, selector: string): string[] {
  return [...root.querySelectorAll(selector)].map((one) => (one.textContent ?? "").replace(/\s+/g, " ").trim());
}

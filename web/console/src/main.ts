import { createPinia } from "pinia";
import { createApp } from "vue";

import { onSignedOut } from "./api/transport";
import App from "./App.vue";
import { makeRouter, signInAt } from "./router";
import { useSession } from "./stores/session";
import "./styles/elements";
import "./styles/console.css";

const app = createApp(App);
const router = makeRouter();
app.use(createPinia());
app.use(router);

onSignedOut(() => {
  const session = useSession();
  const wasIn = session.user !== null;
  session.forget();
  const here = router.currentRoute.value;
  if (wasIn && !here.meta.open) void router.replace(signInAt(here.fullPath));
});

app.mount("#app");

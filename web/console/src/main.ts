import { createPinia } from "pinia";
import { createApp } from "vue";

import { onSignedOut } from "./api/transport";
import App from "./App.vue";
import { makeRouter } from "./router";
import { useSession } from "./stores/session";
import "./styles/elements";
import "./styles/console.css";

const app = createApp(App);
const router = makeRouter();
app.use(createPinia());
app.use(router);

onSignedOut(() => useSession().lapse());

app.mount("#app");

import { createApp } from "vue";
import App from "./App.vue";
import { embedDesk } from "./desk";
import { router } from "./router";
import { startSession } from "./session";
import "./styles.css";

const app = createApp(App).use(router);
await Promise.all([router.isReady(), startSession()]);
app.mount("#app");
embedDesk();

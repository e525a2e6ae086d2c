import { createRouter, createWebHashHistory } from "vue-router";
import DocumentDetail from "./pages/DocumentDetail.vue";
import DocumentList from "./pages/DocumentList.vue";
import InvoicePool from "./pages/InvoicePool.vue";
import LightFill from "./pages/LightFill.vue";
import TravelFill from "./pages/TravelFill.vue";

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: "/", name: "list", component: DocumentList },
    { path: "/travel/:no/:node", name: "travel", component: TravelFill, props: true },
    { path: "/fill/:kind/:no/:node", name: "fill", component: LightFill, props: true },
    { path: "/documents/:no/:tab?", name: "document", component: DocumentDetail, props: true },
    { path: "/invoices/:tab?", name: "invoices", component: InvoicePool, props: true },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
  scrollBehavior: () => ({ top: 0 }),
});

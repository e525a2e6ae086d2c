import { createRouter, createWebHistory, type RouteLocationRaw, type RouterHistory } from "vue-router";

import AppLayout from "./components/AppLayout.vue";
import { homeOf } from "./roles";
import { useSession } from "./stores/session";

declare module "vue-router" {
  interface RouteMeta {
    title?: string;
    open?: boolean;
    section?: string;
  }
}

const routes = [
  {
    path: "/sign-in",
    name: "sign-in",
    component: () => import("./pages/SignIn.vue"),
    meta: { title: "登录", open: true },
  },
  {
    path: "/",
    component: AppLayout,
    children: [
      { path: "", name: "home", component: { render: () => null } },
      {
        path: "tickets",
        name: "tickets",
        component: () => import("./pages/TicketList.vue"),
        meta: { title: "工单", section: "tickets" },
      },
      {
        path: "tickets/:number",
        name: "ticket",
        component: () => import("./pages/TicketDetail.vue"),
        props: true,
        meta: { title: "工单详情", section: "tickets" },
      },
      {
        path: "quality/satisfaction",
        name: "satisfaction",
        component: () => import("./pages/quality/SatisfactionPage.vue"),
        meta: { title: "满意度", section: "satisfaction" },
      },
      {
        path: "quality/reviews",
        name: "reviews",
        component: () => import("./pages/quality/ReviewList.vue"),
        meta: { title: "低分回访", section: "reviews" },
      },
      {
        path: "quality/inspections",
        name: "inspections",
        component: () => import("./pages/quality/InspectionList.vue"),
        meta: { title: "质检", section: "inspections" },
      },
      {
        path: "quality/inspections/:id(\\d+)",
        name: "inspection",
        component: () => import("./pages/quality/InspectionDetail.vue"),
        props: true,
        meta: { title: "质检", section: "inspections" },
      },
      {
        path: "quality/surveys",
        name: "surveys",
        component: () => import("./pages/quality/SurveyList.vue"),
        meta: { title: "问卷回访", section: "surveys" },
      },
      {
        path: "quality/surveys/new",
        name: "survey-new",
        component: () => import("./pages/quality/SurveyNew.vue"),
        meta: { title: "新建问卷回访", section: "surveys" },
      },
      {
        path: "quality/surveys/:id(\\d+)",
        name: "survey",
        component: () => import("./pages/quality/SurveyDetail.vue"),
        props: true,
        meta: { title: "问卷回访", section: "surveys" },
      },
      {
        path: "quality/scoreboard",
        name: "scoreboard",
        component: () => import("./pages/quality/ScoreboardPage.vue"),
        meta: { title: "坐席评分", section: "scoreboard" },
      },
      {
        path: "dispatch/board",
        name: "board",
        component: () => import("./pages/dispatch/SupervisionBoard.vue"),
        meta: { title: "主管看板", section: "board" },
      },
      {
        path: "dispatch/staff",
        name: "staff",
        component: () => import("./pages/dispatch/StaffAndGroups.vue"),
        meta: { title: "人员与班组", section: "staff" },
      },
      {
        path: "dispatch/rules",
        name: "routing",
        component: () => import("./pages/dispatch/RoutingRules.vue"),
        meta: { title: "派工规则", section: "routing" },
      },
      {
        path: "dispatch/emergency",
        name: "emergency",
        component: () => import("./pages/dispatch/EmergencyList.vue"),
        meta: { title: "应急名单", section: "emergency" },
      },
      {
        path: "clocks/levels",
        name: "service-levels",
        component: () => import("./pages/clocks/ServiceLevels.vue"),
        meta: { title: "服务时效", section: "service-levels" },
      },
      {
        path: "clocks/calendars",
        name: "work-calendars",
        component: () => import("./pages/clocks/WorkCalendars.vue"),
        meta: { title: "工作日历", section: "work-calendars" },
      },
      {
        path: "insight/service",
        name: "insight-service",
        component: () => import("./pages/insight/ServicePage.vue"),
        meta: { title: "服务看板", section: "insight-service" },
      },
      {
        path: "insight/desk",
        name: "insight-desk",
        component: () => import("./pages/insight/DeskPage.vue"),
        meta: { title: "服务台看板", section: "insight-desk" },
      },
      {
        path: "insight/knowledge",
        name: "insight-knowledge",
        component: () => import("./pages/insight/KnowledgePage.vue"),
        meta: { title: "知识看板", section: "insight-knowledge" },
      },
      {
        path: "insight/policy",
        name: "insight-policy",
        component: () => import("./pages/insight/PolicyPage.vue"),
        meta: { title: "制度看板", section: "insight-policy" },
      },
      {
        path: "insight/samples",
        name: "insight-samples",
        component: () => import("./pages/insight/SamplePage.vue"),
        meta: { title: "抽样评审", section: "insight-samples" },
      },
      {
        path: "insight/statement",
        name: "insight-statement",
        component: () => import("./pages/insight/StatementPage.vue"),
        meta: { title: "服务结算单", section: "insight-statement" },
      },
      {
        path: "insight/reports",
        name: "insight-reports",
        component: () => import("./pages/insight/ReportList.vue"),
        meta: { title: "周报和月报", section: "insight-reports" },
      },
      {
        path: "insight/reports/:id(\\d+)",
        name: "insight-report",
        component: () => import("./pages/insight/ReportPage.vue"),
        props: true,
        meta: { title: "报告", section: "insight-reports" },
      },
      { path: "knowledge", redirect: { name: "entries" } },
      {
        path: "knowledge/entries",
        name: "entries",
        component: () => import("./pages/EntryList.vue"),
        meta: { title: "知识条目", section: "entries" },
      },
      {
        path: "knowledge/entries/:id",
        name: "entry",
        component: () => import("./pages/EntryDetail.vue"),
        props: true,
        meta: { title: "知识条目", section: "entries" },
      },
      {
        path: "knowledge/new",
        name: "entry-new",
        component: () => import("./pages/EntryEdit.vue"),
        meta: { title: "新建知识条目", section: "entries" },
      },
      {
        path: "knowledge/entries/:id/edit",
        name: "entry-edit",
        component: () => import("./pages/EntryEdit.vue"),
        props: true,
        meta: { title: "编辑知识条目", section: "entries" },
      },
      {
        path: "knowledge/entries/:id/versions",
        name: "entry-versions",
        component: () => import("./pages/EntryVersions.vue"),
        props: true,
        meta: { title: "版本", section: "entries" },
      },
      {
        path: "knowledge/policies/:id?",
        name: "policies",
        component: () => import("./pages/PolicyReader.vue"),
        props: true,
        meta: { title: "制度", section: "policies" },
      },
      {
        path: "knowledge/policies/:id/versions",
        name: "policy-versions",
        component: () => import("./pages/PolicyVersions.vue"),
        props: true,
        meta: { title: "制度版本", section: "policies" },
      },
      {
        path: "knowledge/tables/:id?",
        name: "tables",
        component: () => import("./pages/TableReader.vue"),
        props: true,
        meta: { title: "标准表", section: "tables" },
      },
      {
        path: "knowledge/imports",
        name: "imports",
        component: () => import("./pages/ImportList.vue"),
        meta: { title: "导入与导出", section: "imports" },
      },
      {
        path: "knowledge/imports/:id",
        name: "import",
        component: () => import("./pages/ImportDetail.vue"),
        props: true,
        meta: { title: "导入", section: "imports" },
      },
      {
        path: "knowledge/releases",
        name: "releases",
        component: () => import("./pages/ReleaseList.vue"),
        meta: { title: "发布", section: "releases" },
      },
      {
        path: "knowledge/releases/:number(\\d+)",
        name: "release",
        component: () => import("./pages/ReleaseDetail.vue"),
        props: true,
        meta: { title: "发布", section: "releases" },
      },
      {
        path: "knowledge/curation",
        name: "curation",
        component: () => import("./pages/curation/CurationWorkbench.vue"),
        meta: { title: "知识运营", section: "curation" },
      },
      {
        path: "knowledge/curation/gaps",
        name: "curation-gaps",
        component: () => import("./pages/curation/GapList.vue"),
        meta: { title: "制度缺口", section: "curation" },
      },
      {
        path: "knowledge/curation/results",
        name: "curation-results",
        component: () => import("./pages/curation/CurationResults.vue"),
        meta: { title: "知识运营成效", section: "curation" },
      },
      {
        path: "try",
        name: "try",
        component: () => import("./pages/TryOut.vue"),
        meta: { title: "检索测试", section: "try" },
      },
      {
        path: "channels",
        name: "channels",
        component: () => import("./pages/channels/ChannelList.vue"),
        meta: { title: "渠道接入", section: "channels" },
      },
      {
        path: "integration",
        name: "integration",
        component: () => import("./pages/integration/IntegrationPage.vue"),
        meta: { title: "系统接入", section: "integration" },
      },
      {
        path: "deliveries",
        name: "deliveries",
        component: () => import("./pages/desk/DeliveryList.vue"),
        meta: { title: "投递记录", section: "deliveries" },
      },
      {
        path: "audit",
        name: "audit",
        component: () => import("./pages/AuditLog.vue"),
        meta: { title: "操作日志", section: "audit" },
      },
      {
        path: "users",
        name: "users",
        component: () => import("./pages/UserList.vue"),
        meta: { title: "用户", section: "users" },
      },
      {
        path: ":rest(.*)*",
        name: "missing",
        component: () => import("./pages/NotFound.vue"),
        meta: { title: "找不到页面" },
      },
    ],
  },
];

/** Where to go after signing in: only a path of the console itself, never another site. */
export function returnPath(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}

export function signInAt(fullPath: string): RouteLocationRaw {
  return { name: "sign-in", query: fullPath === "/" || fullPath === "/tickets" ? {} : { next: fullPath } };
}

export function makeRouter(history: RouterHistory = createWebHistory("/console/")) {
  const router = createRouter({
    history,
    routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  });

  router.beforeEach(async (to) => {
    const session = useSession();
    if (!session.known) await session.restore();
    if (session.unreachable) return true;
    if (!session.user) return to.meta.open ? true : signInAt(to.fullPath);
    if (to.name === "home") return { name: homeOf(session.user.roles), replace: true };
    return to.name === "sign-in" ? returnPath(to.query.next) : true;
  });

  router.afterEach((to) => {
    document.title = `${to.meta.title ? `${to.meta.title} · ` : ""}财务共享智能客服控制台`;
  });
  return router;
}

import {
  AlarmClock,
  Avatar,
  Calendar,
  ChatDotRound,
  ChatLineSquare,
  Checked,
  CircleCheck,
  Collection,
  Connection,
  Cpu,
  DataLine,
  Document,
  Finished,
  Grid,
  Guide,
  Histogram,
  Memo,
  Message,
  Money,
  Notebook,
  Odometer,
  Opportunity,
  Reading,
  Service,
  Star,
  Tickets,
  Timer,
  TrendCharts,
  Trophy,
  Upload,
  User,
} from "@element-plus/icons-vue";
import type { Component } from "vue";

export interface NavItem {
  section: string;
  to: string;
  label: string;
  icon: Component;
  /** Shown only to those who hold it, or one of them. */
  role?: string | readonly string[];
}

export interface NavGroup {
  label: string;
  items: NavItem[];
}

const OVERSEERS = ["leader", "supervisor", "inspector", "auditor"];
const LEADERS = ["leader", "supervisor", "auditor"];
const DESK = ["agent", "expert", ...OVERSEERS];

/** The side navigation. A page that comes later adds its line here and its route in router.ts. */
export const NAVIGATION: NavGroup[] = [
  {
    label: "服务台",
    items: [
      { section: "tickets", to: "/tickets", label: "工单", icon: Tickets },
      { section: "deliveries", to: "/deliveries", label: "投递记录", icon: Message, role: ["supervisor", "auditor"] },
    ],
  },
  {
    label: "派工",
    items: [
      { section: "board", to: "/dispatch/board", label: "主管看板", icon: Odometer, role: OVERSEERS },
      { section: "staff", to: "/dispatch/staff", label: "人员与班组", icon: Avatar, role: DESK },
      { section: "routing", to: "/dispatch/rules", label: "派工规则", icon: Guide, role: DESK },
      { section: "emergency", to: "/dispatch/emergency", label: "应急名单", icon: AlarmClock, role: DESK },
      { section: "service-levels", to: "/clocks/levels", label: "服务时效", icon: Timer, role: DESK },
      { section: "work-calendars", to: "/clocks/calendars", label: "工作日历", icon: Calendar, role: DESK },
    ],
  },
  {
    label: "服务质量",
    items: [
      { section: "satisfaction", to: "/quality/satisfaction", label: "满意度", icon: Star, role: OVERSEERS },
      { section: "reviews", to: "/quality/reviews", label: "低分回访", icon: Service, role: OVERSEERS },
      { section: "inspections", to: "/quality/inspections", label: "质检", icon: Checked, role: ["agent", ...OVERSEERS] },
      {
        section: "surveys",
        to: "/quality/surveys",
        label: "问卷回访",
        icon: ChatLineSquare,
        role: ["supervisor", "inspector", "auditor"],
      },
      { section: "scoreboard", to: "/quality/scoreboard", label: "坐席评分", icon: Trophy, role: ["agent", ...OVERSEERS] },
    ],
  },
  {
    label: "数据看板",
    items: [
      { section: "insight-service", to: "/insight/service", label: "服务", icon: TrendCharts, role: LEADERS },
      { section: "insight-desk", to: "/insight/desk", label: "服务台", icon: Histogram, role: LEADERS },
      { section: "insight-knowledge", to: "/insight/knowledge", label: "知识", icon: Collection, role: LEADERS },
      { section: "insight-policy", to: "/insight/policy", label: "制度", icon: Reading, role: LEADERS },
      {
        section: "insight-samples",
        to: "/insight/samples",
        label: "抽样评审",
        icon: CircleCheck,
        role: ["reviewer", "inspector", ...LEADERS],
      },
      {
        section: "insight-statement",
        to: "/insight/statement",
        label: "服务结算单",
        icon: Money,
        role: ["supervisor", "auditor"],
      },
      { section: "insight-reports", to: "/insight/reports", label: "周报和月报", icon: Notebook, role: LEADERS },
    ],
  },
  {
    label: "知识库",
    items: [
      { section: "entries", to: "/knowledge/entries", label: "知识条目", icon: Memo },
      {
        section: "curation",
        to: "/knowledge/curation",
        label: "知识运营",
        icon: Opportunity,
        role: ["editor", "reviewer", "publisher", "supervisor"],
      },
      { section: "policies", to: "/knowledge/policies", label: "制度", icon: Document },
      { section: "tables", to: "/knowledge/tables", label: "标准表", icon: Grid },
      { section: "imports", to: "/knowledge/imports", label: "导入导出", icon: Upload },
      { section: "releases", to: "/knowledge/releases", label: "发布", icon: DataLine },
    ],
  },
  { label: "调试", items: [{ section: "try", to: "/try", label: "检索测试", icon: Cpu }] },
  {
    label: "系统",
    items: [
      { section: "audit", to: "/audit", label: "操作日志", icon: Finished, role: "auditor" },
      { section: "users", to: "/users", label: "用户", icon: User, role: "admin" },
      { section: "channels", to: "/channels", label: "渠道接入", icon: ChatDotRound, role: "admin" },
      { section: "integration", to: "/integration", label: "系统接入", icon: Connection, role: "admin" },
    ],
  },
];

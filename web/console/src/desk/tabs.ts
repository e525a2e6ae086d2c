import type { View } from "../api/types-desk";
import type { Tab } from "../components/desk/ViewTabs.vue";

export const TABS: readonly Tab[] = [
  { view: "mine", label: "我的", hint: "我负责的和邀请我会诊的" },
  { view: "pool", label: "待领取", hint: "还没有人处理，可以认领" },
  { view: "group", label: "本组", hint: "本组所有未结工单" },
  { view: "waiting", label: "待员工补充", hint: "已问员工，等他们回复" },
  { view: "breaching", label: "即将超时", hint: "已超时，或一小时内到时限" },
  { view: "unread", label: "未读", hint: "员工写了新内容，还没有人看" },
  { view: "all", label: "全部", hint: "含已解决、已关闭的" },
];

/** What to do where a view holds nothing. */
export const EMPTY: Record<View, string> = {
  mine: "您手上没有工单。",
  pool: "没有待领取的工单，都有人在处理。",
  group: "本组没有未结的工单。",
  waiting: "没有在等员工补充的工单。",
  breaching: "没有超时或即将超时的工单。",
  unread: "员工写的内容都看过了。",
  all: "还没有工单。智能客服答不了的问题会在这里排队。",
};

export const isView = (value: string): value is View => TABS.some((tab) => tab.view === value);

/** What people may do in the console; an administrator may do all of it. */
export interface Role {
  value: string;
  label: string;
  may: string;
}

export const ROLES: readonly Role[] = [
  { value: "admin", label: "管理员", may: "可使用全部功能，并管理用户" },
  { value: "editor", label: "知识编辑", may: "起草和修改知识、导入文件，提交审核" },
  { value: "reviewer", label: "知识审核", may: "批准或退回别人的修改" },
  { value: "publisher", label: "知识发布", may: "发布和回滚知识库" },
  { value: "agent", label: "坐席", may: "处理本组的工单" },
  { value: "expert", label: "专家", may: "处理升级到专家组的工单" },
  { value: "leader", label: "组长", may: "改派、审核本组的工单，处理低分回访" },
  { value: "supervisor", label: "主管", may: "管理派工、时效、日历、值班和应急名单" },
  { value: "inspector", label: "质检员", may: "抽检工单、评分、处理申诉" },
  { value: "auditor", label: "审计员", may: "查看全部工单和操作日志，不能修改" },
];

export const roleName = (role: string) =>
  ROLES.find((one) => one.value === role)?.label ?? role;

export const mayAs = (roles: readonly string[], role: string) => roles.includes(role) || roles.includes("admin");

const KNOWLEDGE: readonly string[] = ["editor", "reviewer", "publisher"];

/** Where somebody begins: those who only keep the knowledge have no tickets to look at. */
export const homeOf = (roles: readonly string[]): "entries" | "tickets" =>
  roles.length && roles.every((role) => KNOWLEDGE.includes(role)) ? "entries" : "tickets";

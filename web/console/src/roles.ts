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
  { value: "agent", label: "坐席", may: "查看工单和知识" },
];

const OTHERS: Record<string, string> = {
  supervisor: "主管",
  leader: "组长",
  expert: "专家",
  inspector: "质检员",
  auditor: "审计员",
};

export const roleName = (role: string) =>
  ROLES.find((one) => one.value === role)?.label ?? OTHERS[role] ?? role;

export const mayAs = (roles: readonly string[], role: string) => roles.includes(role) || roles.includes("admin");

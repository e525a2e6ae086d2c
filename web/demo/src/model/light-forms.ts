import type { DocumentKind } from "./document";

export interface Field {
  key: string;
  label: string;
  /** Choices of a select; free text if absent. */
  choices?: string[];
  placeholder?: string;
  required?: boolean;
  money?: boolean;
}

export interface FormStep {
  node: string;
  label: string;
  hint: string;
  question: string;
  fields: Field[];
}

export interface LightForm {
  page: string;
  steps: FormStep[];
}

const submitStep = (question: string): FormStep => ({
  node: "submit",
  label: "提交",
  hint: "请核对以上内容，提交后由部门负责人审批，再转财务共享中心审核。",
  question,
  fields: [{ key: "note", label: "补充说明", placeholder: "选填" }],
});

/** The forms that are filled in plainly, step by step. */
export const LIGHT_FORMS: Record<Exclude<DocumentKind, "travel">, LightForm> = {
  daily: {
    page: "expense.daily.fill",
    steps: [
      {
        node: "basic",
        label: "基本信息",
        hint: "出差发生的费用请使用差旅报销单。",
        question: "日常报销单和差旅报销单有什么区别？",
        fields: [
          { key: "title", label: "报销事由", required: true, placeholder: "例：部门办公用品" },
          { key: "kind", label: "费用类型", choices: ["办公用品", "市内交通", "通讯费", "快递和印刷费", "业务招待", "培训费"], required: true },
        ],
      },
      {
        node: "detail",
        label: "费用明细",
        hint: "按实际支付金额填写。",
        question: "加班打车费能报多少？",
        fields: [
          { key: "amount", label: "金额（元）", money: true, required: true },
          { key: "detail", label: "费用说明", placeholder: "时间、地点、用途" },
        ],
      },
      {
        node: "attach-invoice",
        label: "关联发票",
        hint: "电子发票上传 OFD、PDF 或 XML 原件，截图、照片不予受理。",
        question: "没有发票能报销吗？",
        fields: [{ key: "invoice", label: "发票", choices: ["26112000000901733120（信息不一致，不可用）", "暂不关联"] }],
      },
      submitStep("报销多久到账？"),
    ],
  },
  advance: {
    page: "advance.apply",
    steps: [
      {
        node: "basic",
        label: "基本信息",
        hint: "差旅借款不超过差旅申请单预计费用的 80%，单笔不超过 20,000 元。",
        question: "差旅借款最多能借多少？",
        fields: [
          { key: "kind", label: "借款类型", choices: ["差旅借款", "专项借款", "备用金"], required: true },
          { key: "title", label: "借款用途", required: true },
          { key: "request", label: "差旅申请单", choices: ["SQ20261106-0032　上海　11-12 至 11-14"] },
          { key: "amount", label: "借款金额（元）", money: true, required: true },
        ],
      },
      submitStep("有未冲销的借款还能再借吗？"),
    ],
  },
  writeoff: {
    page: "advance.writeoff",
    steps: [
      {
        node: "basic",
        label: "基本信息",
        hint: "差旅借款应在返回后 15 日内冲销。",
        question: "借款逾期没有冲销会怎样？",
        fields: [
          { key: "advance", label: "借款单", choices: ["JK20261016-0035　余额 3,000.00 元"], required: true },
          { key: "title", label: "冲销事由", required: true },
        ],
      },
      {
        node: "detail",
        label: "冲销明细",
        hint: "可以填写费用，也可以选择退款冲销并上传银行回单。",
        question: "借款没用完怎么退回？",
        fields: [
          { key: "kind", label: "冲销方式", choices: ["费用冲销", "退款冲销"], required: true },
          { key: "amount", label: "本次冲销（元）", money: true, required: true },
        ],
      },
      submitStep("冲销单审核要多久？"),
    ],
  },
  payment: {
    page: "payment.apply",
    steps: [
      {
        node: "basic",
        label: "基本信息",
        hint: "付款申请应在计划付款日前至少 5 个工作日提交。",
        question: "付款申请要提前几天提交？",
        fields: [
          { key: "supplier", label: "供应商", choices: ["宁波海捷精密机械有限公司", "青禾园林绿化有限公司", "北京恒印图文制作有限公司"], required: true },
          { key: "kind", label: "付款类型", choices: ["预付款", "进度款", "到货款", "质保金", "无合同付款"], required: true },
          { key: "title", label: "付款事由", required: true },
          { key: "amount", label: "付款金额（元）", money: true, required: true },
        ],
      },
      {
        node: "contract",
        label: "合同信息",
        hint: "合同应在合同系统审批、盖章、归档后才能选择；1 张申请单只对应 1 个合同。",
        question: "合同还没盖章能付款吗？",
        fields: [
          { key: "contract", label: "合同", choices: ["HT-2026-CG-0388　备件采购框架合同", "HT-2026-ZH-0121　绿化养护服务合同"] },
          { key: "term", label: "付款条款", choices: ["到货验收后 30 日内付 95%", "按季度付款"] },
        ],
      },
      {
        node: "attach-invoice",
        label: "关联发票",
        hint: "除预付款外，应当先票后款。",
        question: "对公付款要附哪些资料？",
        fields: [{ key: "invoice", label: "发票", choices: ["26332000000417755091　宁波海捷　186,400.00 元", "暂不关联"] }],
      },
      submitStep("对公付款多久能付出去？"),
    ],
  },
};

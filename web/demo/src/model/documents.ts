import { reactive } from "vue";
import type { AuditEvent, ExpenseDocument } from "./document";

const todo = (...steps: [who: string, action: string][]): AuditEvent[] =>
  steps.map(([who, action]) => ({ at: "", who, action, state: "todo" }));
const done = (at: string, who: string, action: string, note?: string): AuditEvent => ({ at, who, action, note, state: "done" });

/** Every document of the demo, newest first. All of it is invented. */
export const documents = reactive<ExpenseDocument[]>([
  {
    no: "BX20261118-0107",
    kind: "travel",
    status: "draft",
    title: "上海客户年度框架合同谈判",
    applicant: "E1001",
    createdOn: "2026-11-18",
    amount: 282400,
    stage: "待提交",
    lines: [
      { date: "2026-11-12", item: "火车票", detail: "北京南 → 上海虹桥　G3　二等座", amount: 66200 },
      { date: "2026-11-12", item: "住宿费", detail: "上海　2 晚", amount: 96000 },
      { date: "2026-11-14", item: "火车票", detail: "上海虹桥 → 北京南　G14　二等座", amount: 66200 },
    ],
    travel: { request: "SQ20261106-0032", from: "2026-11-12", to: "2026-11-14", city: "上海", nights: 2, lodging: 960 },
    facts: [],
    attachments: [],
    timeline: [],
  },
  {
    no: "BX20261103-0042",
    kind: "travel",
    status: "returned",
    title: "成都经销商大会及渠道走访",
    applicant: "E1001",
    createdOn: "2026-11-03",
    amount: 412050,
    stage: "退回申请人",
    lines: [
      { date: "2026-10-27", item: "机票", detail: "北京首都 → 成都天府　经济舱", amount: 118000 },
      { date: "2026-10-27", item: "住宿费", detail: "成都　3 晚　锦城商务酒店", amount: 111000 },
      { date: "2026-10-30", item: "机票", detail: "成都天府 → 北京首都　经济舱", amount: 105050 },
      { date: "2026-10-30", item: "接驳交通", detail: "机场往返出租车", amount: 6000 },
      { date: "2026-10-27", item: "伙食补助费", detail: "4 天 × 100 元", amount: 40000 },
      { date: "2026-10-27", item: "市内交通费补助", detail: "4 天 × 80 元", amount: 32000 },
    ],
    facts: [
      ["差旅申请单", "SQ20261020-0018"],
      ["出差期间", "2026-10-27 至 2026-10-30"],
      ["费用归属", "销售一部"],
      ["收款账户", "工资卡 尾号 6021"],
    ],
    travel: { request: "SQ20261020-0018", from: "2026-10-27", to: "2026-10-30", city: "成都", nights: 3, lodging: 1110 },
    attachments: [
      { name: "机票行程单_去程.ofd", kind: "航空电子行程单", size: "86 KB" },
      { name: "机票行程单_返程.ofd", kind: "航空电子行程单", size: "85 KB" },
      { name: "住宿发票_锦城商务酒店.pdf", kind: "增值税普通发票", size: "142 KB", problem: "缺少住宿清单（水单）" },
      { name: "出租车票.jpg", kind: "出租车发票", size: "1.2 MB", problem: "影像模糊，发票号码无法辨认" },
    ],
    timeline: [
      done("2026-11-03 09:42", "李晓雯", "提交单据"),
      done("2026-11-03 15:10", "赵启明（销售一部负责人）", "审批通过", "同意。"),
      { at: "2026-11-05 10:26", who: "周敏（财务共享中心 报销组）", action: "退回", note: "附件不齐、影像不清，请补充后重新提交。", state: "returned" },
      ...todo(["李晓雯", "补充并重新提交"], ["财务共享中心 报销组", "审核"], ["财务共享中心 资金组", "付款"]),
    ],
    returned: {
      by: "周敏（财务共享中心 报销组）",
      at: "2026-11-05 10:26",
      reasons: [
        { item: "住宿费 1,110.00 元", reason: "缺少酒店住宿清单（水单），发票备注栏也没有写明入住日期和天数。", advice: "向酒店索取水单，上传后重新提交。" },
        { item: "接驳交通 60.00 元", reason: "出租车发票影像模糊，发票号码和金额无法辨认。", advice: "按不低于 300 dpi、四角完整重新扫描上传。" },
      ],
    },
  },
  {
    no: "BX20261110-0063",
    kind: "travel",
    status: "auditing",
    title: "广州华南区季度业务复盘会",
    applicant: "E1001",
    createdOn: "2026-11-10",
    amount: 364800,
    stage: "财务共享中心 报销组审核",
    lines: [
      { date: "2026-11-04", item: "机票", detail: "北京首都 → 广州白云　经济舱", amount: 112000 },
      { date: "2026-11-04", item: "住宿费", detail: "广州　2 晚", amount: 86000 },
      { date: "2026-11-06", item: "机票", detail: "广州白云 → 北京首都　经济舱", amount: 112800 },
      { date: "2026-11-04", item: "伙食补助费", detail: "3 天 × 100 元", amount: 30000 },
      { date: "2026-11-04", item: "市内交通费补助", detail: "3 天 × 80 元", amount: 24000 },
    ],
    facts: [
      ["差旅申请单", "SQ20261029-0007"],
      ["出差期间", "2026-11-04 至 2026-11-06"],
      ["费用归属", "销售一部"],
      ["收款账户", "工资卡 尾号 6021"],
    ],
    attachments: [
      { name: "机票行程单.ofd", kind: "航空电子行程单", size: "171 KB" },
      { name: "住宿发票及水单.pdf", kind: "增值税专用发票", size: "390 KB" },
      { name: "会议通知.pdf", kind: "会议通知", size: "64 KB" },
    ],
    timeline: [
      done("2026-11-10 11:05", "李晓雯", "提交单据"),
      done("2026-11-11 09:18", "赵启明（销售一部负责人）", "审批通过"),
      { at: "2026-11-19 14:30", who: "财务共享中心 报销组", action: "审核中", note: "影像、票据齐全后 3 个工作日内完成审核。", state: "current" },
      ...todo(["财务共享中心 资金组", "付款"]),
    ],
  },
  {
    no: "RC20261028-0211",
    kind: "daily",
    status: "paid",
    title: "客户资料印刷及快递费",
    applicant: "E1001",
    createdOn: "2026-10-28",
    amount: 93650,
    stage: "已付款",
    lines: [
      { date: "2026-10-21", item: "印刷费", detail: "产品手册 200 册", amount: 78000 },
      { date: "2026-10-24", item: "快递费", detail: "顺丰　6 单", amount: 15650 },
    ],
    facts: [
      ["费用归属", "销售一部"],
      ["收款账户", "工资卡 尾号 6021"],
      ["付款日期", "2026-11-04"],
      ["付款凭证", "银行电子回单 20261104-118273"],
    ],
    attachments: [
      { name: "印刷费发票.pdf", kind: "增值税普通发票", size: "120 KB" },
      { name: "印刷清单.pdf", kind: "明细清单", size: "44 KB" },
      { name: "快递费发票.pdf", kind: "增值税普通发票", size: "98 KB" },
    ],
    timeline: [
      done("2026-10-28 16:20", "李晓雯", "提交单据"),
      done("2026-10-29 08:55", "赵启明（销售一部负责人）", "审批通过"),
      done("2026-11-02 10:40", "周敏（财务共享中心 报销组）", "审核通过"),
      done("2026-11-04 15:31", "财务共享中心 资金组", "付款成功", "已付至工资卡 尾号 6021。"),
    ],
  },
  {
    no: "JK20261016-0035",
    kind: "advance",
    status: "paid",
    title: "成都经销商大会差旅借款",
    applicant: "E1001",
    createdOn: "2026-10-16",
    amount: 300000,
    stage: "已付款，待冲销",
    lines: [{ date: "2026-10-16", item: "差旅借款", detail: "关联差旅申请单 SQ20261020-0018", amount: 300000 }],
    facts: [
      ["借款余额", "3,000.00 元"],
      ["付款日期", "2026-10-20"],
      ["冲销期限", "返回后 15 日内"],
    ],
    attachments: [],
    timeline: [
      done("2026-10-16 10:02", "李晓雯", "提交单据"),
      done("2026-10-16 17:48", "赵启明（销售一部负责人）", "审批通过"),
      done("2026-10-20 10:33", "财务共享中心 资金组", "付款成功", "已付至工资卡 尾号 6021。"),
      ...todo(["李晓雯", "冲销"]),
    ],
  },
  {
    no: "FK20261112-0019",
    kind: "payment",
    status: "auditing",
    title: "数控机床备件采购到货款",
    applicant: "E1002",
    createdOn: "2026-11-12",
    amount: 18640000,
    stage: "财务共享中心 应付组审核",
    lines: [{ date: "2026-11-12", item: "到货款", detail: "主轴轴承等 14 项备件", amount: 18640000 }],
    facts: [
      ["供应商", "宁波海捷精密机械有限公司"],
      ["合同编号", "HT-2026-CG-0388"],
      ["付款类型", "到货款"],
      ["计划付款日", "2026-11-25"],
    ],
    attachments: [
      { name: "增值税专用发票_3张.pdf", kind: "增值税专用发票", size: "512 KB" },
      { name: "入库单.pdf", kind: "入库单", size: "88 KB" },
    ],
    timeline: [
      done("2026-11-12 14:11", "王建国", "提交单据"),
      done("2026-11-13 09:30", "何立（采购部负责人）", "审批通过"),
      done("2026-11-16 16:05", "分管领导", "审批通过"),
      { at: "2026-11-19 09:12", who: "财务共享中心 应付组", action: "审核中", note: "正在核对三单匹配。", state: "current" },
      ...todo(["财务共享中心 资金组", "付款"]),
    ],
  },
  {
    no: "FK20261106-0008",
    kind: "payment",
    status: "returned",
    title: "厂区绿化养护服务费（第三季度）",
    applicant: "E1002",
    createdOn: "2026-11-06",
    amount: 4800000,
    stage: "退回申请人",
    lines: [{ date: "2026-11-06", item: "进度款", detail: "2026 年第三季度绿化养护", amount: 4800000 }],
    facts: [
      ["供应商", "青禾园林绿化有限公司"],
      ["合同编号", "HT-2026-ZH-0121"],
      ["付款类型", "进度款"],
    ],
    attachments: [{ name: "服务费发票.pdf", kind: "增值税专用发票", size: "133 KB" }],
    timeline: [
      done("2026-11-06 10:20", "王建国", "提交单据"),
      done("2026-11-06 16:44", "何立（采购部负责人）", "审批通过"),
      { at: "2026-11-10 11:02", who: "吴珊（财务共享中心 应付组）", action: "退回", note: "服务类付款缺少验收单。", state: "returned" },
      ...todo(["王建国", "补充并重新提交"]),
    ],
    returned: {
      by: "吴珊（财务共享中心 应付组）",
      at: "2026-11-10 11:02",
      reasons: [
        { item: "附件", reason: "服务类付款缺少验收单或服务确认单。", advice: "上传双方签字盖章的服务确认单后重新提交。" },
      ],
    },
  },
  {
    no: "BX20261116-0088",
    kind: "travel",
    status: "draft",
    title: "杭州供应商现场审核",
    applicant: "E1002",
    createdOn: "2026-11-16",
    amount: 89800,
    stage: "待提交",
    lines: [
      { date: "2026-11-12", item: "火车票", detail: "上海虹桥 → 杭州东　G7391　二等座", amount: 7300 },
      { date: "2026-11-13", item: "火车票", detail: "杭州东 → 上海虹桥　G7332　二等座", amount: 7300 },
    ],
    travel: { request: "SQ20261105-0009", from: "2026-11-12", to: "2026-11-13", city: "杭州", nights: 1, lodging: 392 },
    facts: [],
    attachments: [],
    timeline: [],
  },
  {
    no: "RC20261117-0154",
    kind: "daily",
    status: "auditing",
    title: "财务系统培训资料费",
    applicant: "E2001",
    createdOn: "2026-11-17",
    amount: 46800,
    stage: "部门负责人审批",
    lines: [{ date: "2026-11-15", item: "图书资料费", detail: "数电票实务等 6 册", amount: 46800 }],
    facts: [["费用归属", "集团财务部"]],
    attachments: [{ name: "图书发票及清单.pdf", kind: "增值税普通发票", size: "150 KB" }],
    timeline: [
      done("2026-11-17 13:25", "陈思远", "提交单据"),
      { at: "2026-11-17 13:25", who: "集团财务部负责人", action: "审批中", state: "current" },
      ...todo(["财务共享中心 报销组", "审核"], ["财务共享中心 资金组", "付款"]),
    ],
  },
  {
    no: "BX20261020-0276",
    kind: "travel",
    status: "paid",
    title: "西安子公司财务检查",
    applicant: "E2001",
    createdOn: "2026-10-20",
    amount: 289400,
    stage: "已付款",
    lines: [
      { date: "2026-10-13", item: "火车票", detail: "北京西 → 西安北　往返　二等座", amount: 115400 },
      { date: "2026-10-13", item: "住宿费", detail: "西安　3 晚", amount: 102000 },
      { date: "2026-10-13", item: "补助", detail: "4 天 ×（100 + 80）元", amount: 72000 },
    ],
    facts: [
      ["差旅申请单", "SQ20261009-0011"],
      ["付款日期", "2026-10-28"],
      ["付款凭证", "银行电子回单 20261028-093310"],
    ],
    attachments: [{ name: "铁路电子客票.pdf", kind: "铁路电子客票", size: "201 KB" }],
    timeline: [
      done("2026-10-20 09:40", "陈思远", "提交单据"),
      done("2026-10-21 10:15", "集团财务部负责人", "审批通过"),
      done("2026-10-26 11:20", "周敏（财务共享中心 报销组）", "审核通过"),
      done("2026-10-28 10:36", "财务共享中心 资金组", "付款成功"),
    ],
  },
]);

const PREFIXES = { travel: "BX", daily: "RC", advance: "JK", writeoff: "CX", payment: "FK" } as const;
let lastNumber = 123;

/** The local date, `YYYY-MM-DD`. */
export function today(): string {
  return new Date().toLocaleDateString("sv-SE");
}

/** A number for a document made today, like `BX20261121-0124`. */
export function newNumber(kind: keyof typeof PREFIXES): string {
  lastNumber += 1;
  return `${PREFIXES[kind]}${today().replaceAll("-", "")}-${String(lastNumber).padStart(4, "0")}`;
}

export function findDocument(no: string): ExpenseDocument | undefined {
  return documents.find((document) => document.no === no);
}

/** Puts a filled-in document in front of the list, as submitted a moment ago. */
export function submit(document: Omit<ExpenseDocument, "status" | "stage" | "timeline">, applicantName: string): void {
  const now = new Date();
  const at = `${document.createdOn} ${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  const old = documents.findIndex((other) => other.no === document.no);
  if (old >= 0) documents.splice(old, 1);
  documents.unshift({
    ...document,
    status: "auditing",
    stage: "部门负责人审批",
    timeline: [
      done(at, applicantName, "提交单据"),
      { at, who: "部门负责人", action: "审批中", state: "current" },
      ...todo(["财务共享中心", "审核"], ["财务共享中心 资金组", "付款"]),
    ],
  });
}

import { reactive } from "vue";

export type Verification = "verified" | "pending" | "mismatch";

export interface Invoice {
  number: string;
  kind: string;
  seller: string;
  /** `YYYY-MM-DD`. */
  issuedOn: string;
  /** Fen. */
  amount: number;
  verification: Verification;
  /** The document that uses it. */
  usedBy: string | null;
  note?: string;
}

export const VERIFICATION_LABELS: Record<Verification, string> = {
  verified: "查验通过",
  pending: "待查验",
  mismatch: "信息不一致",
};

export const invoices = reactive<Invoice[]>([
  { number: "26319100000184772015", kind: "铁路电子客票", seller: "中国铁路北京局集团有限公司", issuedOn: "2026-11-15", amount: 66200, verification: "verified", usedBy: null },
  { number: "26319100000184772238", kind: "铁路电子客票", seller: "中国铁路上海局集团有限公司", issuedOn: "2026-11-15", amount: 66200, verification: "verified", usedBy: null },
  { number: "26312000000573310862", kind: "数电票（增值税专用发票）", seller: "上海静安瑞程酒店管理有限公司", issuedOn: "2026-11-14", amount: 96000, verification: "pending", usedBy: null, note: "当日开具的发票一般次日可以查验" },
  { number: "26512000000219940377", kind: "数电票（普通发票）", seller: "成都锦城商务酒店有限公司", issuedOn: "2026-10-30", amount: 111000, verification: "verified", usedBy: "BX20261103-0042" },
  { number: "26112000000880126645", kind: "数电票（普通发票）", seller: "北京恒印图文制作有限公司", issuedOn: "2026-10-21", amount: 78000, verification: "verified", usedBy: "RC20261028-0211" },
  { number: "26112000000901733120", kind: "数电票（普通发票）", seller: "北京悦享餐饮管理有限公司", issuedOn: "2026-11-09", amount: 42300, verification: "mismatch", usedBy: null, note: "购买方名称与公司全称不一致" },
]);

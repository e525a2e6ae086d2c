import type { ExpenseDocument, ExpenseLine } from "../../model/document";
import { invoices } from "../../model/invoices";
import { fen } from "../../model/money";
import { LOCAL_TRANSPORT, LODGING, MEALS, travelDays } from "../../model/standards";

export interface Leg {
  date: string;
  from: string;
  to: string;
  by: string;
  /** Yuan, as typed. */
  fare: string;
}

export interface TravelForm {
  /** Null until the document has a number. */
  no: string | null;
  reason: string;
  request: string;
  from: string;
  to: string;
  city: string;
  nights: string;
  /** Yuan of all nights, as typed. */
  lodging: string;
  legs: Leg[];
  /** Numbers of the invoices attached. */
  invoices: string[];
  statement: string;
  urgent: boolean;
}

/** The form of a draft or a returned document; an empty one without. */
export function travelForm(document?: ExpenseDocument): TravelForm {
  const facts = document?.travel;
  return {
    no: document?.no ?? null,
    reason: document?.title ?? "",
    request: facts?.request ?? "",
    from: facts?.from ?? "",
    to: facts?.to ?? "",
    city: facts?.city ?? "上海",
    nights: facts ? String(facts.nights) : "",
    lodging: facts ? String(facts.lodging) : "",
    legs: (document?.lines ?? []).filter((line) => line.detail.includes(" → ")).map(legOf),
    invoices: invoices.filter((invoice) => invoice.usedBy !== null && invoice.usedBy === document?.no).map(({ number }) => number),
    statement: "",
    urgent: false,
  };
}

function legOf(line: ExpenseLine): Leg {
  const [route = "", ...by] = line.detail.split("　");
  const [from = "", to = ""] = route.split(" → ");
  return { date: line.date, from, to, by: by.join(" "), fare: String(line.amount / 100) };
}

/** What will be paid: fares and lodging as typed, allowances by calendar day. */
export function expenseLines(form: TravelForm): ExpenseLine[] {
  const days = travelDays(form.from, form.to);
  const lines: ExpenseLine[] = form.legs
    .filter((leg) => fen(leg.fare) > 0)
    .map((leg) => ({ date: leg.date, item: "城市间交通", detail: `${leg.from} → ${leg.to}　${leg.by}`, amount: fen(leg.fare) }));
  if (fen(form.lodging) > 0) {
    lines.push({ date: form.from, item: "住宿费", detail: `${form.city}　${form.nights || 0} 晚`, amount: Math.min(fen(form.lodging), lodgingLimit(form)) });
  }
  if (days > 0) {
    lines.push({ date: form.from, item: "伙食补助费", detail: `${days} 天 × ${MEALS} 元`, amount: days * MEALS * 100 });
    lines.push({ date: form.from, item: "市内交通费补助", detail: `${days} 天 × ${LOCAL_TRANSPORT} 元`, amount: days * LOCAL_TRANSPORT * 100 });
  }
  return lines;
}

/** Fen that the standard allows for the nights. */
export function lodgingLimit(form: TravelForm): number {
  return (LODGING[form.city] ?? 0) * 100 * (Number(form.nights) || 0);
}

export function problemsOf(form: TravelForm, lines: ExpenseLine[]): string[] {
  return [
    !form.reason.trim() && "请填写出差事由（基本信息）。",
    !form.request && "请选择差旅申请单（基本信息）。",
    travelDays(form.from, form.to) === 0 && "请填写正确的出差起止日期（基本信息）。",
    !lines.some((line) => line.item === "城市间交通") && "请至少填写一段行程（行程与明细）。",
    form.invoices.length === 0 && "请至少关联一张发票（关联发票与附件）。",
  ].filter((problem): problem is string => Boolean(problem));
}

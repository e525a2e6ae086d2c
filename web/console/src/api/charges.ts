import type { Unit } from "./insight";
import { call } from "./transport";

const ROOT = "/api/v1/console/insight";

export interface PriceItem {
  id: string;
  name: string;
  kind: "self_service" | "ticket";
  business_type: string;
  unit: string;
  /** Fen. */
  price: number;
}

export interface PriceList {
  version: number;
  items: PriceItem[];
  levels: Record<string, number | null>;
  kinds: Record<PriceItem["kind"], string>;
  business_types: string[];
  level_names: { id: string; label: string; unit: Unit }[];
  sets_up: boolean;
}

export interface Level {
  id: string;
  label: string;
  unit: Unit;
  promised: number | null;
  reached: number | null;
  kept: boolean | null;
}

export interface Statement {
  month: string;
  since: string;
  until: string;
  version: number;
  items: PriceItem[];
  companies: {
    company: string;
    lines: { item: string; name: string; unit: string; price: number; volume: number; amount: number }[];
    unpriced: number;
    amount: number;
    levels: Level[];
  }[];
  amount: number;
  levels: Level[];
  kept?: boolean;
  over?: boolean;
  now?: string;
}

export const charges = {
  prices: (signal?: AbortSignal) => call<PriceList>(`${ROOT}/prices`, { signal }),
  change: (body: { version: number; items: PriceItem[]; levels: Record<string, number | null> }) =>
    call<{ version: number }>(`${ROOT}/prices`, { method: "PUT", body }),
  statement: (month: string, signal?: AbortSignal) => call<Statement>(`${ROOT}/statement`, { query: { month }, signal }),
  sheet: (month: string) => `${ROOT}/statement.xlsx?month=${month}`,
};

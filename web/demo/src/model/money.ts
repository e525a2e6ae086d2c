const format = new Intl.NumberFormat("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Integer fen as `1,234.50`. */
export function yuan(fen: number): string {
  return format.format(fen / 100);
}

/** What was typed in yuan, as integer fen; 0 when it is no amount. */
export function fen(typed: string | number): number {
  const value = Number(typed);
  return Number.isFinite(value) && value > 0 ? Math.round(value * 100) : 0;
}

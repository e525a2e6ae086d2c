const KEY = "fssc.desk.trail";

/** The tickets of the list that one came from, so that the next one can be opened from the one before. */
export function leaveTrail(numbers: string[], from: string): void {
  sessionStorage.setItem(KEY, JSON.stringify({ numbers, from }));
}

function trail(): { numbers: string[]; from: string } {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as { numbers: string[]; from: string } | null;
    if (kept && Array.isArray(kept.numbers)) return kept;
  } catch {
    // Nothing that can be read is no trail.
  }
  return { numbers: [], from: "" };
}

/** The ticket `by` places after this one in that list; null at its ends. */
export function neighbour(number: string, by: 1 | -1): string | null {
  const { numbers } = trail();
  const at = numbers.indexOf(number);
  return at < 0 ? (numbers[0] ?? null) : (numbers[at + by] ?? null);
}

/** The address of that list, with its filters. */
export const listBefore = () => trail().from || null;

import { care } from "./api/care";
import type { User } from "./api/types";
import { whyNotApprove } from "./care";

/** The draft that this reviewer may decide on next, and how many wait for them; null when none does. Of the newest hundred the oldest comes first. */
export async function nextToReview(user: User | null): Promise<{ id: string; left: number } | null> {
  const { items, total } = await care.find({ state: "submitted", page_size: 100 });
  const mine = items.filter((row) => row.draft && whyNotApprove(user, row.draft) === null);
  const first = mine.at(-1);
  return first ? { id: first.id, left: total - (items.length - mine.length) } : null;
}

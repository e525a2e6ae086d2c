import { ref, watch, type Ref } from "vue";

import { useSession } from "../stores/session";

const PREFIX = "fssc.desk.draft.";
const KEPT_DAYS = 14;

interface Kept {
  text: string;
  at: number;
}

/** What is being written to a ticket, kept in this browser for its user until it is sent or emptied. */
export function useDraft(number: () => string, kind: "reply" | "note"): Ref<string> {
  const session = useSession();
  const text = ref("");
  const key = (of: string) => `${PREFIX}${session.user?.username ?? ""}.${of}.${kind}`;

  watch(number, (of) => (text.value = read(key(of))), { immediate: true });
  watch(text, (now) => write(key(number()), now));
  return text;
}

function read(key: string): string {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null)?.text ?? "";
  } catch {
    return "";
  }
}

function write(key: string, text: string): void {
  try {
    if (text.trim()) localStorage.setItem(key, JSON.stringify({ text, at: Date.now() } satisfies Kept));
    else localStorage.removeItem(key);
  } catch {
    // A full or forbidden store keeps nothing; what is on the page stays.
  }
}

/** Forgets what nobody came back to. */
export function sweepDrafts(now = Date.now()): void {
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
      if (kept && now - kept.at < KEPT_DAYS * 86_400_000) continue;
    } catch {
      // Not ours, or damaged.
    }
    localStorage.removeItem(key);
  }
}

import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from "vue";

import { care } from "./api/care";
import { ApiError } from "./api/transport";
import type { CareEntry, Draft, EntryBody } from "./api/types-care";
import { bodyOf, EMPTY, same, tidied } from "./draft";

/** Why what was written could not be saved, and what there is instead. */
export type Clash =
  | { kind: "version"; message: string; base: number; newest: number }
  | { kind: "other"; message: string; author: string };

export interface Editing {
  entry: ShallowRef<CareEntry | null>;
  draft: ShallowRef<Draft | null>;
  body: Ref<EntryBody>;
  dirty: ComputedRef<boolean>;
  clash: ShallowRef<Clash | null>;
  open: (entry: CareEntry | null, me: string) => void;
  /** The id under which it was saved; null when there is a clash. Throws `ApiError` for any other refusal. */
  save: () => Promise<string | null>;
  /** From now on the newest version is what the draft changes; the clash is over once it is saved. */
  rebase: () => void;
}

/** An entry being written: the body, whether it differs from what is saved, and saving over what others do meanwhile. */
export function useEditing(): Editing {
  const entry = shallowRef<CareEntry | null>(null);
  const draft = shallowRef<Draft | null>(null);
  const body = ref<EntryBody>(bodyOf(EMPTY));
  const saved = shallowRef<EntryBody>(bodyOf(EMPTY));
  const clash = shallowRef<Clash | null>(null);
  let base = 0;

  const dirty = computed(() => !same(body.value, saved.value));

  function open(found: CareEntry | null, me: string): void {
    entry.value = found;
    draft.value = found?.draft ?? null;
    saved.value = bodyOf(draft.value?.body ?? found ?? EMPTY);
    body.value = bodyOf(saved.value);
    base = draft.value?.base_version ?? found?.version ?? 0;
    clash.value = null;
    const author = draft.value?.author;
    if (author && author !== me) {
      clash.value = { kind: "other", message: `${author} 正在修改这条知识，审核或放弃之前您不能保存。`, author };
    }
  }

  async function save(): Promise<string | null> {
    const made = tidied(body.value);
    const id = entry.value?.id ?? draft.value?.entry_id;
    try {
      draft.value = id ? await care.save(id, made, base) : await care.create(made);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || !id) throw error;
      await told(error, id);
      return null;
    }
    clash.value = null;
    saved.value = made;
    base = draft.value.base_version;
    return draft.value.entry_id;
  }

  async function told(error: ApiError, id: string): Promise<void> {
    const now = await care.get(id);
    if (error.code === "draft_by_other") {
      clash.value = { kind: "other", message: error.message, author: now.draft?.author ?? "" };
    } else if (error.code === "version_conflict") {
      clash.value = { kind: "version", message: error.message, base, newest: now.version };
    } else throw error;
  }

  function rebase(): void {
    if (clash.value?.kind === "version") base = clash.value.newest;
  }

  return { entry, draft, body, dirty, clash, open, save, rebase };
}

/** What was written, as text to be kept elsewhere. */
export function asText(body: EntryBody): string {
  const { question, similar, answer } = tidied(body);
  return [question, similar.length ? `相似问：\n${similar.join("\n")}` : "", `答案：\n${answer}`]
    .filter(Boolean)
    .join("\n\n");
}

const SETTLED_MS = 150;

export interface Typed {
  /** For `input` and `keydown` around the list. */
  heard: (event: Event) => void;
  /** Something was chosen. */
  chosen: () => void;
  /** For `focusout` around the list. */
  left: () => void;
}

/**
 * Around a list that takes new words: `take` gets what was typed and not chosen when the cursor leaves it; the list itself
 * would forget it. A company that somebody typed must not end as 所有人. Escape forgets it on purpose.
 */
export function typedInto(take: (text: string) => void): Typed {
  let typed = "";
  return {
    heard: (event) => {
      if (event.type === "input") typed = (event.target as HTMLInputElement).value;
      else if ((event as KeyboardEvent).key === "Escape") typed = "";
    },
    chosen: () => (typed = ""),
    left: () =>
      setTimeout(() => {
        const text = typed.trim();
        typed = "";
        if (text) take(text);
      }, SETTLED_MS),
  };
}

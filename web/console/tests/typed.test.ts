import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { typedInto } from "../src/typed";

describe("what was typed into a list and not chosen", () => {
  const taken = vi.fn();
  const heard = (value: string) => ({ type: "input", target: { value } }) as unknown as Event;

  beforeEach(() => {
    taken.mockReset();
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  function leave(typed: ReturnType<typeof typedInto>): unknown[] {
    typed.left();
    vi.runAllTimers();
    return taken.mock.calls.flat();
  }

  it("is taken when the cursor leaves, once", () => {
    const typed = typedInto(taken);
    typed.heard(heard(" 1000 公司 "));
    expect(leave(typed)).toEqual(["1000 公司"]);
    expect(leave(typed)).toEqual(["1000 公司"]);
  });

  it("is not taken when an option was chosen meanwhile, by the keyboard or the mouse", () => {
    const typed = typedInto(taken);
    typed.heard(heard("华晟"));
    typed.chosen();
    expect(leave(typed)).toEqual([]);
    typed.heard(heard("华晟"));
    typed.left();
    typed.chosen();
    vi.runAllTimers();
    expect(taken).not.toHaveBeenCalled();
  });

  it("is forgotten with Escape", () => {
    const typed = typedInto(taken);
    typed.heard(heard("华晟"));
    typed.heard({ type: "keydown", key: "Escape" } as unknown as Event);
    expect(leave(typed)).toEqual([]);
  });
});

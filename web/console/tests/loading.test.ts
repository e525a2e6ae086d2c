import { describe, expect, it } from "vitest";
import { effectScope } from "vue";

import { ApiError } from "../src/api/transport";
import { useLoading } from "../src/loading";

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

describe("loading", () => {
  it("lets the latest call win, whatever comes back first", async () => {
    const calls = [deferred<string>(), deferred<string>()];
    const signals: AbortSignal[] = [];
    const scope = effectScope();
    const { data, busy, load } = scope.run(() =>
      useLoading((signal) => {
        signals.push(signal);
        return calls[signals.length - 1]!.promise;
      }),
    )!;
    const first = load();
    const second = load();
    expect(signals[0]!.aborted).toBe(true);
    calls[1]!.resolve("new");
    await second;
    calls[0]!.resolve("old");
    await first;
    expect([data.value, busy.value]).toEqual(["new", false]);
    scope.stop();
  });

  it("drops what can no longer be read, so that nobody works on a frozen page", async () => {
    const scope = effectScope();
    let gone = false;
    const { data, error, load } = scope.run(() =>
      useLoading(async () => {
        if (gone) throw new ApiError(404, "ticket_elsewhere", "工单已转到“专家组”，您不能再查看。");
        return "shown";
      }),
    )!;
    await load();
    gone = true;
    await load();
    expect([data.value, error.value?.code]).toEqual([null, "ticket_elsewhere"]);
    scope.stop();
  });

  it("keeps what it had when a reload fails, and says why", async () => {
    const scope = effectScope();
    let fails = false;
    const { data, error, load } = scope.run(() =>
      useLoading(async () => {
        if (fails) throw new ApiError(0, "network", "连不上服务器");
        return "shown";
      }),
    )!;
    await load();
    fails = true;
    await load();
    expect([data.value, error.value?.message]).toEqual(["shown", "连不上服务器"]);
    scope.stop();
  });
});

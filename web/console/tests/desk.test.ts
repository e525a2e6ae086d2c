import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPinia, setActivePinia } from "pinia";
import { effectScope, nextTick, ref } from "vue";

import { desk } from "../src/api/desk";
import { ASKING, argumentsOf, taking } from "../src/desk/actions";
import { sweepDrafts, useDraft } from "../src/desk/drafts";
import { fileSize } from "../src/desk/files";
import { fill, insertAt } from "../src/desk/phrases";
import { countdown, dueBy, minutes, span, until } from "../src/desk/sla";
import { threadOf } from "../src/desk/thread";
import { leaveTrail, listBefore, neighbour } from "../src/desk/trail";
import type { DeskEvent } from "../src/api/types-desk";
import type { Message } from "../src/api/types";
import { useLive, type News } from "../src/stores/live";
import { useSession } from "../src/stores/session";

const NOW = new Date("2026-11-21T02:00:00Z");
const due = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000).toISOString();

describe("countdowns", () => {
  it("say how long is left, in the largest units that matter", () => {
    expect([45_000, 725_000, 3_600_000 * 3 + 720_000, 86_400_000 * 2 + 10_800_000, -5].map(span)).toEqual([
      "45 秒",
      "12:05",
      "3 小时 12 分",
      "2 天 3 小时",
      "0 秒",
    ]);
    expect([45, 60, 90, 480].map(minutes)).toEqual(["45 分", "1 小时", "1 小时 30 分", "8 小时"]);
  });

  it("name the moment where a promise in working time stands beside them", () => {
    expect(dueBy(new Date("2026-11-21T06:29:00Z"), NOW)).toBe("今天 14:29 前");
    expect(dueBy(new Date(NOW.getTime() + 23 * 3_600_000), NOW)).toMatch(/^明天 \d\d:\d\d 前$/);
  });

  it("warn within the hour, alarm when it is over, rest while the employee is asked", () => {
    const row = { due_label: "首次响应", breached: false, status: "new" };
    expect(countdown({ ...row, due_at: due(90) }, NOW)).toEqual({ text: "剩 1 小时 30 分", tone: "calm", what: "首次响应" });
    expect(countdown({ ...row, due_at: due(12) }, NOW)?.tone).toBe("soon");
    expect(until(new Date(NOW.getTime() + 23 * 3_600_000), NOW)).toMatch(/^明天 \d\d:\d\d 前$/);
    expect(until(new Date(NOW.getTime() + 3 * 24 * 3_600_000), NOW)).toMatch(/^周[日一二三四五六] \d\d:\d\d 前$/);
    expect(until(new Date(NOW.getTime() + 30 * 24 * 3_600_000), NOW)).toMatch(/^\d\d-\d\d \d\d:\d\d 前$/);
    expect(countdown({ ...row, due_at: due(-3) }, NOW)).toMatchObject({ text: "超时 3:00", tone: "over" });
    expect(countdown({ ...row, due_at: null, status: "waiting" }, NOW)?.tone).toBe("paused");
    expect(countdown({ ...row, due_at: null, status: "closed" }, NOW)).toBeNull();
  });
});

describe("the list as a workbook", () => {
  it("is asked for with the filters of the list", () => {
    const filter = { view: "breaching", urgency: "紧急", q: "", sort: "" };
    expect(desk.sheet(filter)).toBe(`/api/v1/console/exports/tickets.xlsx?view=breaching&urgency=${encodeURIComponent("紧急")}`);
  });
});

describe("what is asked before something is done", () => {
  it("goes out as the verb takes it, and not before all of it is there", () => {
    expect(argumentsOf(ASKING.transfer!, { group: "tax", reason: "  " })).toBeNull();
    expect(argumentsOf(ASKING.transfer!, { group: "tax", reason: " 归税务组 " })).toEqual({ group: "tax", reason: "归税务组" });
    expect(argumentsOf(ASKING.transfer!, { group: "tax", reason: "请你看", colleague: "wang" })).toEqual({
      group: "tax",
      reason: "请你看",
      to: "wang",
    });
    expect(argumentsOf(ASKING.escalate!, { reason: "涉税" })).toEqual({ reason: "涉税" });
    expect(argumentsOf(ASKING.merge!, { number: "fw20261121-0001" })).toEqual({ into: "FW20261121-0001" });
    expect(argumentsOf(ASKING.link!, { number: "FW20261121-0001" })).toEqual({ other: "FW20261121-0001" });
  });

  it("accepts what was given to one, claims what nobody has", () => {
    expect(taking({ verbs: ["accept", "claim"] })?.verb).toBe("accept");
    expect(taking({ verbs: ["claim", "note"] })?.verb).toBe("claim");
    expect(taking({ verbs: ["note"] })).toBeNull();
  });
});

describe("canned replies", () => {
  const ticket = { number: "FW1", requester_name: "李晓雯", document_no: null };
  it("know the employee and the ticket; a blank of which nothing is known stays to be seen", () => {
    expect(fill("{员工姓名}，{工单号}：{单据号} {别的} —{我的姓名}", ticket, "王芳")).toBe(
      "李晓雯，FW1：{单据号} {别的} —王芳",
    );
    expect(fill("{员工姓名}", { ...ticket, requester_name: null }, "")).toBe("同事");
  });

  it("stand on a line of their own beside what is written", () => {
    expect(insertAt("", 0, "您好")).toEqual({ text: "您好", cursor: 2 });
    expect(insertAt("甲乙", 1, "您好")).toEqual({ text: "甲\n您好\n乙", cursor: 4 });
    expect(insertAt("甲\n", 2, "您好")).toEqual({ text: "甲\n您好", cursor: 4 });
  });
});

describe("the conversation", () => {
  it("has notes where they were written, and leaves other events out", () => {
    const said = (seq: number, at: string) => ({ id: `m${seq}`, seq, at, from: "user", type: "text", text: "" }) as Message;
    const event = (id: number, kind: string, at: string) => ({ id, kind, at }) as DeskEvent;
    const lines = threadOf(
      [said(1, "2026-11-21T01:00:00Z"), said(2, "2026-11-21T03:00:00+00:00")],
      [event(7, "noted", "2026-11-21T02:00:00Z"), event(8, "replied", "2026-11-21T02:30:00Z")],
    );
    expect(lines.map((line) => line.message?.id ?? line.note?.id)).toEqual(["m1", 7, "m2"]);
  });
});

describe("drafts", () => {
  beforeEach(() => {
    localStorage.clear();
    setActivePinia(createPinia());
    useSession().user = { username: "wang", name: "王芳", roles: ["agent"] };
  });

  it("come back for the same person, ticket and kind, until they are sent", async () => {
    const scope = effectScope();
    const number = ref("FW1");
    const [reply, note] = scope.run(() => [useDraft(() => number.value, "reply"), useDraft(() => number.value, "note")])!;
    reply!.value = "正在写的回复";
    note!.value = "备注";
    await nextTick();
    number.value = "FW2";
    await nextTick();
    expect(reply!.value).toBe("");
    number.value = "FW1";
    await nextTick();
    expect([reply!.value, note!.value]).toEqual(["正在写的回复", "备注"]);
    reply!.value = "";
    await nextTick();
    scope.stop();
    expect(effectScope().run(() => useDraft(() => "FW1", "reply").value)).toBe("");
    useSession().user = { username: "sun", name: "孙", roles: [] };
    expect(effectScope().run(() => useDraft(() => "FW1", "note").value)).toBe("");
  });

  it("are forgotten when nobody came back to them", () => {
    localStorage.setItem("fssc.desk.draft.wang.FW1.reply", JSON.stringify({ text: "旧", at: NOW.getTime() }));
    localStorage.setItem("other", "1");
    sweepDrafts(NOW.getTime() + 13 * 86_400_000);
    expect(localStorage.length).toBe(2);
    sweepDrafts(NOW.getTime() + 15 * 86_400_000);
    expect(Object.keys(localStorage)).toEqual(["other"]);
  });
});

describe("the trail from the list", () => {
  it("leads to its neighbours and back", () => {
    leaveTrail(["A", "B", "C"], "/tickets?view=pool");
    expect([neighbour("B", 1), neighbour("B", -1), neighbour("C", 1), neighbour("X", 1)]).toEqual(["C", "A", null, "A"]);
    expect(listBefore()).toBe("/tickets?view=pool");
    sessionStorage.setItem("fssc.desk.trail", "broken");
    expect([neighbour("A", 1), listBefore()]).toEqual([null, null]);
  });
});

describe("live news", () => {
  class Source extends EventTarget {
    static CLOSED = 2;
    static made: Source[] = [];
    readyState = 1;
    constructor(readonly url: string) {
      super();
      Source.made.push(this);
    }
    close(): void {
      this.readyState = 2;
    }
    say(event: string, data: unknown): void {
      this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
    }
  }

  beforeEach(() => {
    Source.made = [];
    vi.useFakeTimers();
    vi.stubGlobal("EventSource", Source);
    setActivePinia(createPinia());
  });
  afterEach(() => vi.useRealTimers());

  it("reach whoever listens, and a break says that something may have been missed", () => {
    const live = useLive();
    const heard: News[] = [];
    live.start();
    const leave = live.listen((news) => heard.push(news));
    const first = Source.made[0]!;
    first.say("hello", {});
    expect(live.connected).toBe(true);
    first.say("tickets", { changes: [{ number: "FW1" }], hidden: 2 });
    first.say("notice", { id: 3, text: "派给您" });
    expect(heard.map((news) => news.event)).toEqual(["tickets", "notice"]);

    first.readyState = Source.CLOSED;
    first.dispatchEvent(new Event("error"));
    expect(live.connected).toBe(false);
    vi.advanceTimersByTime(10_000);
    expect(Source.made).toHaveLength(2);
    Source.made[1]!.say("hello", {});
    expect(heard.at(-1)).toEqual({ event: "resync" });
    leave();
    Source.made[1]!.say("notice", { id: 4 });
    expect(heard).toHaveLength(3);
    live.stop();
    expect(Source.made[1]!.readyState).toBe(2);
  });
});

it("sizes of files", () => {
  expect([812, 34_900, 1_258_291].map(fileSize)).toEqual(["812 B", "34 KB", "1.2 MB"]);
});

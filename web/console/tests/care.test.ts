import { describe, expect, it } from "vitest";

import { changeOf, EMPTY_BULK, problemOf } from "../src/bulk";
import { approvalOf, detailText, discardOf, draftLabel, placeOf, STATE_FILTERS, whyNotApprove } from "../src/care";
import { ENTRY_STATES } from "../src/api/types-care";
import { madePassword } from "../src/password";
import { mayAs, roleName } from "../src/roles";

describe("who may what", () => {
  const user = (roles: string[]) => ({ username: "li", name: "李", roles });
  const waiting = { state: "submitted", author: "wang" } as const;

  it("an administrator may all, others what they hold", () => {
    expect(mayAs(["admin"], "publisher")).toBe(true);
    expect(mayAs(["editor"], "reviewer")).toBe(false);
    expect(mayAs([], "agent")).toBe(false);
    expect([roleName("reviewer"), roleName("moon")]).toEqual(["知识审核", "moon"]);
  });

  it("nobody approves their own draft but an administrator, nor one that was not submitted", () => {
    expect(whyNotApprove(user(["reviewer"]), waiting)).toBeNull();
    expect(whyNotApprove(user(["editor"]), waiting)).toContain("知识审核");
    expect(whyNotApprove(null, waiting)).toContain("知识审核");
    expect(whyNotApprove(user(["reviewer", "editor"]), { ...waiting, author: "li" })).toContain("您自己");
    expect(whyNotApprove(user(["admin"]), { ...waiting, author: "li" })).toBeNull();
    expect(whyNotApprove(user(["admin"]), { ...waiting, state: "draft" })).toContain("提交");
  });
});

describe("words of care", () => {
  it("every state has a quick filter, once", () => {
    expect(STATE_FILTERS.map((one) => one.state).sort()).toEqual([...ENTRY_STATES].sort());
  });

  it("a draft that retires its entry says so", () => {
    expect(draftLabel({ state: "submitted", deletes: true }).label).toBe("停用待审核");
    expect(draftLabel({ state: "submitted" }).label).toBe("待审核");
    expect(draftLabel({ state: "rejected", deletes: true }).label).toBe("已退回");
  });

  it("a finding of a kind that is not known stands above the form", () => {
    expect(placeOf({ kind: "duplicate" })).toBe("question");
    expect(placeOf({ kind: "eclipse" })).toBe("other");
  });

  it("a flag's detail is shown when it is text", () => {
    expect([detailText("第八条改了"), detailText({ message: "改了" }), detailText({ n: 1 }), detailText(null)]).toEqual([
      "第八条改了",
      "改了",
      "",
      "",
    ]);
  });
});

describe("what is asked before many drafts are decided", () => {
  const row = (author: string, more: object = {}) => ({ draft: { state: "submitted", author, updated_at: "", ...more } as const });

  it("says which act within seconds and which carry doubts", () => {
    expect(approvalOf([row("a"), row("b", { deletes: true, findings: 2 })])).toMatch(/批准 2 条.*1 条是停用，几秒内.*1 条带着检查提示/);
    expect(approvalOf([row("a")])).not.toContain("停用，");
  });

  it("says how many are somebody else's", () => {
    const me = { username: "a", name: "A", roles: ["admin"] };
    expect(discardOf(me, [row("a"), row("b")])).toContain("1 份是别人写的");
    expect(discardOf(me, [row("a")])).not.toContain("别人");
  });
});

describe("a change to many entries", () => {
  const values = { ...EMPTY_BULK, owner: "应付组", effective_to: "2027-01-01", add_scenes: ["payment.apply"] };

  it("sends what was ticked and no more", () => {
    expect(changeOf(["owner"], values)).toEqual({ owner: "应付组" });
    expect(changeOf(["add_scenes", "effective_to"], values)).toEqual({
      add_scenes: ["payment.apply"],
      effective_to: "2027-01-01",
    });
  });

  it("clears a date that was ticked and left empty", () => {
    expect(changeOf(["review_on"], values)).toEqual({ review_on: null });
  });

  it("waits for what was ticked and not chosen, but takes a cleared date", () => {
    expect(problemOf([], EMPTY_BULK)).toContain("勾选");
    expect(problemOf(["owner"], EMPTY_BULK)).toBe("请选择负责组");
    expect(problemOf(["review_on", "remove_scenes"], EMPTY_BULK)).toBe("请选择去掉场景");
    expect(problemOf(["effective_to", "audience"], EMPTY_BULK)).toBe("");
    expect(problemOf(["owner", "add_scenes"], values)).toBe("");
    expect(problemOf(["retire", "owner"], EMPTY_BULK)).toBe("");
    const dates = { ...values, effective_from: "2027-01-02" };
    expect(problemOf(["effective_from", "effective_to"], dates)).toContain("早于");
    expect(problemOf(["effective_to"], dates)).toBe("");
  });

  it("retires and does nothing else", () => {
    expect(changeOf(["owner", "retire"], values)).toEqual({ retire: true });
  });
});

describe("a made password", () => {
  it("is long, differs each time, and holds no letter that is mistaken for another", () => {
    const made = Array.from({ length: 50 }, () => madePassword());
    expect(new Set(made).size).toBe(50);
    expect(made.every((one) => /^[a-zA-Z2-9]{14}$/.test(one) && !/[ilIoO01]/.test(one))).toBe(true);
  });

  it("takes no byte that would favour a letter", () => {
    let calls = 0;
    const made = madePassword((into) => {
      calls += 1;
      return into.fill(calls === 1 ? 255 : 0);
    });
    expect([made, calls > 1]).toEqual(["a".repeat(14), true]);
  });
});

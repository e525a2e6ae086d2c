import { describe, expect, it } from "vitest";

import { fromOffice, linked, listed, wrapped, type Selected } from "../src/writing";

/** `[` and `]` stand where the selection begins and ends. */
function at(text: string): Selected {
  const start = text.indexOf("[");
  const end = text.indexOf("]") - 1;
  return { text: text.replace("[", "").replace("]", ""), start, end };
}

const shown = ({ text, start, end }: Selected) => `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;

describe("marks around a selection", () => {
  it.each([
    ["请[先挂失]再补开", "请**[先挂失]**再补开"],
    ["请**[先挂失]**再补开", "请[先挂失]再补开"],
    ["请[]", "请**[重点]**"],
    ["[]", "**[重点]**"],
  ])("%s becomes %s", (before, after) => expect(shown(wrapped(at(before), "**", "重点"))).toBe(after));
});

describe("lists of the selected lines", () => {
  it.each([
    ["先看\n[填单\n提交]\n等待", "先看\n[1. 填单\n2. 提交]\n等待"],
    ["填[]单", "[1. 填单]"],
    ["[1. 填单\n2. 提交]", "[填单\n提交]"],
    ["[- 填单\n提交]", "[1. 填单\n2. 提交]"],
    ["[填单\n\n提交]", "[1. 填单\n\n2. 提交]"],
  ])("%j becomes the steps %j", (before, after) => expect(shown(listed(at(before), "steps"))).toBe(after));

  it("bullets take the place of numbers", () => {
    expect(shown(listed(at("[1. 填单\n2. 提交]"), "bullets"))).toBe("[- 填单\n- 提交]");
  });

  it("leaves the line after the selection alone", () => {
    expect(shown(listed(at("[填单\n]提交"), "bullets"))).toBe("[- 填单]\n提交");
  });
});

it("a link waits for its address", () => {
  const made = linked(at("见[报销指南]。"));
  expect(made.text).toBe("见[报销指南](https://)。");
  expect(made.text.slice(made.start, made.end)).toBe("https://");
});

describe("what is pasted from Word and Excel", () => {
  it.each([
    ["城市\t限额\r\n北京\t500元\r\n上海\t450元\r\n", "| 城市 | 限额 |\n| --- | --- |\n| 北京 | 500元 |\n| 上海 | 450元 |"],
    ["标准如下：\n城市\t限额\n北京\t\n其余另行通知", "标准如下：\n\n| 城市 | 限额 |\n| --- | --- |\n| 北京 |  |\n\n其余另行通知"],
    ["1.\t填单\n2.\t提交", "1. 填单\n2. 提交"],
    ["•\t发票\n·\t行程单", "- 发票\n- 行程单"],
  ])("%j becomes %j", (before, after) => expect(fromOffice(before)).toBe(after));

  it.each(["先填单。\n再提交。", "每天500元", "甲\t乙", "1. 填单\n2. 提交", "| 城市 | 限额 |\n| --- | --- |"])(
    "leaves %j as it is",
    (text) => expect(fromOffice(text)).toBe(text),
  );
});

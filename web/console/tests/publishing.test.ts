import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import ImportUpload from "../src/components/ImportUpload.vue";
import NextRelease from "../src/components/NextRelease.vue";
import { useSession } from "../src/stores/session";
import { mount, textOf } from "./mount";

type Answer = [status: number, body: unknown];
let answers: Record<string, Answer | Answer[]>;
const asked: { method: string; path: string; body: unknown }[] = [];

function answer(key: string): Answer {
  const found = answers[key];
  if (!found) throw new Error(`nobody expected ${key}`);
  return Array.isArray(found[0]) ? ((found.length > 1 ? found.shift() : found[0]) as Answer) : (found as Answer);
}

beforeEach(() => {
  asked.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal(
    "fetch",
    vi.fn(async (url: string, init: RequestInit) => {
      const path = url.replace("/api/v1/console/kb", "");
      const method = init.method ?? "GET";
      asked.push({ method, path, body: init.body });
      const [status, body] = answer(`${method} ${path}`);
      return new Response(JSON.stringify(body), { status });
    }),
  );
});
afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = "";
});

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await nextTick();
}

const button = (root: ParentNode, name: string) =>
  [...root.querySelectorAll("button")].find((one) => one.textContent?.trim() === name);

async function shown(roles: string[]) {
  const mounted = await mount(NextRelease);
  useSession().user = { username: "u", name: "U", roles };
  await settle();
  return mounted.root;
}

const READY = {
  state: "ready",
  before: { top1: 0.8 },
  after: { top1: 0.7 },
  changes: { added: [], changed: [{ id: "travel-001", question: "住宿费" }], removed: [] },
  answer_changes: [],
  reliability: [],
  curve: [],
};
const RATE: Answer = [200, { wrong_rate: 0.03 }];
const PENDING: Answer = [
  200,
  {
    base: 3,
    counts: { added: 0, changed: 700, removed: 0 },
    changes: { added: [], changed: [{ id: "travel-001", question: "住宿费标准是多少" }], removed: [] },
  },
];

describe("the next release", () => {
  it("is watched while it is made, and no longer", async () => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [
        [200, { state: "working", progress: "正在编码" }],
        [200, { ...READY, gate: { passed: true, reasons: [] } }],
      ],
    };
    const root = await shown(["publisher"]);
    expect(textOf(root, "[role=status]")[0]).toContain("正在编码");
    await settle(1500);
    expect(textOf(root, ".el-alert")[0]).toContain("质量检查通过");
    const before = asked.length;
    await settle(10_000);
    expect(asked.length).toBe(before);
  });

  it("that the gate refuses is published with a reason only", async () => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { ...READY, gate: { passed: false, reasons: ["首位命中下降"] } }],
      "POST /releases": [201, { number: 7 }],
    };
    const root = await shown(["publisher"]);
    expect(root.textContent).toContain("首位命中下降");
    const publish = button(root, "仍然发布")!;
    expect(publish.disabled).toBe(true);
    const reason = root.querySelector("textarea")!;
    reason.value = "节前必须更正住宿标准";
    reason.dispatchEvent(new Event("input"));
    await settle();
    expect(publish.disabled).toBe(false);
    publish.click();
    await settle();
    expect(asked.find((one) => one.method === "POST")?.body).toBe('{"override_reason":"节前必须更正住宿标准"}');
  });

  it("is for publishers: others see it and cannot press", async () => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { ...READY, gate: { passed: true, reasons: [] } }],
    };
    const root = await shown(["editor", "reviewer"]);
    expect(root.textContent).toContain("发布需要“知识发布”角色");
    expect(root.textContent).toContain("住宿费");
    for (const name of ["发布", "重新生成预览", "修改"]) expect(button(root, name), name).toBeUndefined();
  });

  it("is compared on the questions that both were asked, the new ones beside them", async () => {
    const common = { before: { top1: 0.968, queries: 4100 }, after: { top1: 0.966, queries: 4100 } };
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { ...READY, common, gate: { passed: true, reasons: [] } }],
    };
    const root = await shown(["publisher"]);
    expect(root.textContent).toContain("4,100 个问题");
    expect(textOf(root, "tbody tr:first-child td").slice(0, 4)).toEqual(["96.8%", "96.6%", "−0.2 基本持平", "70.0%"]);
  });

  it("that changed meanwhile, or changes nothing, is not offered", async () => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { ...READY, state: "stale" }],
    };
    let root = await shown(["admin"]);
    expect(root.textContent).toContain("预览已过时");
    expect(button(root, "发布")).toBeUndefined();

    answers["GET /releases/preview"] = [200, { state: "ready", nothing_changed: true }];
    root = await shown(["admin"]);
    expect(root.textContent).toContain("没有需要发布的变化");
    expect(button(root, "发布")).toBeUndefined();
  });

  it("that changed nothing says so no longer once something was approved", async () => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { state: "stale", nothing_changed: true }],
    };
    const root = await shown(["admin"]);
    expect(root.textContent).toContain("预览已过时");
    expect(root.textContent).toContain("住宿费标准是多少");
    expect(root.textContent).not.toContain("没有评测数据");
    expect(button(root, "重新生成预览")).toBeDefined();
  });
});

describe("before a preview is made", () => {
  beforeEach(() => {
    answers = {
      "GET /wrong-rate": RATE,
      "GET /releases/pending": PENDING,
      "GET /releases/preview": [200, { state: "none" }],
      "POST /releases/preview": [202, { state: "working" }],
    };
  });

  it("what was approved is listed already", async () => {
    const root = await shown(["editor"]);
    expect(root.textContent).toContain("住宿费标准是多少");
    expect(root.textContent).toContain("修改 700");
    expect(button(root, "完整重新训练")).toBeUndefined();
  });

  it("a publisher may have the matcher fitted anew", async () => {
    const root = await shown(["publisher"]);
    for (const [name, refit] of [
      ["生成发布预览", false],
      ["完整重新训练", true],
    ] as const) {
      asked.length = 0;
      button(root, name)!.click();
      await settle();
      expect(asked.find((one) => one.method === "POST")?.body, name).toBe(JSON.stringify({ refit }));
    }
  });
});

describe("files that are dropped", () => {
  const drop = async (root: HTMLElement, files: File[]) => {
    const event = new Event("drop") as Event & { dataTransfer?: unknown };
    event.dataTransfer = { files };
    root.querySelector(".drop")!.dispatchEvent(event);
    await settle();
    await settle();
  };

  it("become an import each; one that is refused says why and does not stop the others", async () => {
    answers = {
      "POST /imports": [
        [415, { error: { code: "encrypted", message: "文件有密码，请去掉密码后再导入。" } }],
        [201, { id: "7", state: "reading" }],
      ],
    };
    const uploaded = vi.fn();
    const { root } = await mount(ImportUpload, { onUploaded: uploaded });
    await drop(root, [new File(["x"], "加密.xlsx"), new File(["旧"], "旧.xls"), new File(["y"], "问答.csv")]);
    expect(uploaded).toHaveBeenCalledExactlyOnceWith([{ id: "7", state: "reading" }]);
    expect(textOf(root, ".sending [role=alert]")).toEqual(["文件有密码，请去掉密码后再导入。", "旧版 .xls 不能导入，请在 Excel 中另存为 .xlsx。"]);
    expect(asked.map((one) => (one.body as FormData).get("kind"))).toEqual(["auto", "auto"]);
  });

  it("become a new version of the policy whose page they are dropped on", async () => {
    answers = { "POST /imports": [201, { id: "8", state: "reading" }] };
    const { root } = await mount(ImportUpload, { policyId: "travel" });
    await drop(root, [new File(["x"], "差旅.docx")]);
    const form = asked[0]!.body as FormData;
    expect([form.get("kind"), form.get("policy_id"), (form.get("file") as File).name]).toEqual(["policy", "travel", "差旅.docx"]);
  });
});

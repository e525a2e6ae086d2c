import { describe, expect, it } from "vitest";

import { renderMarkdown, withoutMarks } from "../src/markdown";

function rendered(text: string, highlight?: string): HTMLElement {
  const root = document.createElement("div");
  root.innerHTML = renderMarkdown(text, highlight);
  return root;
}

describe("what employees and curators write is shown, never run", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[点这里](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    '<iframe src="https://evil.example"></iframe>',
    '<svg><a href="javascript:alert(1)">x</a></svg>',
  ])("%s", (attack) => {
    const root = rendered(attack);
    expect(root.querySelector("script, iframe, svg")).toBeNull();
    for (const one of root.querySelectorAll("*")) {
      expect(one.getAttributeNames().filter((name) => name.startsWith("on"))).toEqual([]);
      expect(one.getAttribute("href") ?? "").not.toMatch(/^(javascript|data):/i);
    }
  });

  it("opens links elsewhere and without a way back", () => {
    const link = rendered("见 https://example.com/a").querySelector("a")!;
    expect(link.getAttribute("target")).toBe("_blank");
    expect(link.getAttribute("rel")).toContain("noopener");
  });

  it("marks what was searched for in text, not in addresses", () => {
    const root = rendered("**住宿**费，[标准](https://example.com/住宿)，住宿", "住宿");
    expect([...root.querySelectorAll("mark")].map((one) => one.textContent)).toEqual(["住宿", "住宿"]);
    expect(root.textContent?.trim()).toBe("住宿费，标准，住宿");
  });
});

it("says an excerpt in words alone", () => {
  expect(withoutMarks("先到 **我的单据** 看\n- 见[制度](https://x)")).toBe("先到 我的单据 看\n见制度");
});

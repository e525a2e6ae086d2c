"""A real browser, and the pages as their users work them. Each test leaves its screenshots in `test-results/`."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect, sync_playwright

from connectors.widget import sign_token
from core.identity import Identity
from tests.stack import ADMIN_PASSWORD, Stack

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
DESKTOP, PHONE = (1280, 800), (390, 844)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 45_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """`$FSSC_CHROMIUM`, else an installed Chromium or Chrome, else the one that Playwright has downloaded."""
    found = os.environ.get("FSSC_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        except Error as error:
            if found is None and "Executable doesn't exist" in str(error):
                pytest.fail("no browser: apt-get install chromium, or playwright install chromium", pytrace=False)
            raise
        yield running
        running.close()


class Pages(dict[str, str]):
    """What a host system serves, HTML by path, on an origin of its own."""

    url = ""


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    served = Pages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in served else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(served.get(self.path, "").encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://localhost:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield served
        server.shutdown()


class Visit:
    """One person at one browser; `shot("name")` keeps what they see."""

    def __init__(self, context: BrowserContext, url: str, pages: Pages, results: Path) -> None:
        self.context, self.url, self.pages, self.results = context, url, pages, results
        self.page = context.new_page()
        self.broken: list[str] = []
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.taken = 0

    def shot(self, name: str) -> None:
        self.taken += 1
        self.page.screenshot(path=self.results / f"{self.page.viewport_size['width']}-{self.taken:02}-{name}.png")

    def demo(self, path: str = "/") -> Desk:
        """The demo's expense system at this path, loaded anew, its widget in place."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/demo/#{path}")
        desk = Desk(self.page)
        expect(desk.launcher.or_(desk.panel)).to_be_visible()
        return desk

    def host(self, token: str | None = None, **data: str) -> Desk:
        """A page of another origin that carries the widget's script tag with these `data-` attributes."""
        attributes = "".join(
            f' data-{name}="{html.escape(value)}"' for name, value in {**data, "token": token or ""}.items() if value
        )
        self.pages["/host"] = (
            "<!doctype html><html lang='zh-CN'><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'><title>报销系统</title>"
            f"<h1>报销系统</h1><a href='#'>我的单据</a><script src='{self.url}/widget.js'{attributes}></script></html>"
        )
        self.page.goto(f"{self.pages.url}/host")
        desk = Desk(self.page)
        expect(desk.launcher.or_(desk.panel)).to_be_visible()
        return desk

    def console(self, path: str = "/") -> Page:
        """The console at this path, signed in as the administrator."""
        self.page.goto(f"{self.url}/console{path}")
        heading = self.page.get_by_role("heading", name="财务共享智能客服")
        expect(heading.or_(self.page.locator("#content"))).to_be_visible()
        if heading.is_visible():
            self.sign_in("admin", ADMIN_PASSWORD)
            expect(self.page.locator("#content")).to_be_visible()
        return self.page

    def sign_in(self, username: str, password: str) -> None:
        self.page.get_by_label("账号").fill(username)
        self.page.get_by_label("密码", exact=True).fill(password)
        self.page.get_by_role("button", name="登录").click()

    def choose(self, field: str, option: str) -> None:
        """An option of one of the console's lists."""
        box = self.page.get_by_role("combobox", name=field)
        box.focus()
        box.press("Enter")
        self.page.get_by_role("option", name=option, exact=True).click()

    def fits(self) -> None:
        """Nothing makes the page wider than the screen."""
        width, screen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= screen, f"{self.page.url} is {width} px wide on a screen of {screen} px"


class Desk:
    """The widget, as far as its user can see and press it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.get_by_role("button", name=re.compile("^打开财务共享客服"))
        self.panel = page.get_by_role("dialog", name="财务共享客服")
        self.box = page.get_by_label("输入您的问题")
        self.lines = self.panel.locator("[role=log] > .line")
        self.said = self.panel.locator("[role=log] > .line.user .bubble")
        self.replies = self.panel.locator("[role=log] > .line.bot")
        self.last = self.replies.last
        self.status = self.panel.locator(".status-bar")

    def open(self) -> Desk:
        if not self.panel.is_visible():
            self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def ask(self, text: str) -> Locator:
        """Type it, Enter, wait for the answer; the answer."""
        return self._answered(lambda: self.say(text))

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def press(self, name: str, inside: Locator | None = None) -> Locator:
        """A button of the last message, or of `inside`; what comes back."""
        button = (inside or self.lines.last).get_by_role("button", name=name, exact=True)
        return self._answered(button.click)

    def _answered(self, act: Callable[[], None]) -> Locator:
        before = self.replies.count()
        act()
        expect(self.replies.nth(before)).to_be_visible()
        self.at_rest()
        return self.last

    def at_rest(self) -> None:
        """Nothing is on its way, nobody is typing."""
        expect(self.panel.locator(".delivery")).to_have_count(0)
        expect(self.panel.locator(".typing")).to_be_hidden()

    def texts(self) -> list[str]:
        return self.panel.locator("[role=log] > .line .bubble").all_inner_texts()

    @property
    def focused(self) -> str:
        """What the focused element is called, inside the widget or out."""
        return self.page.evaluate(
            """() => {
              let at = document.activeElement;
              while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
              return at?.getAttribute('aria-label') || at?.textContent.trim() || at?.tagName || '';
            }"""
        )


@pytest.fixture
def visit(
    browser: Browser, stack: Stack, pages: Pages, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visit]]:
    """`visit()` at a desk, `visit(PHONE)` on a phone. A script that fails on the page fails the test. Whoever visits has not
    chatted before: the widget would show it."""
    stack.nobody_chatted()
    results = RESULTS / re.sub(r"\W+", "-", request.node.nodeid.removeprefix("tests/browser/")).strip("-")
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    visits: list[Visit] = []

    def make(size: tuple[int, int] = DESKTOP) -> Visit:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=size == PHONE,
            has_touch=size == PHONE,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        visits.append(Visit(context, stack.url, pages, results))
        return visits[-1]

    yield make
    broken = [error for one in visits for error in one.broken]
    for one in visits:
        one.shot("last")
        one.context.close()
    assert not broken, broken


@pytest.fixture
def token(stack: Stack) -> Callable[..., str]:
    """`token(LI)` as the host system signs it; a negative `life` has expired."""

    def sign(identity: Identity, life: timedelta = timedelta(hours=1)) -> str:
        return sign_token(identity, stack.settings.widget_key, stack.settings.widget_issuer, life)

    return sign


@pytest.fixture(scope="session")
def finance_only(stack: Stack) -> dict[str, str]:
    """An entry that only the group `finance` may see."""
    with httpx.Client(base_url=f"{stack.url}/api/v1/console", trust_env=False) as console:
        signed_in = console.post(
            "/session",
            json={"username": "admin", "password": ADMIN_PASSWORD},
            headers={"X-Requested-With": "fssc"},
        )
        assert signed_in.status_code == 200, signed_in.text
        for page in range(1, 20):
            for entry in console.get("/kb/entries", params={"page": page, "page_size": 100}).json()["items"]:
                if entry["audience"]["groups"] == ["finance"]:
                    return entry
    raise AssertionError("no entry is for finance only")

"""The widget on a page of another origin: keys, screen readers, phones, bad networks, old tokens, hostile text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, Visit
from tests.stack import LI, WANG

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
Tokens = Callable[..., str]
STEP = {"page": "expense.travel.fill", "node": "attach-invoice", "document": "BX20261118-0107"}
FOLIO = "报销住宿费要不要酒店水单"
LODGING = "出差住宿费能报多少"


def test_the_keyboard_is_enough(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP)
    keys = here.page.keyboard
    keys.press("Tab")
    keys.press("Tab")
    assert desk.focused == "打开财务共享客服"
    here.shot("launcher-focused")
    keys.press("Enter")
    expect(desk.panel).to_be_visible()
    assert desk.focused == "输入您的问题"
    keys.type(FOLIO)
    keys.press("Enter")
    expect(desk.replies).to_have_count(1)
    desk.at_rest()
    assert desk.focused == "输入您的问题"

    for _ in range(20):
        keys.press("Shift+Tab")
        if desk.focused == "有用":
            break
    assert desk.focused == "有用"
    here.shot("vote-focused")
    keys.press("Enter")
    expect(desk.last).to_contain_text("感谢反馈")
    assert desk.focused == "有用"
    keys.press("Tab")
    keys.press("Tab")
    assert desk.focused in desk.last.get_by_role("list", name="相关问题").inner_text()
    keys.press("Enter")
    expect(desk.replies).to_have_count(2)
    desk.at_rest()
    keys.press("Escape")
    expect(desk.panel).to_be_hidden()
    assert desk.focused == "打开财务共享客服"


def test_a_screen_reader_finds_names_and_roles(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP)
    expect(desk.launcher).to_have_attribute("aria-expanded", "false")
    desk.open()
    desk.ask(FOLIO)
    desk.ask("发票")
    expect(desk.panel.get_by_role("log", name="对话消息")).to_have_attribute("aria-live", "polite")
    expect(desk.panel.get_by_role("region", name="消息记录")).to_have_attribute("tabindex", "0")
    expect(desk.panel.get_by_role("group", name="这个回答有用吗")).to_be_visible()
    expect(desk.panel.get_by_role("button", name="关闭客服窗口")).to_be_visible()
    expect(desk.panel.get_by_role("button", name="发送")).to_be_disabled()
    faults = here.page.evaluate(
        """() => {
          const root = document.querySelector('fssc-desk').shadowRoot, faults = [];
          const named = (e) => e.getAttribute('aria-label') || e.textContent.trim()
            || (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => root.getElementById(id)?.textContent).join('');
          for (const e of root.querySelectorAll('button, textarea, [role=dialog], [role=log], [role=region], [role=group]'))
            if (!named(e).trim()) faults.push('no name: ' + e.outerHTML.slice(0, 80));
          for (const e of root.querySelectorAll('svg')) if (e.getAttribute('aria-hidden') !== 'true') faults.push('icon read out');
          for (const e of root.querySelectorAll('img')) if (!e.hasAttribute('alt')) faults.push('no alt');
          for (const e of root.querySelectorAll('ul, ol'))
            for (const child of e.children) if (child.tagName !== 'LI') faults.push('list with ' + child.tagName);
          const ids = [...root.querySelectorAll('[id]')].map((e) => e.id);
          if (new Set(ids).size < ids.length) faults.push('an id twice: ' + ids);
          const light = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4));
            return .2126 * r + .7152 * g + .0722 * b;
          };
          const ground = (e) => {
            for (let at = e; at instanceof Element; at = at.parentElement) {
              const colour = getComputedStyle(at).backgroundColor;
              if (!/, 0\\)$/.test(colour)) return colour;
            }
            return 'rgb(255, 255, 255)';
          };
          for (const e of root.querySelectorAll('*')) {
            if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length || e.disabled || e.closest(':disabled')) continue;
            const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
            const ratio = (a + .05) / (b + .05);
            if (e.matches('style') || /rgba/.test(ground(e))) continue;
            if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(1)}: ${e.textContent.trim().slice(0, 20)}`);
          }
          return faults;
        }"""
    )
    assert faults == []


def test_hostile_text_is_only_text(visit: Visits, token: Tokens) -> None:
    here = visit()
    hostile = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>[点我](javascript:alert(1))"
    desk = here.host(
        token(LI), page="<b>x</b>", document="<i>y</i>", label="<img src=x onerror=document.title='hacked'>"
    )
    desk.open()
    desk.ask(hostile)
    expect(desk.said.last).to_have_text(hostile)
    here.shot("hostile")
    here.page.reload()
    expect(desk.panel).to_be_visible()
    expect(desk.said.last).to_contain_text("onerror")
    assert desk.panel.locator("img, script, b, i:not([aria-hidden]), a[href^=javascript]").count() == 0
    assert here.page.title() == "报销系统"


def test_on_a_phone_it_fills_the_screen(visit: Visits, token: Tokens) -> None:
    here = visit(PHONE)
    desk = here.host(token(LI), **STEP).open()
    here.shot("greeting")
    assert desk.panel.bounding_box() == {"x": 0, "y": 0, "width": PHONE[0], "height": PHONE[1]}
    expect(desk.panel).to_have_attribute("aria-modal", "true")
    desk.ask(LODGING)
    here.shot("answer")
    here.fits()
    width, inside = here.page.evaluate(
        "(() => { const s = document.querySelector('fssc-desk').shadowRoot.querySelector('.scroller'); return [s.scrollWidth, s.clientWidth] })()"
    )
    assert width <= inside
    for name in ("转人工", "我的工单", "关闭客服窗口"):
        assert desk.panel.get_by_role("button", name=name).bounding_box()["height"] >= 36
    desk.panel.get_by_role("button", name="关闭客服窗口").click()
    expect(desk.panel).to_be_hidden()
    here.fits()


def test_an_expired_token_is_told_and_a_new_one_goes_on(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI, timedelta(minutes=-5)), **STEP)
    here.page.evaluate("addEventListener('fssc-token-expired', (event) => { window.told = event.detail })")
    desk.open()
    desk.say(FOLIO)
    expect(desk.status).to_contain_text("登录")
    expect(desk.lines.last).to_contain_text("等待重新登录后发送")
    here.page.wait_for_function("window.told?.code === 'token_expired'")
    here.shot("expired")
    here.page.evaluate("(fresh) => FSSCDesk.setToken(fresh)", token(LI))
    expect(desk.replies).to_have_count(1)
    desk.at_rest()
    expect(desk.status).to_be_hidden()
    expect(desk.said).to_have_text([FOLIO])
    here.shot("goes-on")


def test_a_token_of_somebody_else_shows_nothing_of_the_first(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP).open()
    desk.ask(FOLIO)
    here.page.evaluate("(other) => FSSCDesk.setToken(other)", token(WANG))
    expect(desk.panel.get_by_role("list", name="常见问题")).to_be_visible()
    expect(desk.lines).to_have_count(0)


def test_what_is_said_offline_goes_out_once_and_in_order(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP).open()
    desk.ask(FOLIO)
    here.context.set_offline(True)
    desk.say(LODGING)
    desk.say("谢谢")
    expect(desk.status).to_contain_text("网络已断开")
    expect(desk.panel.get_by_text("等待网络")).to_have_count(2)
    here.shot("offline")
    here.context.set_offline(False)
    expect(desk.replies).to_have_count(3)
    desk.at_rest()
    expect(desk.status).to_be_hidden()
    expect(desk.said).to_have_text([FOLIO, LODGING, "谢谢"])
    before = desk.texts()
    here.page.reload()
    expect(desk.lines).to_have_count(len(before))
    assert desk.texts() == before


def test_a_reply_lost_on_the_way_is_not_answered_twice(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP).open()
    sent: list[str] = []

    def lose_the_first_reply(route: Route) -> None:
        sent.append(route.request.post_data_json["client_message_id"])
        if len(sent) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    here.page.route("**/api/v1/chat/messages", lose_the_first_reply)
    desk.ask(FOLIO)
    assert len(sent) == 2 and len(set(sent)) == 1
    here.page.reload()
    expect(desk.lines).to_have_count(2)


def test_a_reply_to_a_closed_dialog_is_marked_unread(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP).open()
    held: list[Route] = []
    here.page.route("**/api/v1/chat/messages", lambda route: held.append(route))
    with here.page.expect_request("**/api/v1/chat/messages"):
        desk.say(FOLIO)
    expect(desk.panel.get_by_role("status").filter(has_text="对方正在输入")).to_be_visible()
    here.shot("typing")
    here.page.keyboard.press("Escape")
    expect(desk.panel).to_be_hidden()
    held[0].continue_()
    expect(here.page.get_by_role("button", name="打开财务共享客服，1 条未读消息")).to_be_visible()
    here.shot("unread")
    desk.open()
    expect(desk.replies).to_have_count(1)
    here.page.keyboard.press("Escape")
    expect(here.page.get_by_role("button", name="打开财务共享客服", exact=True)).to_be_visible()


def test_too_long_a_text_is_told_before_it_is_sent(visit: Visits, token: Tokens) -> None:
    here = visit()
    desk = here.host(token(LI), **STEP).open()
    desk.box.fill("票" * 2010)
    expect(desk.panel).to_contain_text("超出 10 字，最多 2000 字")
    expect(desk.panel.get_by_role("button", name="发送")).to_be_disabled()
    here.shot("too-long")

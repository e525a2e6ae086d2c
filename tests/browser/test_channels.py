"""An administrator looks at a channel, tries it, and reads what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visit
from tests.simulators.wecom import WecomSimulator

pytestmark = pytest.mark.browser


def test_a_channel_is_tried_and_says_what_is_wrong(visit: Callable[..., Visit], wecom: WecomSimulator) -> None:
    here = visit()
    page = here.console("/channels")
    panel = page.get_by_label("企业微信", exact=True)
    expect(panel.get_by_text("已启用")).to_be_visible()
    expect(panel.get_by_text("/api/v1/channels/wecom/callback")).to_be_visible()
    expect(panel.get_by_label("Secret")).to_be_disabled()
    expect(panel.get_by_label("Secret")).to_have_value("")
    panel.get_by_role("button", name="测试").click()
    expect(panel.get_by_text("连接正常")).to_be_visible()
    wecom.trusted = False
    try:
        panel.get_by_role("button", name="测试").click()
        expect(panel.get_by_text("企业可信IP")).to_be_visible()
        here.shot("refused")
    finally:
        wecom.trusted = True
    small = visit(PHONE)
    small.console("/channels")
    expect(small.page.get_by_label("钉钉", exact=True)).to_be_visible()
    small.fits()

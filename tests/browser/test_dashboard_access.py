"""Who gets to the dashboard, and what happens when it goes and comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect
from served import Dashboard, add_finished, connected, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "-".join(("correct", "horse", "battery", "staple"))
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    folder = make_project(tmp_path_factory.mktemp("dashboard") / "project")
    add_finished(folder, "first", finished_run)
    return folder


@pytest.fixture
def closed(project: Path) -> Iterator[Dashboard]:
    """A dashboard that wants a token."""
    served = Dashboard(project, environment={"PLANALIGN_TOKEN": TOKEN}).start()
    yield served
    served.stop()


@pytest.fixture
def one_run(project: Path) -> Iterator[Dashboard]:
    """A dashboard of one run alone."""
    served = Dashboard(project, ("runs/first",)).start()
    yield served
    served.stop()


def test_the_token_is_asked_for_once(closed, browser_page, page_faults, screenshot, new_page):
    browser_page.goto(f"{closed.address}/run/first/models")
    expect(browser_page.get_by_label("Token")).to_be_focused()
    screenshot("dashboard-login")
    browser_page.keyboard.type("wrong")
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("alert")).to_contain_text("not the token")
    assert [said for said in page_faults.console if "403" not in said] == []
    page_faults.console.clear()
    browser_page.get_by_label("Token").fill(TOKEN)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/run/first/models")
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("first")
    connected(browser_page)
    browser_page.reload()
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("first")
    connected(browser_page)
    (cookie,) = [c for c in browser_page.context.cookies() if "session" in c["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert browser_page.evaluate("document.cookie") == ""
    # Somebody else is asked anew.
    other = new_page()
    other.goto(f"{closed.address}/")
    expect(other.get_by_label("Token")).to_be_visible()


def test_a_token_in_the_address_does_not_stay_there(closed, browser_page):
    browser_page.goto(f"{closed.address}/run/first?token={TOKEN}")
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("first")
    connected(browser_page)
    assert browser_page.url == f"{closed.address}/run/first"


def test_without_the_token_no_asset_and_no_websocket_is_served(closed):
    with httpx.Client(base_url=closed.address) as client:
        client.headers["cookie"] = ""
        assets = ["/", "/favicon.ico", "/_nicegui/static/nicegui.js"]
        sockets = ["/_nicegui_ws/socket.io/?EIO=4&transport=polling"]
        assert {client.get(path).status_code for path in assets + sockets} == {401}
        upgrade = {
            "connection": "Upgrade",
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        socket = client.get("/_nicegui_ws/socket.io/?EIO=4&transport=websocket", headers=upgrade)
        assert socket.status_code == 403


def test_another_host_or_origin_is_refused(one_run):
    with httpx.Client(base_url=one_run.address) as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421
        assert client.get("/", headers={"origin": "http://evil.example"}).status_code == 403
        page = client.get("/")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "server" not in page.headers


def test_one_run_alone_is_shown(one_run, browser_page):
    browser_page.goto(one_run.address)
    expect(browser_page.get_by_role("rowheader", name="first")).to_be_visible()
    connected(browser_page)


def test_a_page_comes_back_when_the_dashboard_does(closed, browser_page, page_faults):
    browser_page.goto(f"{closed.address}/run/first/models?token={TOKEN}")
    connected(browser_page)
    assert closed.stop() == 0
    expect(browser_page.locator("#popup")).to_have_attribute("aria-hidden", "false")
    browser_page.evaluate("window.isOld = true")
    closed.start()
    browser_page.wait_for_function("!window.isOld && window.socket?.connected")
    connected(browser_page)
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("first")
    assert browser_page.url.endswith("/run/first/models")
    # While it was away the browser could not connect; nothing else went wrong.
    assert [said for said in page_faults.console if "ERR_CONNECTION" not in said] == []
    page_faults.console.clear()
    page_faults.failed.clear()


def test_a_connection_that_broke_is_taken_up_where_it_was(one_run, browser_page, page_faults):
    browser_page.goto(f"{one_run.address}/run/first/plans")
    connected(browser_page)
    browser_page.evaluate("window.isOld = true; window.socket.io.engine.close()")
    connected(browser_page)
    assert browser_page.evaluate("window.isOld")
    browser_page.get_by_role("button", name="Turn between dark and light").click()
    expect(browser_page.locator("body")).to_have_class(re.compile("body--dark"))
    connected(browser_page)

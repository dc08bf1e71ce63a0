"""Who gets past the guard: hosts, origins, the token; and what every answer carries."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest

from planalign.errors import ExitCode, UsageError
from planalign.studio.access import COOKIE, Access, Guard, is_loopback

TOKEN = "-".join(("correct", "horse", "battery", "staple"))
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused
HTML = {"accept": "text/html"}


async def behind(scope, receive, send):
    """An application that says what it was asked, as a page."""
    forwarded = dict(scope["headers"]).get(b"x-forwarded-prefix")
    text = b"<script type=module>1</script><SCRIPT>2</SCRIPT>" + (forwarded or b"")
    headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text[:9], "more_body": True})
    await send({"type": "http.response.body", "body": text[9:]})


def ask(access, method="GET", path="/", host="127.0.0.1:8080", **options):
    async def send():
        transport = httpx.ASGITransport(Guard(behind, access))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def ask_websocket(access, **headers):
    """Return what the guard sent, and whether the application was reached."""
    sent, reached = [], []

    async def application(scope, receive, send):
        reached.append(scope)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    named = {"host": "127.0.0.1:8080", **headers}
    scope = {
        "type": "websocket",
        "path": "/_nicegui_ws/socket.io/",
        "headers": [(k.encode(), v.encode()) for k, v in named.items()],
    }
    asyncio.run(Guard(application, access)(scope, receive, send))
    return sent, bool(reached)


LOCAL = Access("127.0.0.1")
CLOSED = Access("127.0.0.1", TOKEN)
COOKIES = {"cookie": f"{COOKIE}={CLOSED.session}"}


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.0.7", "example.org", ""])
def test_other_machines_are_not_let_in_without_a_token(host):
    with pytest.raises(UsageError, match="token") as error:
        Access(host)
    assert error.value.exit_code is ExitCode.INPUT
    assert "PLANALIGN_TOKEN" in str(error.value)
    assert Access(host, TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_token(host):
    assert is_loopback(host)
    assert Access(host)


def test_a_token_that_can_be_guessed_is_refused():
    with pytest.raises(UsageError, match="characters"):
        Access("127.0.0.1", "short")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"])
def test_the_names_of_this_machine_are_served(host):
    assert ask(LOCAL, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1",
     "", "a b", "127.0.0.1:8080:1", "user@127.0.0.1", "[::1", "127.0.0.1/"],
)  # fmt: skip
def test_another_host_is_refused_on_loopback(host):
    assert ask(LOCAL, headers={"host": host}).status_code == 421
    assert not ask_websocket(LOCAL, host=host)[1]


def test_beyond_loopback_addresses_are_served_and_names_of_others_are_not():
    wide = Access(EVERYWHERE, TOKEN)
    assert wide.is_host("10.1.2.3:8080")
    assert wide.is_host("[fe80::1]")
    assert not wide.is_host("evil.example")
    assert Access("plans.example", TOKEN).is_host("Plans.Example:80")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_other_sites_cannot_ask_through_a_browser(headers):
    assert ask(LOCAL, headers=headers).status_code == 403
    assert ask_websocket(LOCAL, **headers) == ([{"type": "websocket.close", "code": 1008}], False)


def test_a_link_elsewhere_and_the_own_pages_may_ask():
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert ask(LOCAL, headers=link).status_code == 200
    assert ask(LOCAL, headers={"origin": "http://127.0.0.1:8080"}).status_code == 200
    assert ask_websocket(LOCAL, origin="http://127.0.0.1:8080")[1]


@pytest.mark.parametrize("path", ["/", "/run/one", "/_nicegui/static/x.js", "/favicon.ico"])
def test_without_the_token_nothing_is_served(path):
    reader = ask(CLOSED, path=path, headers=HTML)
    assert reader.status_code == 303
    assert reader.headers["location"].startswith("/login")
    assert ask(CLOSED, path=path).status_code == 401
    assert ask(CLOSED, path=path, headers={"cookie": f"{COOKIE}=x"}).status_code == 401
    assert ask(CLOSED, path=path, headers=COOKIES).status_code == 200


def test_without_the_token_no_websocket_is_opened():
    assert ask_websocket(CLOSED) == ([{"type": "websocket.close", "code": 1008}], False)
    assert ask_websocket(CLOSED, **COOKIES)[1]


def test_the_login_leads_back_to_the_page_that_was_asked_for():
    asked = ask(CLOSED, path="/run/one/plans?plan=x%20y", headers=HTML)
    query = urlsplit(asked.headers["location"]).query
    assert parse_qs(query) == {"next": ["/run/one/plans?plan=x%20y"]}
    form = ask(CLOSED, path=asked.headers["location"], headers=HTML)
    assert 'value="/run/one/plans?plan=x%20y"' in form.text
    data = {"token": TOKEN, "next": "/run/one/plans?plan=x%20y"}
    assert ask(CLOSED, "POST", "/login", data=data).headers["location"] == data["next"]


@pytest.mark.parametrize("name", ["日本", "größe", "50% of 60", "a?b#c", "\N{GRINNING FACE}"])
def test_the_login_leads_to_a_run_of_any_name(name):
    address = f"/run/{quote(name, safe='')}/plans"
    asked = ask(CLOSED, path=address, headers=HTML)
    assert asked.status_code == 303
    [there] = parse_qs(urlsplit(asked.headers["location"]).query)["next"]
    assert ask(CLOSED, path=asked.headers["location"], headers=HTML).status_code == 200
    entered = ask(CLOSED, "POST", "/login", data={"token": TOKEN, "next": there})
    in_address = ask(CLOSED, path=f"{address}?token={TOKEN}")
    for answer in (entered, in_address):
        assert answer.status_code == 303
        assert unquote(urlsplit(answer.headers["location"]).path) == f"/run/{name}/plans"


def test_a_form_that_names_a_page_in_letters_is_answered():
    answer = ask(CLOSED, "POST", "/login", data={"token": TOKEN, "next": "/run/日本"})
    assert answer.headers["location"] == "/run/%E6%97%A5%E6%9C%AC"


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "null", "http://]", "\x00"])
def test_an_origin_that_is_none_is_another_site(origin):
    assert ask(LOCAL, headers={"origin": origin}).status_code == 403
    assert not ask_websocket(LOCAL, origin=origin)[1]


def test_the_right_token_gives_a_cookie_that_scripts_and_other_sites_do_not_get():
    answer = ask(CLOSED, "POST", "/login", data={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert cookie == f"{COOKIE}={CLOSED.session}; Path=/; HttpOnly; SameSite=Strict"
    assert TOKEN not in cookie


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", "é", TOKEN.upper()])
def test_a_wrong_token_gives_none(token):
    answer = ask(CLOSED, "POST", "/login", data={"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "not the token" in answer.text


def test_a_token_in_the_address_is_taken_out_of_it():
    answer = ask(CLOSED, path=f"/compare?a=x&token={TOKEN}&b=y")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compare?a=x&b=y")
    assert COOKIE in answer.headers["set-cookie"]
    assert ask(CLOSED, path="/?token=wrong").status_code == 403


@pytest.mark.parametrize(
    "there",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:x",
     "/a\r\nset-cookie: x=y", "", "/_nicegui_ws/x"],
)  # fmt: skip
def test_the_login_never_leads_to_another_site(there):
    data = {"token": TOKEN, "next": there}
    assert ask(CLOSED, "POST", "/login", data=data).headers["location"] == "/"


def test_a_login_that_never_ends_is_refused():
    assert ask(CLOSED, "POST", "/login", content=b"x" * 100_000).status_code == 413


def test_what_the_login_shows_is_escaped():
    answer = ask(CLOSED, path="/login?next=/%22%3E%3Cscript%3E", headers=HTML)
    assert '"><script>' not in answer.text


def test_a_session_is_of_one_token_and_outlives_the_process():
    assert Access("127.0.0.1", TOKEN).session == CLOSED.session
    assert Access("127.0.0.1", TOKEN + "x").session != CLOSED.session


def test_every_answer_has_the_headers_of_safety():
    for answer in (ask(LOCAL), ask(CLOSED), ask(LOCAL, headers={"host": "evil"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_the_scripts_of_a_page_have_the_nonce_of_its_policy():
    first, second = ask(LOCAL), ask(LOCAL)
    nonce = first.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert first.text.count(f'<script nonce="{nonce}"') == 1
    assert first.text != second.text


def test_a_prefix_that_a_client_sends_is_dropped():
    assert "evil" not in ask(LOCAL, headers={"x-forwarded-prefix": "/evil"}).text

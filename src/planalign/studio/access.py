"""Who may see the dashboard: the Host and Origin of a request, the token, headers of answers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from planalign.errors import UsageError
from planalign.studio.login import login_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "planalign_session"
LOGIN = "/login"
# Nobody guesses sixteen random characters, so that attempts need not be counted.
TOKEN_LENGTH = 16
_FORM_BYTES = 8_192
_OF_ADDRESS = "%/?&=+:;,@!$'()*~#[]"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Say whether an address or name is that of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Access:
    """Where the dashboard listens, and the token that it wants, if any."""

    host: str
    token: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would let anybody in.

        Raises:
            UsageError: other machines could connect without a token, or it is short.
        """
        if self.token is None and not is_loopback(self.host):
            raise UsageError(
                f"without a token the dashboard does not listen on {self.host}, "
                "where other machines can reach it",
                "Set PLANALIGN_TOKEN (or --token), or leave --host at 127.0.0.1.",
            )
        if self.token is not None and len(self.token) < TOKEN_LENGTH:
            raise UsageError(
                f"the token has fewer than {TOKEN_LENGTH} characters",
                "Make one: python -c 'import secrets; print(secrets.token_urlsafe())'",
            )

    def is_host(self, header: str) -> bool:
        """Say whether a Host header names this dashboard.

        A page elsewhere may point a name of its own at this machine (DNS rebinding). It
        cannot do so with an address, nor with the names that are the machine's.
        """
        name = _name_of(header)
        if name in _LOOPBACK or name == self.host.lower():
            return name != ""
        if is_loopback(self.host):
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in {socket.gethostname().lower(), socket.getfqdn().lower()}
        return True

    def is_token(self, given: str) -> bool:
        """Compare a token, in a time that does not tell how much of it is right."""
        return self.token is not None and hmac.compare_digest(_digest(given), _digest(self.token))

    @property
    def session(self) -> str:
        """Return the cookie of who gave the token: it says nothing of it.

        It stays the same when the dashboard is started anew with the same token.
        """
        key = (self.token or "").encode("utf-8", "surrogateescape")
        return hmac.new(key, b"planalign dashboard", hashlib.sha256).hexdigest()

    def is_session(self, cookie: str) -> bool:
        """Say whether the cookie is of somebody who gave the token."""
        return hmac.compare_digest(_digest(cookie), _digest(self.session))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _name_of(header: str) -> str:
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", header.lower())
    return "" if found is None else found[1] or found[2]


def policy(nonce: str) -> str:
    """Return the content policy of a page.

    NiceGUI compiles templates and handlers in the page, which needs unsafe-eval, and
    Vue, Quasar and plotly set styles inline. A script needs the nonce or is a file here.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Stands before the application: no page, asset or websocket gets past it unasked."""

    def __init__(self, application: Application, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, answer it, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        # NiceGUI writes this one into its pages; nobody stands before us to set it.
        scope["headers"] = [h for h in scope["headers"] if h[0].lower() != b"x-forwarded-prefix"]
        nonce = secrets.token_urlsafe(16)
        answer = None
        if not self._access.is_host(headers.get("host", "")):
            answer = _Answer(421, "This is not the address of the dashboard.")
        elif not _is_own(headers):
            answer = _Answer(403, "Another site may not ask this of the dashboard.")
        elif self._access.token is not None:
            answer = await self._enter(scope, headers, receive)
        if answer is None:
            passed = _with_headers(send, nonce) if scope["type"] == "http" else send
            await self._application(scope, receive, passed)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer.send(_with_headers(send, nonce))

    async def _enter(
        self, scope: Scope, headers: dict[str, str], receive: Receive
    ) -> _Answer | None:
        """Return what to answer somebody instead of the page; None to who gave the token."""
        # As it was asked for: the server has decoded the name of a run that is in it.
        path, query = quote(scope["path"]), scope.get("query_string", b"").decode("latin-1")
        if scope["type"] == "http" and path == LOGIN and scope["method"] == "POST":
            return await self._log_in(receive)
        given = [value for name, value in parse_qsl(query) if name == "token"]
        if given and scope["type"] == "http" and scope["method"] == "GET":
            kept = urlencode([(k, v) for k, v in parse_qsl(query) if k != "token"])
            here = _page_of(f"{path}?{kept}" if kept else path)
            if self._access.is_token(given[-1]):
                return self._welcome(here)
            return _form(here, 403, _WRONG)
        if self._access.is_session(_cookie(headers.get("cookie", ""))):
            return _see("/") if path == LOGIN else None
        is_reader = scope["type"] == "http" and "text/html" in headers.get("accept", "")
        return _ask(path, query) if is_reader else _Answer(401, "The dashboard wants its token.")

    async def _log_in(self, receive: Receive) -> _Answer:
        body, more = b"", True
        while more and len(body) <= _FORM_BYTES:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if len(body) > _FORM_BYTES:
            return _Answer(413, "That is more than a token.")
        form = dict(parse_qsl(body.decode("latin-1")))
        here = _page_of(form.get("next", "/"))
        if self._access.is_token(form.get("token", "")):
            return self._welcome(here)
        return _form(here, 403, _WRONG)

    def _welcome(self, here: str) -> _Answer:
        cookie = f"{COOKIE}={self._access.session}; Path=/; HttpOnly; SameSite=Strict"
        return _see(here, ("set-cookie", cookie))


def _is_own(headers: dict[str, str]) -> bool:
    """Say whether a request comes from a page of the dashboard, or from no page at all."""
    origin = headers.get("origin")
    if origin is not None:
        try:
            host = urlsplit(origin).netloc
        except ValueError:  # half of an address
            return False
        return host.lower() == headers.get("host", "").lower()
    # A link elsewhere may lead here; an image or script elsewhere may not.
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "navigate")
    return site in ("none", "same-origin") or mode == "navigate"


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _page_of(given: str) -> str:
    """Return where to go on: a page here, never another site."""
    is_page = re.fullmatch(r"/(?![/\\])[^\x00-\x20\\\x7f]*", given) is not None
    return given if is_page and not given.startswith("/_nicegui") else "/"


@dataclass(frozen=True)
class _Answer:
    status: int
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "text/plain"

    async def send(self, send: Send) -> None:
        body = self.text.encode()
        headers = (
            ("content-type", f"{self.kind}; charset=utf-8"),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            *self.headers,
        )
        start = {"type": "http.response.start", "status": self.status}
        start["headers"] = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        await send(start)
        await send({"type": "http.response.body", "body": body})


def _see(path: str, *headers: tuple[str, str]) -> _Answer:
    # Whatever a form sent: a header takes no letters beyond those of an address.
    return _Answer(303, headers=(("location", quote(path, safe=_OF_ADDRESS)), *headers))


def _with_headers(send: Send, nonce: str) -> Send:
    """Return a `send` that adds the headers, and gives the scripts of a page the nonce."""
    held: list[Message] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _complete(message, nonce)
            if _is_page(message):
                held.append(message)
                return
        elif held:
            held.append(message)
            if message.get("more_body", False):
                return
            body = b"".join(one.get("body", b"") for one in held[1:])
            # What comes from outside cannot hold a script tag: NiceGUI escapes every "<".
            body = re.sub(rb"<script(?=[\s>])", f'<script nonce="{nonce}"'.encode(), body)
            start = held[0]
            start["headers"] = [
                *(h for h in start["headers"] if h[0].lower() != b"content-length"),
                (b"content-length", str(len(body)).encode()),
            ]
            held.clear()
            await send(start)
            await send({"type": "http.response.body", "body": body})
            return
        await send(message)

    return sending


def _is_page(start: Message) -> bool:
    return any(
        k.lower() == b"content-type" and v.startswith(b"text/html") for k, v in start["headers"]
    )


def _complete(start: Message, nonce: str) -> None:
    own = {**_HEADERS, "content-security-policy": policy(nonce)}
    start["headers"] = [
        *(h for h in start["headers"] if h[0].decode("latin-1").lower() not in own),
        *((name.encode(), value.encode()) for name, value in own.items()),
    ]


def _ask(path: str, query: str) -> _Answer:
    """Return the page that asks for the token, or the way there."""
    if path == LOGIN:
        return _form(_page_of(dict(parse_qsl(query)).get("next", "/")))
    here = _page_of(f"{path}?{query}" if query else path)
    return _see(LOGIN if here == "/" else f"{LOGIN}?{urlencode({'next': here})}")


_WRONG = "This is not the token. It is the one that the dashboard was started with."


def _form(here: str, status: int = 200, said: str = "") -> _Answer:
    return _Answer(status, login_page(LOGIN, here, said), kind="text/html")

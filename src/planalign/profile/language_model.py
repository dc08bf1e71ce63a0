"""Ask a language model for suggestions, where the user has configured an endpoint.

With the HTTP client of the standard library: one request does not need a dependency. It
checks certificates; redirects are not followed, because the key would go with them.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from planalign.errors import PlanalignError
from planalign.profile.suggestions import SUGGESTION, Proposal
from planalign.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

URL, MODEL, KEY = "PLANALIGN_LLM_URL", "PLANALIGN_LLM_MODEL", "PLANALIGN_LLM_API_KEY"

# A model may think for a while; then it is left out.
TIMEOUT_SECONDS = 120.0
MOST_BYTES = 1_000_000
# Each is tried for the time of some runs.
MOST_SUGGESTIONS, MOST_REMARKS, LONGEST_TEXT = 8, 20, 500


class EndpointError(PlanalignError):
    """The endpoint did not answer, or not with what was asked for."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint, such as `https://host/v1`, without its key in sight."""

    url: str
    model: str
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        """Return the host that is asked."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class Answer:
    """What a language model suggests, and what it says that cannot be tried."""

    proposals: tuple[Proposal, ...]
    remarks: tuple[str, ...]


def endpoint_in(environment: Mapping[str, str]) -> Endpoint | None:
    """Return the endpoint that the environment configures; nothing without all of it.

    Raises:
        EndpointError: its address is none of HTTP.
    """
    url, model, key = (environment.get(name, "").strip() for name in (URL, MODEL, KEY))
    if not (url and model and key):
        return None
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_plain = parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        is_http = is_plain = False
    if not is_http or not is_plain:
        raise EndpointError(
            f"{URL} is no address of an endpoint", "Write one such as https://host/v1."
        )
    return Endpoint(url.rstrip("/"), model, key)


def ask(
    endpoint: Endpoint, messages: Sequence[Mapping[str, str]], timeout: float = TIMEOUT_SECONDS
) -> Answer:
    """Send messages and return what is answered.

    Args:
        endpoint: where they are sent.
        messages: in the form that such an endpoint takes.
        timeout: seconds for all of it.

    Raises:
        EndpointError: there is no answer, or it is not what was asked for.
    """
    content = json.dumps({"model": endpoint.model, "messages": list(messages)}).encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        f"{endpoint.url}/chat/completions",
        data=content,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.key}"},
        method="POST",
    )
    try:
        body = _answer_within(timeout, request)
    except urllib.error.HTTPError as error:
        with error:
            raise EndpointError(f"{endpoint.host} answers with status {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EndpointError(
            f"{endpoint.host} does not answer ({type(error).__name__}: {error})"
        ) from error
    if len(body) > MOST_BYTES:
        raise EndpointError(f"{endpoint.host} answers with more than {MOST_BYTES:,} bytes")
    return read_answer(_content(body, endpoint.host))


def _answer_within(seconds: float, request: urllib.request.Request) -> bytes:
    """Return the beginning of an answer that is all there in time.

    The client's own timeout is for each read: names that are looked up, single bytes
    and interim answers can take any time in all. A thread is left behind then, which
    ends with the process.
    """
    answer: Future[bytes] = Future()

    def send() -> None:
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=seconds) as response:
                answer.set_result(response.read(MOST_BYTES + 1))
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=send, name="language model", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        raise TimeoutError(f"not within {seconds:g} s") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: the status becomes an error."""
        return


def _content(body: bytes, host: str) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise EndpointError(f"{host} answers with something else than a completion") from error
    if not isinstance(content, str):
        raise EndpointError(f"{host} answers without text")
    return content


def read_answer(content: str) -> Answer:
    """Return the suggestions in an answer; what is none of them becomes a remark."""
    start, end = content.find("{"), content.rfind("}")
    try:
        found = json.loads(content[start : end + 1])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Answer((), _remarks([content]))
    listed = found.get("suggestions")
    proposals: list[Proposal] = []
    remarks: list[Any] = []
    for one in listed if isinstance(listed, list) else []:
        proposal = _proposal(one)
        if proposal is None or len(proposals) == MOST_SUGGESTIONS:
            remarks.append(one)
        elif proposal.suggestion not in [known.suggestion for known in proposals]:
            proposals.append(proposal)
    said = found.get("remarks")
    return Answer(tuple(proposals), _remarks([*(said if isinstance(said, list) else []), *remarks]))


def _proposal(one: object) -> Proposal | None:
    if not isinstance(one, dict):
        return None
    reason = one.get("reason")
    try:
        suggestion = SUGGESTION.validate_python({k: v for k, v in one.items() if k != "reason"})
    except ValidationError:
        return None
    return Proposal(suggestion, _line(reason or ""), "language_model")


def _remarks(texts: Sequence[Any]) -> tuple[str, ...]:
    return tuple(line for line in map(_line, texts[:MOST_REMARKS]) if line)


def _line(said: object) -> str:
    """Return what a model says as one line that a terminal can show."""
    try:
        text = said if isinstance(said, str) else json.dumps(said)
    except RecursionError:
        text = "(nested too deeply to be shown)"
    return visible(" ".join(text.split()))[:LONGEST_TEXT]

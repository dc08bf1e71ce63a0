"""What a language model is told, what is read of its answer, and what its faults do."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made import model, node, record

from planalign.profile import advice, language_model, prompt
from planalign.profile.analysis import analyse
from planalign.profile.findings import find
from planalign.profile.language_model import Endpoint, EndpointError, ask, endpoint_in, read_answer
from planalign.profile.suggestions import Materialize, Threads
from planalign.profile.trial import Trial
from planalign.text import visible

DATA = Path(__file__).parents[1] / "record" / "data"
SET = {
    "PLANALIGN_LLM_URL": "https://host.example/v1",
    "PLANALIGN_LLM_MODEL": "some-model",
    "PLANALIGN_LLM_API_KEY": "a-key",
}
GOOD = {
    "suggestions": [
        {
            "kind": "materialize",
            "model": "int_a",
            "materialization": "view",
            "reason": "it is read once",
        },
        {"kind": "rewrite", "sql": "select 1", "reason": "shorter"},
    ],
    "remarks": ["look at the\njoins"],
}


class Stub:
    """An endpoint on this machine: gives one answer, and keeps what it was sent."""

    def __init__(self, body=b"", status=200, headers=None):
        self.body, self.status, self.headers = body, status, headers or {}
        self.requests = []


@contextmanager
def served(stub):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            stub.requests.append((self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(stub.status)
            for name, value in stub.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(stub.body)

        def log_message(self, *arguments):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(content):
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


def planned(plan, **more):
    nodes = node("int_a"), node("int_b", "int_a")
    models = model("int_a", 0, 1, rows=10, **more), model("int_b", 1, 3, rows=10)
    return record(4, *nodes, models=models, query_plans={("int_a", 2025, 1): plan})


def sent(made):
    analysis = analyse(made)
    return json.dumps(prompt.messages(made, analysis, find(made, analysis)))


@pytest.mark.parametrize("missing", SET)
def test_without_all_of_its_settings_there_is_no_endpoint(missing):
    for value in (None, "", "  "):
        settings = {k: v for k, v in SET.items() if k != missing}
        assert endpoint_in(settings if value is None else {**settings, missing: value}) is None


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://host/v1", "host/v1", "https://", "https://u:p@host/v1",
     "https://host/v1?x=1", "http://[::1/v1"],
)  # fmt: skip
def test_only_an_address_of_http_is_one(url):
    with pytest.raises(EndpointError, match="PLANALIGN_LLM_URL"):
        endpoint_in({**SET, "PLANALIGN_LLM_URL": url})


def test_the_key_is_not_in_what_is_shown():
    endpoint = endpoint_in(SET)
    assert endpoint is not None
    assert "a-key" not in repr(endpoint)
    assert endpoint.host == "host.example"


def test_the_question_is_sent_with_key_and_model_and_the_answer_read():
    stub = Stub(completion("Here:\n```json\n" + json.dumps(GOOD) + "\n```"))
    with served(stub) as url:
        answer = ask(Endpoint(url, "some-model", "a-key"), [{"role": "user", "content": "x"}])
    [(path, headers, body)] = stub.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer a-key"
    assert json.loads(body) == {
        "model": "some-model", "messages": [{"role": "user", "content": "x"}],
    }  # fmt: skip
    [proposal] = answer.proposals
    assert proposal.suggestion == Materialize(model="int_a", materialization="view")
    assert (proposal.reason, proposal.source) == ("it is read once", "language_model")
    assert answer.remarks[0] == "look at the joins"
    assert "rewrite" in answer.remarks[1]


@pytest.mark.parametrize(
    ("stub", "said"),
    [
        (Stub(status=401), "status 401"),
        (Stub(status=500), "status 500"),
        (Stub(b"no json"), "something else"),
        (Stub(b"[]"), "something else"),
        (Stub(b'{"choices": []}'), "something else"),
        (Stub(b"\xff\xfe"), "something else"),
        (Stub(completion(None)), "without text"),
        (Stub(b" " * (language_model.MOST_BYTES + 1)), "more than"),
    ],
)
def test_an_endpoint_that_does_not_answer_well_is_an_error(stub, said):
    with served(stub) as url, pytest.raises(EndpointError, match=said):
        ask(Endpoint(url, "m", "k"), [])


@contextmanager
def dripping(part):
    """Serve one connection that gets the same part, again and again, until the test ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            with suppress(OSError), listening.accept()[0] as connection:
                while not over.wait(0.01):
                    connection.sendall(part)

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("part", [b"HTTP/1.1 100 Continue\r\n\r\n", b"H"])
def test_an_answer_that_never_ends_is_waited_for_once_in_all(part):
    with dripping(part) as url, pytest.raises(EndpointError, match="does not answer"):
        ask(Endpoint(url, "m", "k"), [], timeout=0.2)


def test_a_status_line_cannot_command_the_terminal():
    with dripping(b"\x1b[2J\xc2\x9b1A\r\n") as url, pytest.raises(EndpointError) as raised:
        ask(Endpoint(url, "m", "k"), [])
    assert raised.value.__cause__ is not None
    assert not set(visible(str(raised.value))) & {"\x1b", "\x9b"}


DEEP = "[" * 100_000 + "]" * 100_000
# The deepest that can be read may be too deep to be written.
DEEPEST = "[" * 900 + "]" * 900


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        f'{{"suggestions": [{DEEP}]}}',
        f'{{"suggestions": [{DEEPEST}], "remarks": [{DEEPEST}]}}',
        f'{{"suggestions": [{{"kind": "threads", "threads": 2, "reason": {DEEPEST}}}]}}',
    ],
)
def test_nested_answers_are_read(content):
    read_answer(content)
    with served(Stub(completion(content))) as url:
        ask(Endpoint(url, "m", "k"), [])


def test_a_nested_body_is_no_completion():
    with served(Stub(DEEP.encode())) as url, pytest.raises(EndpointError, match="something else"):
        ask(Endpoint(url, "m", "k"), [])


def test_a_redirect_is_not_followed_because_the_key_would_go_with_it():
    other = Stub(completion("{}"))
    with served(other) as elsewhere:
        stub = Stub(status=302, headers={"Location": f"{elsewhere}/chat/completions"})
        with served(stub) as url, pytest.raises(EndpointError, match="status 302"):
            ask(Endpoint(url, "m", "k"), [])
    assert other.requests == []


def test_nobody_there_is_an_error():
    with served(Stub()) as url:
        pass
    with pytest.raises(EndpointError, match="does not answer"):
        ask(Endpoint(url, "m", "k"), [])


@pytest.mark.parametrize(
    "content",
    ["", "no idea", "[1]", '{"suggestions": 3}', '{"suggestions": [3, null]}', "{" * 9999],
)
def test_any_content_is_read(content):
    assert read_answer(content).proposals == ()


def test_what_is_no_suggestion_becomes_a_short_line():
    answer = read_answer("\x1b[31mred " + "long " * 1000)
    [remark] = answer.remarks
    assert "\x1b" not in remark
    assert len(remark) <= language_model.LONGEST_TEXT


def test_a_few_suggestions_are_read_each_once():
    many = [{"kind": "threads", "threads": n % 12 + 1} for n in range(40)]
    proposals = read_answer(json.dumps({"suggestions": many})).proposals
    assert len({one.suggestion for one in proposals}) == len(proposals)
    assert len(proposals) == language_model.MOST_SUGGESTIONS


@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_no_constant_of_a_plan_is_sent(version):
    raw = json.loads((DATA / f"duckdb-{version}.json").read_text())
    text = sent(planned(raw))
    for value in ("Dept 1", "1500", "'Dept", "create or replace"):
        assert value in json.dumps(raw)
        assert value not in text
    assert "HASH_JOIN" in text
    assert "part = part" in text


KNOWN = frozenset({"employee_id", "pay", "union"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("employee_id='EMP_000123'", "employee_id = ?"),
        ("(employee_id = EMP_000123)", "( employee_id = ? )"),
        ("pay>=52310.75 AND pay<=60000", "pay >= ? AND pay <= ?"),
        ("employee_id = 'O''Hara pay'", "employee_id = ?"),
        ("union = 'employee_id", "union = ?"),
        ("pay IN (1, 2, 3)", "pay IN ( ? )"),
        ("CAST(pay AS DATE) = 1980-02-29", "CAST ( pay AS DATE ) = ? - ? - ?"),
        ("employee_id = müller", "employee_id = ?"),
        ('"Dept of pay" = pay', "? = pay"),
        ("", ""),
    ],
)
def test_only_names_and_operators_of_a_text_are_told(text, told):
    assert prompt.without_values(text, KNOWN) == told


def test_what_is_told_has_the_times_and_the_graph():
    told = prompt.told(planned({"operator": []}), analyse(planned({"operator": []})), ())
    assert [one["model"] for one in told["models"]] == ["int_b", "int_a"]
    assert told["models"][0]["reads"] == ["int_a"]
    assert told["models"][0]["seconds"] == 2.0
    assert list(told["plans"]) == ["int_a"]


def test_a_long_plan_is_cut_to_what_takes_time():
    raw = {"type": "LAST", "timing": 9.0, "children": []}
    for number in range(200):
        raw = {"type": "STEP", "timing": number / 1000, "children": [raw]}
    told = prompt.told(made := planned({"operator": [raw]}), analyse(made), ())
    assert len(told["plans"]["int_a"]) == prompt.MOST_OPERATORS
    assert told["plans"]["int_a"][-1]["operator"] == "LAST"


@pytest.fixture
def tried(monkeypatch):
    """What would be tried, in place of trying it."""
    seen = []

    def try_out(run, made, proposals, memory_bytes, **settings):
        seen.extend(proposals)
        return Trial((2025, 2025), 6, ())

    monkeypatch.setattr(advice, "try_out", try_out)
    return seen


def advised(environment, lines):
    made = replace(planned({"operator": []}), threads=8, cores=2)
    found = advice.advise(Path("run"), made)
    return advice.with_trial(found, made, environment, lines.append, memory_bytes=10**10)


def test_nothing_is_sent_without_the_key(tried):
    stub, lines = Stub(completion("{}")), []
    with served(stub) as url:
        advised({"PLANALIGN_LLM_URL": url, "PLANALIGN_LLM_MODEL": "m"}, lines)
    assert stub.requests == []
    assert lines == []
    assert [one.suggestion for one in tried] == [Threads(threads=2)]


def test_its_suggestions_are_tried_behind_those_of_findings(tried):
    also = {**GOOD, "suggestions": [*GOOD["suggestions"], {"kind": "threads", "threads": 2}]}
    stub, lines = Stub(completion(json.dumps(also))), []
    with served(stub) as url:
        found = advised({**SET, "PLANALIGN_LLM_URL": url}, lines)
    assert [(str(one.suggestion), one.source) for one in tried] == [
        ("set resources.threads to 2", "finding"),
        ("make int_a a view", "language_model"),
    ]
    assert found.remarks[0] == "look at the joins"
    assert lines == ["Asking some-model at 127.0.0.1: names, plans and times are sent."]


@pytest.mark.parametrize("stub", [Stub(status=500), Stub(b"")])
def test_a_fault_of_the_endpoint_is_told_and_ends_nothing(tried, stub):
    lines = []
    with served(stub) as url:
        found = advised({**SET, "PLANALIGN_LLM_URL": url}, lines)
    assert found.trial is not None
    assert lines[-1].startswith("No suggestions of a language model: 127.0.0.1 answers")
    assert len(tried) == 1


def test_a_wrong_address_is_told_and_ends_nothing(tried):
    lines = []
    advised({**SET, "PLANALIGN_LLM_URL": "file:///etc/passwd"}, lines)
    assert "PLANALIGN_LLM_URL" in lines[0]
    assert "passwd" not in lines[0]

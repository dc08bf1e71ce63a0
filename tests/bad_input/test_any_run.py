"""Any change of a file of a run is shown as it is, or refused in words, by every reader."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.studio import fragments
from planalign.studio.runs import Place, Runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Studies

# An input is read by several commands.
fewer = settings(max_examples=settings().max_examples // 4)
# Values that no process of ours writes, or not where they are put.
odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 1e300, -1e-300, float("nan"), float("inf"), 10**400, 2**63])
    | st.floats()
    | st.sampled_from(["", "2025", "\x1b]0;x\x07", "\ud800", "\x00", "<script>", "../../x", "="])
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def run(shared_studies: Studies) -> Path:
    """A run of a year, with query plans."""
    finished = shared_studies.simulate(
        shared_studies.generated(30),
        {"with_query_plans": True},
        simulation={"start_year": 2025, "end_year": 2025},
    )
    return finished.path


@pytest.fixture
def place(run: Path, tmp_path: Path) -> Path:
    """A folder with a run whose files are there to be changed, and an untouched one."""
    shutil.copytree(run, tmp_path / "run")
    shutil.copytree(run, tmp_path / "other")
    return tmp_path


def changed(document: Any, data: st.DataObject) -> Any:
    """Return the document with a value put in, taken out, or replaced at any depth."""
    if not isinstance(document, dict | list) or not document or data.draw(st.integers(0, 4)) == 0:
        return data.draw(odd, "in its place")
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = data.draw(st.sampled_from(keys), "at")
    copy = document.copy()
    if data.draw(st.integers(0, 4)) == 0:
        del copy[key]
    else:
        copy[key] = changed(document[key], data)
    return copy


def spoilt(text: bytes, data: st.DataObject) -> bytes:
    """Return the text with a part of it replaced by any bytes."""
    start = data.draw(st.integers(0, len(text)), "from")
    end = data.draw(st.integers(start, min(len(text), start + 50)) | st.just(len(text)), "to")
    return text[:start] + data.draw(st.binary(max_size=20), "bytes") + text[end:]


def asked(*arguments: object) -> None:
    """Ask a reader; it answers, or refuses in words, and sends the terminal nothing odd."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code in (0, 2, 3, 4), (arguments, done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), arguments
    assert (done.exit_code in (2, 4)) == ("Error: " in done.stderr), (arguments, done.output)
    assert not set(done.output) & {"\x1b", "\x07", "\x00", "\x9b"}


def looked_at(place: Path) -> None:
    """Look at a run as the dashboard does."""
    runs = Runs(Place(place))
    assert fragments.run_list(runs.summaries())


@fewer
@given(st.data())
def test_any_line_of_a_record_is_told_or_refused(run, place, data):
    lines = (run / "events.jsonl").read_bytes().splitlines()
    kinds = {json.loads(line)["kind"]: number for number, line in enumerate(lines)}
    number = data.draw(st.sampled_from(sorted(kinds.values())), "line")
    if data.draw(st.booleans()):
        lines[number] = json.dumps(changed(json.loads(lines[number]), data)).encode()
    else:
        lines[number] = spoilt(lines[number], data)
    (place / "run" / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    for command in ("profile", "advise", "show"):
        asked(command, place / "run")
    asked("profile", place / "other", "--compare", place / "run")
    looked_at(place)


READERS: dict[str, tuple[Callable[[Path], list[object]], ...]] = {
    "provenance.json": (
        lambda place: ["show", place / "run"],
        lambda place: ["verify", place / "run", place / "other"],
        lambda place: ["fingerprint", place / "run"],
        lambda place: ["bench", "--compare", place / "run" / "provenance.json"],
    ),
    "config.yaml": (
        lambda place: ["show", place / "run"],
        lambda place: ["compare", place / "run"],
    ),
}


@pytest.mark.parametrize("name", READERS)
@fewer
@given(st.data())
def test_any_document_of_a_run_is_told_or_refused(run, place, name, data):
    text = (run / name).read_bytes()
    if name.endswith("json") and data.draw(st.booleans()):
        text = json.dumps(changed(json.loads(text), data)).encode()
    else:
        text = spoilt(text, data)
    (place / "run" / name).write_bytes(text)
    for command in READERS[name]:
        asked(*command(place))
    looked_at(place)

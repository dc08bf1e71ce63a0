"""Finding runs and telling what became of each."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

import pytest
from written_run import Writer, event, started, year

from planalign.errors import PlanalignError
from planalign.studio import fragments
from planalign.studio.runs import (
    Place,
    Runs,
    State,
    Watched,
    is_locked,
    is_name,
    names_in,
    place_of,
)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def state(writer):
    return Watched(writer.output).summary().state


def test_a_published_run_is_finished(writer):
    writer.write(started(), event("run_completed", 101.0)).publish()
    assert state(writer) is State.FINISHED


def test_a_run_whose_folder_is_held_is_running(writer):
    writer.write(started())
    with writer.held():
        assert state(writer) is State.RUNNING
    assert state(writer) is State.STALE


def test_a_failed_run_that_is_resumed_is_running(writer):
    writer.write(started(), event("run_failed", 101.0, error="x"))
    with writer.held():
        assert state(writer) is State.RUNNING


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("run_failed", State.FAILED),
        ("run_interrupted", State.INTERRUPTED),
        # Stopped between its last event and its publication.
        ("run_completed", State.STALE),
        ("run_planned", State.STALE),
    ],
)
def test_an_unfinished_run_that_nobody_holds(writer, last, expected):
    writer.write(started(), event(last, 101.0, years=4))
    assert state(writer) is expected
    assert expected.is_resumable


def test_a_lock_that_a_killed_process_left_is_no_hold(writer):
    writer.write(started())
    writer.partial.with_name("one.partial.lock").touch()
    assert not is_locked(writer.output)
    assert state(writer) is State.STALE


def test_a_link_in_the_place_of_the_lock_is_not_followed(writer, tmp_path):
    target = tmp_path / "other"
    target.touch()
    writer.partial.with_name("one.partial.lock").symlink_to(target)
    assert not is_locked(writer.output)


def test_runs_are_those_with_a_record(folder, writer, tmp_path):
    writer.write(started())
    Writer(folder / "two").write(started(), event("run_completed", 1.0)).publish()
    (folder / "empty").mkdir()
    (folder / "file").touch()
    (folder / "link").symlink_to(folder / "two")
    assert names_in(folder) == ["one", "two"]
    assert names_in(tmp_path / "none") == []


def test_a_place_is_a_folder_or_one_run(folder, writer):
    writer.write(started())
    Writer(folder / "two").write(started())
    assert place_of(folder) == Place(folder)
    assert place_of(folder / "one") == Place(folder, "one")
    assert place_of(folder / "one.partial") == Place(folder, "one")
    assert place_of(folder / "one").names() == ["one"]


def test_a_name_that_is_no_text_is_said_and_not_shown(folder, writer):
    writer.write(started())
    odd = Writer(folder / os.fsdecode(b"un\xffread")).write(started())
    nameless = folder / ".partial"
    nameless.mkdir()
    (nameless / "events.jsonl").write_bytes(writer.file.read_bytes())
    assert [one.name for one in Runs(Place(folder)).summaries()] == ["one"]
    assert Place(folder).odd_names() == ["un\\udcffread"]
    assert Place(folder, "one").odd_names() == []
    assert Runs(Place(folder)).find(odd.output.name) is None
    note = fragments.odd_names(Place(folder).odd_names())
    assert "un\\udcffread" in note.encode().decode()
    assert not fragments.odd_names([])


@pytest.mark.parametrize("path", [".partial", "none.partial", ".", "/"])
def test_a_place_that_is_no_run_is_a_folder(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".partial").mkdir()
    assert place_of(Path(path)) == Place(Path(path).resolve())


# The values that a line may have, for every key: none of them ends the list of runs.
ODD = ["x", math.nan, 1e300, -1, [], {"a": [[]]}, None, True, 10**400]
KINDS = [
    started(),
    event("run_planned", 101.0, years=4, blocks=1),
    event("year_started", 101.0, year=2025, trajectories=2),
    event("step_started", 101.0, year=2025, step="setup"),
    event("sample", 102.0, resident_bytes=1, cpu_seconds=1.0, busy_by_core=[1.0], read_bytes=1,
          written_bytes=1, spilled_bytes=0, memory_by_tag={}),
    event("model_completed", 102.0, model="m", year=2025, step="setup", started=101.0, seconds=1.0,
          thread="a", memory_peak=5),
    event("retried", 102.0, what="m", attempt=1, error="x"),
    year(2025, 103.0),
    event("year_from_cache", 103.0, year=2026, trajectories=2, seconds=1.0, saved_seconds=1.0),
    event("run_failed", 104.0, error="x"),
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=[f"{value!r:.9}" for value in ODD])
def test_an_odd_value_ends_neither_the_list_nor_the_record(folder, writer, value):
    for place, kind in enumerate(KINDS):
        for key in kind:
            Writer(folder / f"{place}-{key}").write(
                *KINDS[:place], {**kind, key: value}, *KINDS[place + 1 :]
            )
    writer.write(*KINDS)
    runs = Runs(Place(folder))
    found = runs.summaries()
    assert len(found) == sum(map(len, KINDS)) + 1
    assert fragments.run_list(found)
    for one in found:
        watched = runs.find(one.name)
        with suppress(PlanalignError):  # its first line is none
            watched.record()


@pytest.mark.parametrize("missing", sorted({key for kind in KINDS for key in kind}))
def test_a_missing_key_ends_neither_the_list_nor_the_record(folder, writer, missing):
    writer.write(*({k: v for k, v in kind.items() if k != missing} for kind in KINDS))
    runs = Runs(Place(folder))
    assert fragments.run_list(runs.summaries())
    with suppress(PlanalignError):
        runs.find("one").record()


@pytest.mark.parametrize("name", ["../one", "one/../one", "", ".", "..", "/etc", "one\0", "ONE"])
def test_a_name_that_was_not_listed_is_no_run(folder, writer, name):
    writer.write(started())
    assert Runs(Place(folder)).find(name) is None


def test_all_who_look_share_one_reader(folder, writer):
    writer.write(started())
    runs = Runs(Place(folder))
    assert runs.find("one") is runs.find("one")


def test_a_run_is_read_once_a_second_however_many_ask(writer):
    clock = Clock()
    watched = Watched(writer.output, clock)
    writer.write(started())
    assert watched.summary().live.done == 0
    writer.write(year(2025, 101.0))
    assert watched.summary().live.done == 0
    clock.now = 1.0
    assert watched.summary().live.done == 1


def test_a_run_that_was_published_behind_the_last_look_is_shown_to_its_end(writer):
    clock = Clock()
    watched = Watched(writer.output, clock)
    writer.write(started())
    watched.summary()
    writer.write(year(2025, 101.0), event("run_completed", 102.0)).publish()
    summary = watched.summary()
    assert (summary.state, summary.live.outcome) == (State.FINISHED, "completed")


def test_the_list_has_the_latest_first_and_forgets_what_is_gone(folder, writer):
    writer.write(started(100.0))
    later = Writer(folder / "two").write(started(200.0), event("run_completed", 201.0)).publish()
    runs = Runs(Place(folder))
    assert [(one.name, one.state) for one in runs.summaries()] == [
        ("two", State.FINISHED),
        ("one", State.STALE),
    ]
    later.output.rename(folder.parent / "away")
    assert [one.name for one in runs.summaries()] == ["one"]


def test_the_list_follows_a_run_that_was_resumed(folder, writer):
    writer.write(started(), event("run_interrupted", 101.0))
    runs = Runs(Place(folder))
    assert runs.summaries()[0].state is State.INTERRUPTED
    with writer.held():
        assert runs.summaries()[0].state is State.RUNNING
    writer.write(started(200.0, resumed=True), event("run_failed", 201.0, error="x"))
    assert {one.state for one in Runs(Place(folder)).summaries()} == {State.FAILED}


def test_more_runs_than_are_kept_in_memory_are_all_found(folder):
    for number in range(12):
        Writer(folder / f"run{number}").write(started())
    runs = Runs(Place(folder))
    found = [runs.find(f"run{number}") for number in range(12)]
    assert all(one.summary().live.runner == "direct" for one in found)


def test_the_record_is_analysed_as_far_as_it_goes(writer):
    watched = Watched(writer.output)
    with pytest.raises(PlanalignError, match="empty"):
        watched.record()
    writer.write(started(), event("run_completed", 104.0))
    watched.summary()
    record, analysis = watched.record()
    assert (record.runner, analysis.wall_seconds) == ("direct", 4.0)
    assert watched.record()[0] is record


@pytest.mark.parametrize("name", ["a", "2025-base_1.5", "x" * 64])
def test_names_of_new_runs(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-x", ".x", "a/b", "../a", "a b", "a\n", "é", "x" * 65, "a.partial",
     "a.lock", "a.partial.lock", "a.", "a\0"],
)  # fmt: skip
def test_what_is_no_name_of_a_run(name):
    assert not is_name(name)

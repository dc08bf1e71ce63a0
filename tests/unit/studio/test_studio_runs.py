"""Finding runs and telling what became of each."""

from __future__ import annotations

import pytest
from written_run import Writer, event, started, year

from planalign.errors import PlanalignError
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

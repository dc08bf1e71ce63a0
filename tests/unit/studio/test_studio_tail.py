"""The tail of a record: whole lines, once each, wherever the file goes."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from written_run import Writer, event, started, year

from planalign.studio.tail import News, Tail


def kinds(news: News) -> list[str]:
    return [one["kind"] for one in news.events]


def test_nothing_is_read_where_there_is_no_file(folder):
    assert Tail(folder / "none").read() == News()


def test_only_what_is_new_is_read(writer):
    tail = Tail(writer.output)
    writer.write(started())
    assert tail.read().is_anew
    assert tail.read() == News()
    writer.write(year(2025, 101.0), year(2026, 102.0))
    news = tail.read()
    assert kinds(news) == ["year_completed", "year_completed"]
    assert not news.is_anew


def test_a_line_is_read_when_it_is_whole(writer):
    tail = Tail(writer.output)
    line = json.dumps(started())
    writer.raw(line[:20])
    assert kinds(tail.read()) == []
    writer.raw(line[20:])
    assert kinds(tail.read()) == []
    writer.raw("\n")
    assert kinds(tail.read()) == ["run_started"]


def test_publication_by_rename_loses_and_repeats_nothing(writer):
    tail = Tail(writer.output)
    writer.write(started())
    tail.read()
    writer.write(year(2025, 101.0)).publish()
    news = tail.read()
    assert kinds(news) == ["year_completed"]
    assert not news.is_anew


def test_a_run_that_takes_the_place_of_another_is_read_anew(writer):
    tail = Tail(writer.output)
    writer.write(started(), year(2025, 101.0))
    tail.read()
    shutil.rmtree(writer.partial)
    assert tail.read() == News()
    Writer(writer.output).write(started(200.0))
    news = tail.read()
    assert news.is_anew
    assert kinds(news) == ["run_started"]


def test_a_record_that_was_cut_to_less_than_was_read_is_read_anew(writer):
    tail = Tail(writer.output)
    writer.write(started(), year(2025, 101.0))
    tail.read()
    writer.file.write_text("")
    writer.write(started(200.0))
    news = tail.read()
    assert news.is_anew
    assert [one["time"] for one in news.events] == [200.0]


def test_the_torn_end_that_a_resumed_run_cuts_off_was_never_read(writer):
    tail = Tail(writer.output)
    writer.write(started())
    whole = writer.file.read_text()
    writer.raw('{"kind": "ye')
    tail.read()
    writer.file.write_text(whole)
    assert tail.read() == News()
    writer.write(started(200.0, resumed=True))
    assert kinds(tail.read()) == ["run_started"]


def test_lines_that_are_no_events_are_counted(writer):
    tail = Tail(writer.output)
    writer.write(started()).raw('nothing\n[1]\n{"kind": "x"}\n"text"\n\xff\n').write(
        year(2025, 1.0)
    )
    assert kinds(tail.read()) == ["run_started", "year_completed"]
    assert tail.damaged == 5


@pytest.mark.parametrize("line", ["[" * 9_999, '{"a":' * 9_999, '{"kind": ["x"], "time": 1}'])
def test_lines_that_harm_who_reads_them_are_counted(writer, line):
    tail = Tail(writer.output)
    writer.write(started()).raw(f"{line}\n").write(year(2025, 1.0))
    assert kinds(tail.read()) == ["run_started", "year_completed"]
    assert tail.damaged == 1


def test_a_file_without_an_end_of_a_line_is_given_up(writer):
    tail = Tail(writer.output)
    writer.write(started())
    with writer.file.open("r+b") as file:
        file.truncate(1_000_000_000_000)  # it takes no room on the disk
    assert kinds(tail.read()) == ["run_started"]
    assert tail.damaged == 1
    assert tail.read() == News()


def test_a_device_is_not_read(writer):
    writer.file.symlink_to("/dev/zero")
    assert Tail(writer.output).read() == News()


def test_a_pipe_is_not_waited_for(writer):
    os.mkfifo(writer.file)
    assert Tail(writer.output).read() == News()


def test_a_closed_tail_reads_anew(writer):
    tail = Tail(writer.output)
    writer.write(started(), event("sample", 101.0, resident_bytes=1))
    tail.read()
    tail.close()
    assert tail.read().is_anew

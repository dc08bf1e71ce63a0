"""What a process takes is shared among the work under way, and adds up to it."""

from __future__ import annotations

import os
import subprocess
import sys

from planalign.engine import machine
from planalign.engine.machine import Reading
from planalign.engine.meter import SERVES_AGAIN, Meter


class Counters:
    """Counters that the test moves, on a clock that it moves too."""

    def __init__(self) -> None:
        self.now = Reading(100, 0.0, 0, 0)
        self.at = 0.0
        self.readings = 0

    def read(self) -> Reading:
        self.readings += 1
        return self.now

    def go(self, cpu: float, read: int, resident: int, seconds: float = 1.0) -> None:
        before = self.now
        self.now = Reading(
            resident,
            before.cpu_seconds + cpu,
            (before.read_bytes or 0) + read,
            before.written_bytes,
        )
        self.at += seconds


def test_two_that_go_on_at_once_have_equal_parts():
    counters = Counters()
    meter = Meter(counters.read, lambda: counters.at)
    a = meter.begin()
    counters.go(2.0, 10, 300)
    b = meter.begin()
    counters.go(1.0, 20, 900)
    meter.tick()
    counters.go(1.0, 20, 200)
    meter.end(a)
    counters.go(3.0, 5, 150)
    meter.end(b)
    assert (a.cpu_seconds, b.cpu_seconds) == (3.0, 4.0)
    assert (a.read_bytes, b.read_bytes) == (30, 25)
    assert (a.memory_before, a.memory_peak, a.memory_after) == (100, 900, 200)
    assert (b.memory_before, b.memory_peak, b.memory_after) == (300, 900, 150)


def test_a_reading_of_this_very_moment_serves_again():
    counters = Counters()
    meter = Meter(counters.read, lambda: counters.at)
    first = meter.begin()
    counters.go(1.0, 10, 300)
    meter.end(first)
    counters.go(0.5, 0, 300, seconds=SERVES_AGAIN / 2)
    second = meter.begin()
    assert counters.readings == 2
    counters.go(0.5, 0, 300)
    meter.end(second)
    # What was not read then is the next one's: nothing is lost.
    assert first.cpu_seconds + second.cpu_seconds == counters.now.cpu_seconds


def test_a_reading_is_of_this_moment_and_of_this_process():
    before = machine.resident_bytes()
    kept = bytearray(os.urandom(64 << 20))
    after = machine.resident_bytes()
    assert after - before > len(kept) // 2
    code = "from planalign.engine.machine import resident_bytes; print(resident_bytes())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) < after


def test_files_that_a_program_closed_and_opened_anew_are_not_read_for_ours(tmp_path):
    code = """
import os, sys
from planalign.engine.machine import resident_bytes
before = resident_bytes()
os.closerange(3, 64)
closed = resident_bytes()
os.closerange(3, 64)
held = [open(sys.argv[1]) for _ in range(20)]
print(min(before, closed, resident_bytes()) > 1_000_000)
"""
    other = tmp_path / "other"
    other.write_text("1 2 3")
    done = subprocess.run(
        [sys.executable, "-c", code, str(other)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_no_work_however_short_is_left_out():
    counters = Counters()
    meter = Meter(counters.read, lambda: counters.at)
    done = []
    for _ in range(10):
        usage = meter.begin()
        counters.go(0.25, 1, 300, seconds=SERVES_AGAIN / 2)
        meter.end(usage)
        done.append(usage)
    assert sum(one.cpu_seconds for one in done) == counters.now.cpu_seconds
    assert sum(one.read_bytes for one in done) == counters.now.read_bytes

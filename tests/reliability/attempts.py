"""Start planalign in a process of its own and stop it, at an instant or at a file change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HOOK = Path(__file__).with_name("file_changes.py")
# Longer than any attempt here; a process that hangs is a broken promise too.
LONGEST = 900.0


@dataclass(frozen=True)
class Stop:
    """When an attempt is stopped: after so many seconds, or before its n-th file change.

    `again` is how many seconds after that the signal is sent a second time. `of_worker`, it goes
    to one of the command's workers alone, if there is any then.
    """

    signal: signal.Signals
    seconds: float | None = None
    change: int | None = None
    again: float | None = None
    of_worker: bool = False

    def __str__(self) -> str:
        when = f"{self.seconds:.3f} s" if self.change is None else f"file change {self.change}"
        again = "" if self.again is None else f", and {self.again:.3f} s after"
        return f"{self.signal.name} at {when}{again}"


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended; `stopped` says whether the signal came before its end."""

    code: int
    stopped: bool
    seconds: float
    said: str


def run(
    folder: Path, arguments: list[str], stop: Stop | None = None, log: Path | None = None
) -> Attempt:
    """Run planalign in `folder`, and stop its whole process group where `stop` says.

    With `log`, every file change is written there.
    """
    command = [sys.executable, "-m", "planalign", *arguments]
    if log is not None or (stop is not None and stop.change is not None):
        number, name = (stop.change, stop.signal.name) if stop else (0, "SIGKILL")
        command = [
            sys.executable, str(HOOK), str(folder), str(number), name, str(log or os.devnull),
            *arguments,
        ]  # fmt: skip
    said = folder.with_name(f"{folder.name}.said")
    temporary_files(folder).mkdir(exist_ok=True)
    started = time.perf_counter()
    with said.open("w+") as stream:
        # A background job ignores Ctrl-C or SIGHUP, and so would its children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        before_hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env={
                **os.environ,
                "PLANALIGN_CACHE_DIR": _cache(folder),
                "TMPDIR": str(temporary_files(folder)),
            },
        )
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGHUP, before_hangup)
        try:
            stopped = _wait(process, stop)
        except BaseException:
            _kill_group(process.pid)
            raise
        seconds = time.perf_counter() - started
        _kill_group(process.pid)
        stream.seek(0)
        text = stream.read()
    if stop is not None and stop.change is not None:
        # Ctrl-C is answered with 130, or kills a process that is still importing.
        stopped = process.returncode in {-stop.signal, 130}
    return Attempt(process.returncode, stopped, seconds, text)


def temporary_files(folder: Path) -> Path:
    """Return where the attempts in a folder have their temporary files."""
    return folder / "temporary"


def _wait(process: subprocess.Popen[bytes], stop: Stop | None) -> bool:
    """Wait for the end; say whether the signal was sent before it."""
    if stop is not None and stop.seconds is not None:
        try:
            process.wait(stop.seconds)
        except subprocess.TimeoutExpired:
            if stop.of_worker:
                sent = _sent_to_a_worker(process.pid, stop.signal)
                process.wait(LONGEST)
                return sent
            os.killpg(process.pid, stop.signal)
            if stop.again is not None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(stop.again)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, stop.signal)
            process.wait(LONGEST)
            return True
        return False
    process.wait(LONGEST)
    return False


def _sent_to_a_worker(command: int, number: signal.Signals) -> bool:
    """Send a signal to a worker of a command; say whether there was one."""
    with suppress(psutil.NoSuchProcess):
        for one in psutil.Process(command).children():
            if "planalign.study.blocks.worker" in " ".join(one.cmdline()):
                one.send_signal(number)
                return True
    return False


def _kill_group(group: int) -> None:
    """End what is left of a process group, and wait until it is gone."""
    while True:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def _cache(folder: Path) -> str:
    """Return the cache of compiled models: the user's, unless the trial begins without one."""
    own = folder / "compiled"
    named = os.environ.get("PLANALIGN_CACHE_DIR")
    return str(own) if own.is_dir() else named or str(Path.home() / ".cache" / "planalign")

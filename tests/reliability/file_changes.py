"""Run planalign and stop it just before the N-th change that it makes to the file system.

    python file_changes.py FOLDER N SIGNAL LOG ARGUMENT...

Counted is what Python does below FOLDER: files opened to be written, made, renamed, linked or
removed. With N = 0 nothing is stopped, and LOG gets a line per change. Every run of a command
makes the same changes in the same order, so that a stop can be repeated exactly.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from planalign.cli.app import main as planalign

_CHANGES = {"os.mkdir", "os.rmdir", "os.rename", "os.link", "os.remove", "os.utime", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def main() -> None:
    folder, number, name, log = sys.argv[1:5]
    stop_at, signal_number = int(number), signal.Signals[name]
    changes = 0
    lock = threading.Lock()

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if event != "open" and event not in _CHANGES:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
            return
        if not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - as it was given
        if not path.startswith(folder) or path == log:
            return
        with lock:
            changes += 1
            if stop_at == 0:
                with Path(log).open("a") as lines:
                    lines.write(f"{event} {os.path.relpath(path, folder)}\n")
            elif changes == stop_at:
                os.killpg(0, signal_number)

    sys.argv = ["planalign", *sys.argv[5:]]
    sys.addaudithook(count)
    planalign()


if __name__ == "__main__":
    main()

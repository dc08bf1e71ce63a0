"""Import dbt once, and run each command that is sent in a child of its own.

Started with the path of its socket; ends when its standard input does. Before it serves it
parses a project of one model, as any process may that runs several commands: dbt builds its
readers and schemas when it first needs them. What it knows is never collected, so that its
children share its pages.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path

import dbt.adapters.duckdb
import dbt.cli.main
import dbt.task.run
import dbt.task.seed
import dbt.task.test

_MOST_BYTES = 1 << 20
_PROJECT = {
    "dbt_project.yml": "{name: warm, profile: warm, config-version: 2}",
    "profiles.yml": "{warm: {target: t, outputs: {t: {type: duckdb, path: ':memory:'}}}}",
    "models/one.sql": "select 1 as number",
    "models/one.yml": "{version: 2, models: [{name: one, columns: [{name: number}]}]}",
}


def _run(told: dict, streams: list[int]) -> int:
    """Run a command as a process of `python -m dbt.cli.main` does; return its exit code."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["variables"])
    sys.argv = [dbt.cli.main.__file__, *told["arguments"]]
    try:
        dbt.cli.main.cli()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else bool(ended.code)
    except KeyboardInterrupt:
        return 130
    return 0


def _receive(connection: socket.socket) -> tuple[dict, list[int]]:
    text, streams = b"", []
    while True:
        piece, found, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
        streams += found
        if not piece:
            return json.loads(text), streams
        text += piece


def _serve(connection: socket.socket, child: int) -> None:
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
    connection.close()


def _accept(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        told, streams = _receive(connection)
        child = os.fork()
        if not child:
            gc.set_threshold(100_000)
            listening.close()
            code = _run(told, streams)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        for stream in streams:
            os.close(stream)
        connection.sendall(f"{child}\n".encode())
        threading.Thread(target=_serve, args=(connection, child), daemon=True).start()


def _warm_up() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _PROJECT.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        place = ["--project-dir", folder, "--profiles-dir", folder, "--log-path", folder]
        # The static parser has threads of its own, which no child of this process has.
        command = ["--quiet", "--no-static-parser", "parse", *place]
        done = dbt.cli.main.dbtRunner().invoke(command)
        assert done.success, done.exception


def _end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    _warm_up()
    # A child would wait for threads that a fork leaves behind.
    threads = [*Path("/proc/self/task").iterdir()] if Path("/proc/self/task").is_dir() else []
    assert len(threads) <= 1, f"{len(threads)} threads"
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(sys.argv[1])
    listening.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    _accept(listening)


if __name__ == "__main__":
    main()

"""On PYTHONPATH: a `python -m dbt.cli.main` is run by a child of a process that knows dbt.

Importing dbt is half of what one of its commands takes. Every command stays a process of
its own, with its arguments, folder, variables and streams; see `server.py`.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

_MODULE = ["-m", "dbt.cli.main"]
# No command of dbt takes so many seconds: the test fails, and the suite goes on.
_PATIENCE = 600


def _hand_over(place: str, arguments: list[str]) -> None:
    """Let the server's child run the command, and end with its exit code."""
    told = {"arguments": arguments, "folder": str(Path.cwd()), "variables": dict(os.environ)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.settimeout(_PATIENCE)
        server.connect(place)
        socket.send_fds(server, [json.dumps(told).encode()], [0, 1, 2])
        server.shutdown(socket.SHUT_WR)
        answers = server.makefile()
        child = int(answers.readline())
        # Whoever stops this process means the command.
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, _: os.kill(child, number))
        code = int(answers.readline())
    os._exit(code)


if (_place := os.environ.get("WARM_DBT")) and _MODULE[1] in sys.orig_argv:
    _at = sys.orig_argv.index(_MODULE[1])
    if sys.orig_argv[_at - 1] == _MODULE[0]:
        _hand_over(_place, sys.orig_argv[_at + 1 :])

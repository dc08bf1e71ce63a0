"""A worker process of this machine: takes jobs from the process that started it, and ends with it.

Both speak over one pair of sockets that nobody else has: first comes the study, then jobs; what
goes back are events and outcomes.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from planalign.study.blocks.work import Workplace

if TYPE_CHECKING:
    from planalign.study.blocks.job import BlockJob


def main() -> None:
    """Work until the parent closes its end, or is gone: then end at once, whatever is under way."""
    connection = Connection(int(sys.argv[1]))
    folder = Path(sys.argv[2])
    jobs: SimpleQueue[BlockJob] = SimpleQueue()
    study = connection.recv()
    threading.Thread(target=_listen, args=(connection, jobs), daemon=True).start()
    lock = threading.Lock()

    def send(message: object) -> None:
        try:
            content = pickle.dumps(message)
        except Exception as error:  # noqa: BLE001 - an error of anybody's may not be pickled
            content = pickle.dumps(RuntimeError(f"{message!r} cannot be sent ({error!r})"))
        with lock:
            try:
                connection.send_bytes(content)
            except OSError:
                os._exit(1)

    try:
        place = Workplace(study, folder)
        while True:
            send(place.take(jobs.get(), send))
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        error.add_note(traceback.format_exc())
        send(error)


def _listen(connection: Connection, jobs: SimpleQueue[BlockJob]) -> None:
    try:
        while True:
            jobs.put(connection.recv())
    except (EOFError, OSError):
        os._exit(1)

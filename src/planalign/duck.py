"""What every use of DuckDB shares: nothing from the network, private spills, quoted text."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb

from planalign import scratch

if TYPE_CHECKING:
    from pathlib import Path

# Beside a table or a database DuckDB looks for an extension that reads it, fetches it
# from the network and runs it: for a results.duckdb that is SQLite's, for one.
_SEALED = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def connect(**settings: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that fetches nothing and spills where nobody else reads.

    Args:
        settings: further ones, such as `memory_limit`.

    """
    # Two instances must not share a spill folder; DuckDB makes it when it first spills.
    spill = _spills() / uuid4().hex
    return duckdb.connect(config={"temp_directory": str(spill), **_SEALED, **settings})


def seal(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep an open connection from fetching extensions."""
    for name, value in _SEALED.items():
        connection.execute(f"set {name} = {value}")


def literal(text: object) -> str:
    """Return a text, such as a path, quoted for the places where SQL takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"


@cache
def _spills() -> Path:
    # DuckDB would make its folder with the umask of the process, in the working folder.
    folder, held = scratch.take("spill")
    atexit.register(held.close)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder

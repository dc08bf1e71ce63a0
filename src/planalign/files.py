"""Files that are private to their owner, and files that are no devices."""

from __future__ import annotations

import errno
import os
import stat
from itertools import takewhile
from typing import TYPE_CHECKING

from planalign.errors import UsageError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

# What planalign takes away from everybody but the owner.
UMASK = 0o077


def make_folder(path: Path) -> None:
    """Make a folder, and its missing parents, for the owner alone.

    What is there keeps its mode.
    """
    missing = takewhile(lambda one: not one.exists(), (path, *path.parents))
    for one in reversed([*missing]):
        one.mkdir(mode=0o700, exist_ok=True)


def protect(path: Path) -> None:
    """Take a file, or a folder and all that is in it, away from everybody but the owner.

    A library must not change the umask of the process that it is in, so that what
    DuckDB writes is made in a private folder and gets its mode before it leaves it.
    """
    for one in (path, *path.rglob("*")):
        if not one.is_symlink():
            one.chmod(stat.S_IMODE(one.stat().st_mode) & ~UMASK)


def require_path(path: Path, *, without: str = "") -> None:
    """Refuse a path that DuckDB or dbt would take for another one.

    Args:
        path: as it is handed on.
        without: characters that it must not have: DuckDB takes a backslash for `/`, and
            for the log of a database what follows a `?` for options; dbt-duckdb names a
            database by what follows the last `#`.

    Raises:
        UsageError: it has one of them, or bytes that are not UTF-8.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{text} has bytes that are not UTF-8", "Rename it, or name another path."
        ) from error
    found = [character for character in without if character in text]
    if found:
        raise UsageError(
            f"{text} has a {found[0]}, where DuckDB would write or read another path",
            "Rename it, or name another path.",
        )


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read its bytes; a pipe or device, which may never end, is none.

    Raises:
        OSError: it is not there, may not be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "not a regular file", str(path))

"""Files that are private to their owner, and files of anybody, which are read with care."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn

from planalign.errors import UsageError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

# What planalign takes away from everybody but the owner.
UMASK = 0o077
# No record, configuration or fingerprint of ours comes near this size, in bytes.
LARGEST = 8_000_000
# Brackets within brackets. A plan of DuckDB's, the deepest of what is read, has two an operator.
DEEPEST = 400
_BRACKET_OR_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


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


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """Read a whole file of at most `largest` bytes.

    Raises:
        OSError: as `open_regular`, or it is larger.
    """
    with open_regular(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest:,} bytes", str(path))
    return content


def read_text(path: Path) -> str:
    """Read a file of UTF-8 text.

    Raises:
        OSError: as `read_regular`.
        ValueError: it is no such text.
    """
    return read_regular(path).decode("utf-8")


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        OSError: as `read_regular`.
        ValueError: it holds something else; see `parse_json`.
    """
    content = parse_json(read_text(path))
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def parse_json(text: str) -> Any:
    """Return what a text of JSON says, which somebody else may have written.

    Raises:
        ValueError: it is no JSON; or it says what cannot be shown, added up or walked
            through: NaN, a number without end, half of a character, nesting beyond `DEEPEST`.
    """
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()  # half of a character has no bytes
    return found


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKET_OR_TEXT.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"{text[:40]} is beyond what a number can be")
    return number

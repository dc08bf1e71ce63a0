"""Scratch folders that nobody else reads, and that the next process removes if need be."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import require_path

if TYPE_CHECKING:
    from collections.abc import Iterator

# In each; locked while its process lives, whatever ends it.
_HELD = ".held"
_SUFFIX = ".scratch"
_NAME = re.compile(rf"\.?planalign-[a-z]+-[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")
# Others may take a new folder for one that was left, before it is locked.
_ATTEMPTS = 100


@contextmanager
def scratch(purpose: str, beside: Path | None = None) -> Iterator[Path]:
    """Lend a folder for its owner alone, which is removed afterwards.

    First removes those that killed processes have left in the same place: who holds one
    has its file locked, so that nobody takes what another one still writes.

    Args:
        purpose: one word of lower-case letters, which becomes a part of the name.
        beside: a path in whose folder it is made, hidden, so that what is written there
            gets that name by a rename; by default it is among the temporary files.

    Raises:
        EnvironmentFaultError: there is no place for temporary files.
        OSError: it cannot be made beside a path.
    """
    folder, held = take(purpose, beside)
    with closing(held):
        try:
            yield folder
        finally:
            remove(folder)


def take(purpose: str, beside: Path | None = None) -> tuple[Path, IO[bytes]]:
    """Make a folder as `scratch` does, and return it with the file that holds it.

    The caller removes the folder with `remove` and closes the file.
    """
    place = _temporary_files() if beside is None else beside.parent
    _remove_left(place)
    prefix = f"{'' if beside is None else '.'}planalign-{purpose}-"
    for _ in range(_ATTEMPTS):
        try:
            folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=_SUFFIX, dir=place))
        except OSError as error:
            if beside is not None:
                raise
            raise _no_place(error) from error
        with suppress(FileNotFoundError, BlockingIOError):
            return folder, _hold(folder)
    raise _no_place(FileNotFoundError(errno.ENOENT, f"new folders in {place} are removed"))


def remove(folder: Path) -> None:
    """Remove a folder of `take`; Ctrl-C waits until it is gone."""
    try:
        _clear(folder)
    except KeyboardInterrupt:
        _clear(folder)
        raise


def _clear(folder: Path) -> None:
    """Remove a folder, and its lock last: what a process that is killed leaves has one."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _HELD:
                path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _temporary_files() -> Path:
    try:
        place = Path(tempfile.gettempdir())
        require_path(place, without="\\")
    except OSError as error:
        raise _no_place(error) from error
    except UsageError as error:
        raise EnvironmentFaultError(f"TMPDIR: {error.what}", error.remedy) from error
    return place


def _no_place(error: OSError) -> EnvironmentFaultError:
    return EnvironmentFaultError(
        f"there is no place for temporary files ({error.strerror or error})",
        "Name a folder that you may write, and that has room, in TMPDIR.",
    )


def _hold(folder: Path) -> IO[bytes]:
    """Lock the file of a new folder, unless somebody is just about to remove it.

    Raises:
        FileNotFoundError: it was removed.
        BlockingIOError: it is being removed.
        OSError: it takes no file.
    """
    held = None
    try:
        held = (folder / _HELD).open("xb")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / _HELD).stat()
    except BaseException:
        if held is not None:
            held.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return held


def _remove_left(place: Path) -> None:
    """Remove what processes that were killed have left in a place; others' is let alone."""
    try:
        found = [path for path in place.iterdir() if _NAME.fullmatch(path.name)]
    except OSError:  # a folder that may be written and not listed
        return
    for path in found:
        with suppress(OSError):  # another one removes it, or holds it
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            if not (path / _HELD).exists():
                path.rmdir()  # which fails where there is something in it
                continue
            descriptor = os.open(path / _HELD, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            with closing(os.fdopen(descriptor, "r+b", buffering=0)) as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(path)

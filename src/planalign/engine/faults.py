"""Tell what a failure is: gone in a moment, short of memory, a full disk, or there to stay."""

from __future__ import annotations

import errno
import re
from enum import Enum, auto

import duckdb

from planalign.errors import EnvironmentFaultError, MemoryFaultError


class Fault(Enum):
    """What to do about a failure: try again, do less at once, or neither."""

    TRANSIENT = auto()
    MEMORY = auto()
    DISK_FULL = auto()
    PERMANENT = auto()


class ReportedError(Exception):
    """A failure that dbt tells of in words; its text is dbt's."""


# What work on the database or on files fails with, the user's Ctrl-C aside.
FAILURES = (duckdb.Error, MemoryError, OSError, ReportedError)

_TRANSIENT = frozenset({errno.EIO, errno.EINTR, errno.EAGAIN})
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# DuckDB says first what kind of error it is; dbt puts lines of its own before.
_KIND = re.compile(r"^\s*([A-Za-z]+(?: [A-Za-z]+)* Error): ", re.MULTILINE)
# How dbt tells of a failure of Python's own calls, such as that of its log.
_ERRNO = re.compile(r"^\s*\[Errno (\d+)\] ", re.MULTILINE)
_NO_SPACE = ("no space left on device", "disk quota exceeded", "failed to offload")
# An I/O error that does not pass: missing, damaged or forbidden. DuckDB tells the
# system's error by its text alone.
_LASTING = (
    "no such file",
    "no files found",
    "does not exist",
    "not a directory",
    "is a directory",
    "not a valid",
    "corrupt",
    "checksum",
    "truncated",
    "enough bytes",
    "version number",
    "permission denied",
    "not permitted",
    "read-only",
    "too large",
    "too long",
    "too many open files",
)


def fault_of(error: BaseException) -> Fault:
    """Return what a failure of DuckDB, of the file system or of dbt is."""
    if isinstance(error, MemoryError):
        return Fault.MEMORY
    if isinstance(error, OSError):
        return _fault_numbered(error.errno)
    if isinstance(error, duckdb.Error | ReportedError):
        return _fault_in(str(error))
    return Fault.PERMANENT


def _fault_numbered(number: int | None) -> Fault:
    if number in _DISK_FULL:
        return Fault.DISK_FULL
    return Fault.TRANSIENT if number in _TRANSIENT else Fault.PERMANENT


def _fault_in(text: str) -> Fault:
    kind, words = _kind(text), text.lower()
    numbered = _ERRNO.search(text)
    if numbered and not kind:
        return _fault_numbered(int(numbered[1]))
    if kind in {"IO Error", "Out of Memory Error", "TransactionContext Error"} and any(
        said in words for said in _NO_SPACE
    ):
        return Fault.DISK_FULL
    if kind == "Out of Memory Error":
        return Fault.MEMORY
    if kind == "TransactionContext Error" and "conflict" in words:
        return Fault.TRANSIENT
    if kind == "IO Error" and not any(said in words for said in _LASTING):
        return Fault.TRANSIENT
    return Fault.PERMANENT


def _kind(text: str) -> str:
    found = _KIND.search(text)
    return found[1] if found else ""


def is_short_of_files(error: BaseException) -> bool:
    """Say whether a failure is that this process, or the machine, has too many files open."""
    if isinstance(error, OSError):
        return error.errno in {errno.EMFILE, errno.ENFILE}
    return _is_of_a_file(str(error)) and "too many open files" in str(error).lower()


def _is_of_a_file(text: str) -> bool:
    """Say whether DuckDB failed at a file; at the log of a commit it names the commit first."""
    kind = _kind(text)
    return kind == "IO Error" or (kind == "TransactionContext Error" and " file " in text)


def first_words(error: BaseException) -> str:
    """Return what an error says, in one line: from its kind on, where DuckDB names one."""
    text = str(error).strip() or type(error).__name__
    found = _KIND.search(text) or _ERRNO.search(text)
    return text[found.start() if found else 0 :].strip().splitlines()[0]


def environment_fault(what: str, error: BaseException) -> EnvironmentFaultError | None:
    """Return the error of a failure that the machine is to blame for, or nothing.

    Args:
        what: the object that failed, such as `model int_hires (models/..)`.
        error: what DuckDB, the file system or dbt raised.
    """
    fault, said = fault_of(error), first_words(error)
    if fault is Fault.MEMORY:
        return MemoryFaultError(
            f"{what} ran out of memory ({said})",
            "Raise resources.memory_limit (--memory-limit) or lower threads, and go on with "
            "--resume; or start anew with fewer seeds.",
        )
    if fault is Fault.DISK_FULL:
        return EnvironmentFaultError(
            f"{what} ran out of disk ({said})", "Free disk space, and go on with --resume."
        )
    if fault is Fault.TRANSIENT:
        return EnvironmentFaultError(
            f"{what} failed, and again when it was tried again ({said})",
            "Close the program that holds the file, or look at the disk; then go on with --resume.",
        )
    if is_short_of_files(error):
        return EnvironmentFaultError(
            f"{what} ran out of open files ({said})",
            "Raise the limit of open files (ulimit -n), and go on with --resume.",
        )
    if (
        isinstance(error, OSError | duckdb.PermissionException)
        or _is_of_a_file(str(error))
        or _kind(str(error)) in {"Fatal Error", "FATAL Error"}
    ):
        return EnvironmentFaultError(
            f"{what} failed ({said})",
            "Mend the file or its permissions, and go on with --resume.",
        )
    return None

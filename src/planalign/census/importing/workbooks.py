"""Workbooks, read by a process of its own whose memory and time are bounded.

A sheet of a few bytes can name a cell in the last row and the last column, and what reads
it makes room for all cells between.
"""

from __future__ import annotations

import multiprocessing
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from planalign.census.source import unusable
from planalign.errors import EnvironmentFaultError
from planalign.files import open_regular

# Bytes that a workbook's parts may have when unpacked, and how often they may be larger
# than the file: text of a sheet shrinks to a tenth, a bomb to a thousandth.
MOST_UNPACKED = 4_000_000_000
MOST_TIMES = 300
# Memory and seconds of the process that reads.
MOST_MEMORY = 6_000_000_000
MOST_SECONDS = 300
# Bytes of the older format that are searched for what says that it is encrypted.
MOST_OLE = 200_000_000
_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
CONTAINERS = (_OLE, _ZIP)
# What a part of a container is called that holds an encrypted workbook.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AGAIN = "Open it in a spreadsheet, and save it again as .xlsx"


class _UnreadableError(Exception):
    """Why a workbook cannot be read, from the process that tried."""


def read_workbook(path: Path) -> list[tuple[str, int, list[list[Any]]]]:
    """Return name, number of the first row, and rows of each sheet with cells.

    Formulas are read as the values that were saved with them, and nothing that a workbook
    refers to is opened.

    Raises:
        CensusError: it is encrypted, damaged, no workbook, or larger than what is read.
        EnvironmentFaultError: python-calamine is not installed.
    """
    if find_spec("python_calamine") is None:
        raise EnvironmentFaultError(
            f"{path} is a workbook, and python-calamine, which reads it, is not installed",
            "Install planalign[workbooks], or save the sheet as CSV in UTF-8.",
        )
    _look_inside(path)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, context, _bound, (MOST_MEMORY,))
    try:
        return pool.submit(_sheets, str(path)).result(MOST_SECONDS)
    except _UnreadableError as error:
        raise unusable(str(path), str(error), _SAVE_AGAIN) from error
    except (BrokenProcessPool, MemoryError) as error:
        message = f"needs more than {MOST_MEMORY // 10**9} GB of memory to read, or is damaged"
        remedy = "Delete rows and columns beyond the table, and save it again"
        raise unusable(str(path), message, remedy) from error
    except TooLong as error:
        message = f"not read within {MOST_SECONDS} seconds"
        raise unusable(str(path), message, "Save the sheet as CSV in UTF-8") from error
    finally:
        _end(pool)


def _end(pool: ProcessPoolExecutor) -> None:
    for process in (getattr(pool, "_processes", None) or {}).values():
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


def first_bytes(path: Path) -> bytes:
    """Return the bytes that say what a file is.

    Raises:
        CensusError: it cannot be opened.
    """
    try:
        with open_regular(path) as stream:
            return stream.read(8)
    except OSError as error:
        remedy = "Give the path of a file that you may read"
        raise unusable(str(path), f"cannot be read: {error.strerror}", remedy) from error


def _look_inside(path: Path) -> None:
    """Refuse what is no workbook, and what would fill the disk or the memory."""
    try:
        with open_regular(path) as stream:
            is_ole = stream.read(8).startswith(_OLE)
            size = stream.seek(0, 2)
            stream.seek(0)
            is_encrypted = is_ole and _ENCRYPTED in stream.read(MOST_OLE)
        if is_encrypted:
            raise unusable(str(path), "encrypted with a password", "Save it without one")
        if is_ole:
            return
        with zipfile.ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
            names = {name.casefold() for name in parts.namelist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        message = f"no workbook that can be read: {error}"
        raise unusable(str(path), message, _SAVE_AGAIN) from error
    if not any(name.startswith("xl/") or name == "content.xml" for name in names):
        message = "an archive that is no workbook"
        raise unusable(str(path), message, "Unpack it, and give the file with the census")
    if unpacked > MOST_UNPACKED or unpacked > MOST_TIMES * max(size, 100_000):
        message = f"unpacks from {size:,} to {unpacked:,} bytes, as no census does"
        raise unusable(str(path), message, "Save the sheet with the census alone")


def _bound(memory: int) -> None:
    # The reader prints where it ended when it gets no memory; that is said in words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - of Unix alone

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _opened(path: str, stream: Any) -> Any:
    """Open a workbook by its name; by its content where the two do not agree."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - in the process that reads

    is_named_ole = path.lower().endswith(".xls")
    is_ole = stream.read(8).startswith(_OLE)
    stream.seek(0)
    known = path.lower().endswith((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"))
    if known and is_named_ole == is_ole:
        return CalamineWorkbook.from_path(path)
    return CalamineWorkbook.from_filelike(stream)


def _sheets(path: str) -> list[tuple[str, int, list[list[Any]]]]:
    from python_calamine import (  # noqa: PLC0415 - in the process that reads alone
        CalamineError,
        PasswordError,
        SheetTypeEnum,
    )

    try:
        with Path(path).open("rb") as stream, _opened(path, stream) as book:
            found = []
            for about in book.sheets_metadata:
                if about.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = book.get_sheet_by_name(about.name)
                first = (sheet.start or (0, 0))[0]
                rows = sheet.to_python(skip_empty_area=True)
                while rows and not any(cell != "" for cell in rows[-1]):
                    rows.pop()
                found.append((about.name, first + 1, rows))
    except PasswordError as error:
        raise _UnreadableError("encrypted with a password") from error
    except (CalamineError, OSError, ValueError) as error:
        raise _UnreadableError(f"damaged, or no workbook: {str(error)[:200]}") from error
    return found

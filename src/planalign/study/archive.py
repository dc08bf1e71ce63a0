"""Archives (zip) with the same bytes whenever they are made, and read as a stranger's file is."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NoReturn

from planalign.errors import UsageError
from planalign.files import make_folder, open_regular, protect
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Of the file in the archive: the owner's alone, written when zip's calendar begins.
_MODE = stat.S_IFREG | 0o600
_WRITTEN = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MOST_FILES = 10_000
_LONGEST_NAME, _LONGEST_PART = 400, 200
# What an archive of ours ends with: no comment behind it, nothing of zip's 64-bit form before it.
_END = struct.Struct("<4s4H2LH")
_LONG_END = b"PK\x06\x07"
_LARGEST_DIRECTORY = 4_000_000


def write_archive(target: Path, contents: Mapping[str, bytes | Path]) -> None:
    """Write files to an archive, which appears only when it is complete.

    In the order of their names and as they are: compressed, the bytes would depend on the
    version of a library.

    Args:
        target: the archive; must not exist.
        contents: by the path in the archive what is in a file, or a file to copy.

    Raises:
        UsageError: the target exists.
        OSError: it cannot be written, or a file not be read.
    """
    if target.exists():
        raise UsageError(f"{target} exists already", "Name another target or remove it.")
    make_folder(target.parent)
    with scratch("pack", beside=target) as folder:
        partial = folder / target.name
        with zipfile.ZipFile(partial, "x", zipfile.ZIP_STORED) as archive:
            for name in sorted(contents):
                info = zipfile.ZipInfo(name, _WRITTEN)
                info.create_system, info.external_attr = _UNIX, _MODE << 16
                content = contents[name]
                if isinstance(content, bytes):
                    archive.writestr(info, content)
                else:
                    with open_regular(content) as source, archive.open(info, "w") as entry:
                        shutil.copyfileobj(source, entry)
        protect(partial)
        partial.rename(target)


def unpack(path: Path, folder: Path, largest: Callable[[str], int | None]) -> None:
    """Write the files of an archive below a new folder.

    Nothing is written but the files that are wanted, below the folder, of bounded sizes: no
    link, no path out of it, nothing compressed, which could unfold without end.

    Args:
        path: the archive, of anybody.
        folder: must not exist.
        largest: how many bytes a file of a path may have; None if it is not wanted.

    Raises:
        UsageError: it is no archive of ours, and why.
        OSError: it cannot be read, or a file not be written.
    """
    with _opened(path) as source, _faults(path):
        size = _require_small_directory(source, path)
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            for entry in entries:
                _require_plain(path, entry, largest(entry.filename))
            _require_apart(path, [entry.filename for entry in entries])
            is_in_it = all(0 <= entry.header_offset < size for entry in entries)
            if not is_in_it or sum(entry.file_size for entry in entries) > size:
                _refuse(path, "files in it overlap, or are not in it")
            folder.mkdir(mode=0o700)
            for entry in entries:
                file = folder / entry.filename
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with archive.open(entry) as content, file.open("xb") as copy:
                    shutil.copyfileobj(content, copy)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = open_regular(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", "Name what planalign pack has written."
        ) from error
    with file:
        yield file


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn what zipfile raises of a damaged file into words; it has no one error for that."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error) as error:
        _refuse(path, str(error) or "it ends too early", error)


def _require_small_directory(file: IO[bytes], path: Path) -> int:
    """Refuse a list of files that is longer than ours are, before it is read into memory.

    Returns:
        The size of the archive, bytes.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - 20))
    tail = file.read()
    if len(tail) < _END.size:
        _refuse(path, "it is too short")
    signature, *_, files, directory, _, comment = _END.unpack(tail[-_END.size :])
    if signature != b"PK\x05\x06" or comment or tail.startswith(_LONG_END):
        _refuse(path, "it does not end as one does")
    if files > _MOST_FILES or directory > _LARGEST_DIRECTORY:
        _refuse(path, f"it lists more than {_MOST_FILES:,} files")
    return size


def _require_plain(path: Path, entry: zipfile.ZipInfo, largest: int | None) -> None:
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    parts = PurePosixPath(name).parts
    if (
        len(name.encode()) > _LONGEST_NAME
        or any(len(part.encode()) > _LONGEST_PART for part in parts)
        or "\\" in name
        or not name.isprintable()
        or "/".join(parts) != name  # also an empty part, or a folder
        or name.startswith("/")
        or {".", ".."} & {*parts}
    ):
        _refuse(path, f"it has a file with the odd path {name[:_LONGEST_NAME]}")
    if kind not in {0, stat.S_IFREG}:
        _refuse(path, f"{name} in it is no file, but a link or a device")
    if largest is None:
        _refuse(path, f"it has a file that does not belong there: {name}")
    if entry.flag_bits & 1 or entry.compress_type != zipfile.ZIP_STORED:
        _refuse(path, f"{name} in it is compressed or encrypted")
    if entry.file_size > largest:
        _refuse(path, f"{name} in it is larger than {largest:,} bytes")


def _require_apart(path: Path, names: list[str]) -> None:
    """Refuse two files with one path, or one below the other."""
    taken = set(names)
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    if len(taken) < len(names) or taken & folders:
        _refuse(path, "it has two files at one place")


def _refuse(path: Path, why: str, cause: Exception | None = None) -> NoReturn:
    raise UsageError(
        f"{path} is no pack: {why}", "Name what planalign pack has written, as it was written."
    ) from cause

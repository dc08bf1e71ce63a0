"""A text of unknown encoding and delimiter as rows of cells."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from planalign.census.source import READ_ERRORS, unusable
from planalign.files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

# Bytes of a text when unpacked; a census of a million people has a fifth of it.
MOST_BYTES = 1_000_000_000
# How often a text may be larger than what gzip made of it.
MOST_TIMES = 100
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|meta|head|body)", re.IGNORECASE
)
# In the order in which one wins where two fit as well.
_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x1f", "\x01", "#", "!", ":", "/")
_SAMPLE_LINES = 300
# No cell of a census goes over so many lines; a quotation mark that is left open does.
_MOST_LINES_OF_A_CELL = 20
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What payroll systems write, the commonest first.
_CODE_PAGES = ("cp1252", "latin_1", "cp1250", "mac_roman", "cp437", "cp850")


def read_text_grid(path: Path) -> tuple[list[list[str]], list[int], dict[str, Any]]:
    """Return the rows of a text, the line each begins on, and how it was read.

    Raises:
        CensusError: it cannot be opened or is no text, or a quotation mark stays open.
    """
    text, encoding = _decoded(path)
    delimiter, quote = _dialect(text)
    rows, lines = _records(text, path, delimiter, quote)
    notes = {"type": "text", "encoding": encoding, "delimiter": delimiter}
    return rows, lines, notes | ({"quote": quote} if quote != '"' else {})


def _decoded(path: Path) -> tuple[str, str]:
    file = str(path)
    try:
        with open_regular(path) as stream:
            is_packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            size = stream.seek(0, 2)
            stream.seek(0)
            most = min(MOST_BYTES, MOST_TIMES * max(size, 100_000)) if is_packed else MOST_BYTES
            content = (gzip.GzipFile(fileobj=stream) if is_packed else stream).read(most + 1)
    except READ_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "Give the path of a file that you may read and that is whole"
        raise unusable(file, f"cannot be read: {reason}", remedy) from error
    if len(content) > most:
        packed = f", packed into {size:,}" if is_packed else ""
        raise unusable(file, f"more than {most:,} bytes of text{packed}", "Give the census alone")
    if not content.strip():
        raise unusable(file, "an empty file", "Export it again")
    if _MARKUP.match(content[:200].lstrip()):
        remedy = "Open it in a spreadsheet, and save it again as .xlsx"
        raise unusable(file, "a web page or XML, whatever its name says", remedy)
    encoding = _encoding(content)
    if encoding is None:
        remedy = "Give a workbook (.xlsx, .xlsm, .xls, .ods), a Parquet file or a text"
        raise unusable(file, "neither a text nor a workbook", remedy)
    return content.decode(encoding), encoding.removesuffix("-sig").replace("_", "-")


def _encoding(content: bytes) -> str | None:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name if _decodes(content, name) else None
    head = content[:4096]
    zeros = head.count(0)
    if zeros * 3 > len(head):
        name = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
        return name if _decodes(content, name) else None
    if zeros or _controls(head) * 20 > len(head):
        return None
    if _decodes(content, "utf-8"):
        return "utf-8"
    return _code_page(content)


def _controls(head: bytes) -> int:
    return sum(byte < 32 and byte not in b"\t\n\r\f\x01\x1f\x1a" for byte in head)


def _decodes(content: bytes, name: str) -> bool:
    try:
        content.decode(name)
    except UnicodeError:
        return False
    return True


# What stands in a western text beside letters.
_SIGNS = frozenset("\u00a0€–—‘’“”•…™©®°§£¥«»·ªº½¼¾")  # noqa: RUF001
# A sign between letters, a capital behind a small letter: read with another code page.
_MISREAD = re.compile(
    r"[^\W\d_][€–—“”•…™©®°§£¥«»ªº½¼¾³‚„][^\W\d_]|[^\W\d_][‚„ƒˆ‡]|[a-z][ŠŽŸŒÀ-Þ]"  # noqa: RUF001
)


def _is_western(text: str) -> bool:
    """Return whether a text read as cp1252 has what is written with it alone."""
    beyond = {letter for letter in set(text) if not letter.isascii()}
    letters = {letter for letter in beyond if letter.isalpha()}
    return beyond - letters <= _SIGNS and not _MISREAD.search(text)


def _code_page(content: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - few files need it

    # Letters beyond ASCII are few: the lines that have some say all there is.
    telling = [line for line in content.splitlines() if not line.isascii()]
    preferred = "cp1252" if _decodes(content, "cp1252") else "latin_1"
    # Few letters tell little: where that of Windows, which writes most exports, reads well,
    # it is the one.
    if _is_western(b"\n".join(telling).decode(preferred)):
        return preferred
    best = from_bytes(b"\n".join(telling[:500]), cp_isolation=list(_CODE_PAGES)).best()
    if best is None or {"cp1252", "latin_1"} & {best.encoding, *best.could_be_from_charset}:
        return preferred
    return best.encoding if _decodes(content, best.encoding) else preferred


def _dialect(text: str) -> tuple[str, str]:
    """Return the delimiter and the quotation mark that make the rows most alike."""
    sample = "\n".join(text[: 1 << 18].splitlines()[:_SAMPLE_LINES])
    quote = _quotation_mark(sample)
    best, chosen = (0.0, 0.0), ","
    for delimiter in _DELIMITERS:
        if delimiter not in sample:
            continue
        widths = [len(row) for row in _reader(sample, delimiter, quote) if row]
        # Lines of title and end have one cell; the table decides.
        wide = Counter(width for width in widths if width > 1)
        if not wide:
            continue
        width, times = wide.most_common(1)[0]
        # Times and fractions have one or two of any sign; a table has it in every row.
        score = (times / len(widths) * (width > 2), times / len(widths) * width)
        if score[0] > best[0] + 0.2 or (score[0] > best[0] - 0.2 and score[1] > best[1]):
            best, chosen = score, delimiter
    return chosen, quote


def _quotation_mark(sample: str) -> str:
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|]|$)", sample, re.MULTILINE))
    double = len(re.findall(r'(?:^|[,;\t|])"[^"\n]*"(?=[,;\t|]|$)', sample, re.MULTILINE))
    return "'" if single > 5 and single > 5 * double else '"'


def _reader(text: str, delimiter: str, quote: str) -> Any:
    csv.field_size_limit(1 << 20)
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        skipinitialspace=delimiter != " ",
    )


def _records(
    text: str, path: Path, delimiter: str, quote: str
) -> tuple[list[list[str]], list[int]]:
    reader = _reader(text.rstrip("\x1a"), delimiter, quote)
    rows, lines = [], []
    begins = 1
    try:
        for row in reader:
            if reader.line_num - begins >= _MOST_LINES_OF_A_CELL:
                raise _open_quote(path, begins)
            rows.append(row)
            lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _open_quote(path, begins) from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
        lines.pop()
    return rows, lines


def _open_quote(path: Path, line: int) -> Exception:
    return unusable(
        str(path),
        "a quotation mark that begins here and does not end",
        "Correct the line, or export the file again",
        line,
    )

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
    from collections.abc import Sequence
    from pathlib import Path

# Bytes of a text when unpacked; a census of a million people has a fifth of it.
MOST_BYTES = 1_000_000_000
# How often a text may be larger than what gzip made of it.
MOST_TIMES = 100
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|meta|head|body)", re.IGNORECASE
)
# In the order in which one wins where two fit as well.
_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x1f", "\x01")
# Signs that stand in dates, times and numbers of rooms: where no other makes a table.
_RARE_DELIMITERS = ("#", "!", ":", "/")
_SAMPLE_LINES = 300
# No cell of a census goes over so many lines; a quotation mark that is left open does.
_MOST_LINES_OF_A_CELL = 20
_PROTECTED = re.compile(r"""="([^"=]*)"|'([\d/.-][\w/.-]*)""")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What payroll systems write, the commonest first.
_CODE_PAGES = ("cp1252", "latin_1", "cp850", "cp1250", "mac_roman", "cp437")


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
_BEYOND_LATIN = "\u0250"
_MISREAD = re.compile(
    r"[^\W\d_][€–—“”•…™©®°§£¥«»·ªº½¼¾³‚„][^\W\d_]|[^\W\d_][‚„ƒˆ‡]"  # noqa: RUF001
    r"|[a-zß-ÿ][ŠŽŸŒÀ-Þ]|[A-Z][ŠŽŸŒÀ-Þ][a-z]"
)


def _is_western(text: str) -> bool:
    """Return whether a text has what western languages are written with alone."""
    beyond = {letter for letter in set(text) if not letter.isascii()}
    letters = {letter for letter in beyond if letter.isalpha() and letter < _BEYOND_LATIN}
    return beyond - letters <= _SIGNS and not _MISREAD.search(text)


def _code_page(content: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - few files need it

    # Letters beyond ASCII are few: the lines that have some say all there is.
    telling = [line for line in content.splitlines() if not line.isascii()]
    joined = b"\n".join(telling)
    # Few letters tell little: the first that reads well is the one, as that of Windows,
    # which writes most exports, does nearly always.
    for name in _CODE_PAGES:
        if _decodes(content, name) and _is_western(joined.decode(name)):
            return name
    preferred = "cp1252" if _decodes(content, "cp1252") else "latin_1"
    best = from_bytes(b"\n".join(telling[:500]), cp_isolation=list(_CODE_PAGES)).best()
    if best is None or {"cp1252", "latin_1"} & {best.encoding, *best.could_be_from_charset}:
        return preferred
    return best.encoding if _decodes(content, best.encoding) else preferred


def _dialect(text: str) -> tuple[str, str]:
    """Return the delimiter and the quotation mark that make the rows most alike."""
    sample = "\n".join(text[: 1 << 18].splitlines()[:_SAMPLE_LINES])
    quote = _quotation_mark(sample)
    found = _tables(sample, quote, _DELIMITERS)
    if not found or max(found)[0] < 0.4:
        found += _tables(sample, quote, _RARE_DELIMITERS)
    if not found:
        return ",", quote
    even = max(found)[0]
    rivals = [one for one in found if one[0] > even - 0.25]
    # The header has as many cells as the rows: decimal commas and dates have none there.
    first = min(one[2] for one in rivals)
    return max((one for one in rivals if one[2] == first), key=lambda one: one[1])[3], quote


def _tables(
    sample: str, quote: str, delimiters: Sequence[str]
) -> list[tuple[float, float, int, str]]:
    """Return for each delimiter how even rows are, how wide, and which is the first such."""
    found = []
    for delimiter in delimiters:
        if delimiter not in sample:
            continue
        widths = [len(row) for row in _reader(sample, delimiter, quote) if row]
        # Lines of title and end have one cell; the table decides.
        wide = Counter(width for width in widths if width > 1)
        if not wide:
            continue
        width, times = wide.most_common(1)[0]
        share = times / len(widths)
        # Times, dates and fractions have one or two of any sign; a table has more.
        found.append((share * (width > 2), share * width, widths.index(width), delimiter))
    return found


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
    is_protected = any(mark in text for mark in ('="', f"{delimiter}'", "\n'"))
    rows, lines = [], []
    begins = 1
    try:
        for row in reader:
            if reader.line_num - begins >= _MOST_LINES_OF_A_CELL:
                raise _open_quote(path, begins)
            rows.append([_unprotected(cell) for cell in row] if is_protected else row)
            lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _open_quote(path, begins) from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
        lines.pop()
    return rows, lines


def _unprotected(cell: str) -> str:
    """Return what a spreadsheet shows of ="00831" and '00831, which keep zeros in front."""
    if found := _PROTECTED.fullmatch(cell):
        return found[1] if found[1] is not None else found[2]
    return cell


def _open_quote(path: Path, line: int) -> Exception:
    return unusable(
        str(path),
        "a quotation mark that begins here and does not end",
        "Correct the line, or export the file again",
        line,
    )

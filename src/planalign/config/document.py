"""Read a YAML file as plain data that knows the line of every key.

A small and predictable part of YAML: one document, mappings, lists and single
values. Anchors, aliases and tags are refused, because a few lines of them can
expand without bound or name Python objects. Unquoted values follow YAML 1.2:
`yes`, `0x1F`, `017` and `1:30` are not turned into something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from planalign.config.scalars import NUMBER
from planalign.errors import InputError, Problem
from planalign.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_FILE = 1_000_000
DEEPEST_NESTING = 32

# Parts of a path compare as text: a scenario may be called 2025.
KeyPath: TypeAlias = tuple[str, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_CANONICAL_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
_BOOLEANS = {"true": True, "True": True, "TRUE": True}
_BOOLEANS |= {"false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True)
class Document:
    """The data of a file, the 1-based line of each key, and what is already wrong."""

    data: dict[str | int, Any]
    file: str | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, path: KeyPath) -> int | None:
        """Return the line of a key, or of the nearest key above it that has one."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_document(path: Path) -> Document:
    """Read a file.

    Raises:
        InputError: it cannot be read, or is not YAML of the supported part.

    """
    file = str(path)
    try:
        with open_regular(path) as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        remedy = "Name an existing file, or create one with: planalign init"
        raise _refused(Problem("does not exist", remedy, file=file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(f"cannot be read: {reason}", "Name a readable YAML file", file=file)
        raise _refused(problem) from error
    if len(raw) > LARGEST_FILE:
        message = f"is larger than {LARGEST_FILE:,} bytes"
        raise _refused(Problem(message, "A configuration is a short text: check the path", file))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Problem("is not UTF-8 text", "Save the file as UTF-8", file=file, line=line)
        raise _refused(problem) from None
    return parse_document(text, file)


def parse_document(text: str, file: str | None = None) -> Document:
    """Parse the text of a file; see `read_document`."""
    builder = _Builder(file)
    root = _compose(text, builder)
    if root is None:
        return Document({}, file)
    data = builder.build(root, ())
    if data is None:
        data = {}
    if not isinstance(data, dict):
        remedy = "Write keys and values, for example: census: census.parquet"
        line = root.start_mark.line + 1
        raise _refused(Problem("must be a mapping of keys to values", remedy, file, line=line))
    return Document(data, file, builder.lines, tuple(builder.problems))


def resolve(text: str) -> str | int | Decimal | bool | None:
    """Return the value that an unquoted text stands for."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 20:
        return int(text)
    if NUMBER.fullmatch(text):
        try:
            return Decimal(text)
        except InvalidOperation:  # an exponent beyond what a decimal can hold
            return text
    return text


def _refused(*problems: Problem) -> InputError:
    return InputError("The configuration cannot be read", problems)


class _Loader(yaml.SafeLoader):
    """Note what is refused while nodes are composed, before anything expands."""

    def __init__(self, text: str, builder: _Builder) -> None:
        super().__init__(text)
        self.builder = builder
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            self.builder.refuse("uses an alias", "Write the value out", line, f"*{event.anchor}")
        else:
            if event.anchor is not None:
                self.builder.refuse("uses an anchor", "Remove it", line, f"&{event.anchor}")
            if event.tag is not None:
                self.builder.refuse("uses a tag", "Write plain values", line, event.tag)
        if self.depth > DEEPEST_NESTING:
            message = f"values are nested more than {DEEPEST_NESTING} deep"
            raise yaml.MarkedYAMLError(problem=message, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, builder: _Builder) -> yaml.Node | None:
    """Return the root node, or raise every problem found on the way to it."""
    try:
        loader = _Loader(text, builder)
        root: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        builder.refuse(*_syntax(error), _line(error), None)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        builder.refuse("contains a character YAML does not allow", "Remove it", line, None)
    except (ValueError, ArithmeticError):
        # The scanner turns escapes such as "\UFFFFFFFF" and version numbers of
        # any length into Python values without a check of its own.
        builder.refuse("contains an escape or version that is no number", "Correct it", None, None)
    if builder.problems:
        raise _refused(*builder.problems)
    return root


def _line(error: yaml.MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return None if mark is None else mark.line + 1


def _syntax(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    """Return the message and the remedy of a syntax error."""
    problem = error.problem or "cannot be understood"
    if "\\t" in problem:
        return f"is not valid YAML: {problem}", "Indent with spaces, not with tabs"
    if "another document" in problem:
        return "contains more than one document", "Keep one and remove the line ---"
    if "nested" in problem:
        return problem, "Flatten the file"
    return f"is not valid YAML: {problem}", "Correct the text at this line or just above it"


class _Builder:
    """Turn nodes into dicts, lists and single values, noting lines and problems."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []

    def refuse(self, message: str, remedy: str, line: int | None, value: str | None) -> None:
        """Note a problem of the text itself."""
        self.problems.append(Problem(message, remedy, self.file, line, value=value))

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        """Return the data of a node at a path."""
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self.lines[(*path, str(index))] = item.start_mark.line + 1
                items.append(self.build(item, (*path, str(index))))
            return items
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.style else resolve(node.value)
        raise TypeError(f"no such kind of node: {node!r}")

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str | int, Any]:
        result: dict[str | int, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse("a key must be a single word or number", "Correct it", line, None)
                continue
            text = key_node.value
            if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
                self.refuse("a key has half of a character", "Correct the escape", line, text)
                continue
            here = (*path, text)
            if here in self.lines:
                column = ".".join(here)[:200]
                message = f"is given twice, first on line {self.lines[here]}"
                self.problems.append(Problem(message, "Keep one", self.file, line, column=column))
                continue
            self.lines[here] = line
            unquoted = not key_node.style and _CANONICAL_INTEGER.fullmatch(text)
            result[int(text) if unquoted else text] = self.build(value_node, here)
        return result

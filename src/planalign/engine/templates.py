"""The files of a dbt project as templates: their names, their lines, and what of them counts."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEXT = ("data", "whitespace", "comment", "comment_begin", "comment_end", "raw_begin", "raw_end")
# A description that is no template of its own.
_PLAIN = re.compile(r"[^{]*")
# What a template writes for a table.
_REF = re.compile(r"""\{\{-?\s*ref\(\s*["'](\w+)["']\s*\)\s*-?\}\}""")
_INPUT = re.compile(r"""\{\{-?\s*source\(\s*["']inputs["']\s*,\s*["'](\w+)["']\s*\)\s*-?\}\}""")


def names_in(source: str) -> Iterator[tuple[str, str, int]]:
    """Yield each name in the Jinja of a text, the name behind its dot or "", and its line.

    Raises:
        ValueError: it is no template.
    """
    code = [token for token in _tokens(source) if token[1] not in _TEXT]
    for place, (line, kind, value) in enumerate(code):
        if kind == "name":
            dot, attribute = ([token[2] for token in code[place + 1 : place + 3]] + ["", ""])[:2]
            yield value, attribute if dot == "." else "", line


def _tokens(source: str) -> list[tuple[int, str, str]]:
    import jinja2  # takes 20 ms, and most runs look at no template

    environment = jinja2.Environment(keep_trailing_newline=True)  # noqa: S701 - nothing is rendered
    try:
        return list(environment.lex(source))
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error


def what_counts(path: Path, *, with_descriptions: bool) -> bytes:
    """Return what of a file of a project can reach the compiled models, as bytes.

    Left out are comments of Jinja and of YAML, unit tests and, unless wanted,
    descriptions. Of a reference table nothing is compiled.
    """
    content = path.read_bytes()
    try:
        if path.suffix == ".csv":
            return b""
        if path.suffix in {".yml", ".yaml"}:
            return json.dumps(_declared(_load(content), with_descriptions), default=repr).encode()
        if path.suffix == ".sql":
            tokens = [token[1:] for token in _tokens(content.decode()) if token[1] != "comment"]
            return json.dumps(tokens).encode()
    except (ValueError, yaml.YAMLError):
        pass  # dbt will say so
    return content


def reads_descriptions(path: Path) -> bool:
    """Say whether a template may look at a description."""
    if path.suffix != ".sql":
        return False
    try:
        tokens = _tokens(path.read_text(encoding="utf-8"))
    except ValueError:
        return True
    return any("description" in value for _, kind, value in tokens if kind not in _TEXT)


def _load(content: bytes) -> Any:
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


def _declared(content: Any, with_descriptions: bool) -> Any:
    """Return the content of a YAML file of dbt without unit tests, or also descriptions."""
    if not isinstance(content, dict):
        return content
    kept = {key: value for key, value in content.items() if key != "unit_tests"}
    if with_descriptions:
        return kept
    return {
        key: [_undescribed(one) for one in value] if isinstance(value, list) else value
        for key, value in kept.items()
    }


def _undescribed(entry: Any) -> Any:
    """Return a model, source, table or column without its description, if that is plain text."""
    if not isinstance(entry, dict):
        return entry
    return {
        key: [_undescribed(one) for one in value]
        if key in {"columns", "tables"} and isinstance(value, list)
        else value
        for key, value in entry.items()
        if key != "description" or not (isinstance(value, str) and _PLAIN.fullmatch(value))
    }


def source_lines(source: str, compiled: str, line: int) -> tuple[int, int] | None:
    """Return the lines of a template that a line of what it was compiled to comes from.

    First and last, 1-based; the same where it is surely one. What Jinja leaves alone, and
    what names a table, is found again; between such lines stands what a macro or a loop
    gave. Nothing where the compiled line is not there.
    """
    source = _REF.sub(r'"results"."main"."\1"', source)
    source = _INPUT.sub(r'"results"."inputs"."\1"', source)
    theirs, ours = ([part.strip() for part in text.splitlines()] for text in (source, compiled))
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    for kind, first, last, from_line, to_line in matcher.get_opcodes():
        if from_line < line <= to_line:
            if kind == "equal" or last - first == to_line - from_line:
                found = first + line - from_line
                return found, found
            if kind == "insert":  # a macro gave more than its own line
                return max(first, 1), min(first + 1, len(theirs))
            return first + 1, last
    return None

"""What is wrong with the files of a project, found before dbt reads them and all at once.

dbt stops at the first fault, after seconds, and names most of them without a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from planalign.engine.templates import Call, Template, is_sql, is_yaml, read_template, yaml_fault
from planalign.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from planalign.engine.project import Project

# What dbt writes before its words, and the frames of its own code or pages about DuckDB's
# bindings behind them.
_LEAD = re.compile(
    r"^(?:\d\d:\d\d:\d\d +)?(?:Encountered an error:|Runtime Error$)?\s*", re.MULTILINE
)
_BEHIND = re.compile(r"nanobind:|\n[^\n]*Traceback \(most recent call last\)")
_MOST = 600
_IN_LINE = re.compile(r"\bline (\d+)")
_QUOTED = re.compile(r"""'([^'\n]+)'|"([^"\n]+)\"""")
_RELATIVE = re.compile(r"[\w./-]+\.(?:sql|yml|yaml|csv)\b")


@dataclass
class _Files:
    """The files of a project that can be read, by path, and what is wrong with the others."""

    project: Project
    templates: dict[str, Template] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: str, line: int | None, message: str, remedy: str) -> None:
        """Note a problem of a file."""
        self.problems.append(Problem(message, remedy, str(self.project.place(path)), line))

    def read(self) -> None:
        """Read every file of the project."""
        for file in self.project.files:
            path = file.relative_to(self.project.folder).as_posix()
            if not (is_sql(file) or is_yaml(file)):
                continue
            content = file.read_bytes()
            try:
                text = content.decode()
            except UnicodeDecodeError as error:
                at = content.count(b"\n", 0, error.start) + 1
                self.add(path, at, "is not text in UTF-8", "Save the file as UTF-8")
                continue
            if is_yaml(file):
                fault = yaml_fault(text)
            else:
                fault = None
                found = read_template(text)
                if isinstance(found, Template):
                    self.templates[path] = found
                else:
                    fault = found
            if fault is not None:
                line, words = fault
                self.add(path, line, f"cannot be read: {words}", "Mend the line, or one before it")


def problems_of_files(project: Project) -> list[Problem]:
    """Return what keeps dbt from reading a project: text, names and what refers to them."""
    files = _Files(project)
    files.read()
    _check_macros(files)
    named = _check_names(files)
    if not files.problems:  # else what is referred to may be in what cannot be read
        _check_references(files, named)
        _check_cycles(files, named)
    return files.problems


def _check_macros(files: _Files) -> None:
    """Look for macros that are there twice."""
    first: dict[str, str] = {}
    for path, macro in _own_last(files, {p: t.macros for p, t in files.templates.items()}):
        if path.startswith("macros/"):
            other = first.setdefault(macro.name, path)
            if other != path:
                message = f"macro {macro.name} is in {files.project.place(other)} too"
                remedy = "Give it another name, or lay a file of the same name over that one"
                files.add(path, macro.line, message, remedy)


def _check_names(files: _Files) -> dict[str, str]:
    """Look for models and reference tables that are there twice; return the paths by name."""
    paths = [one.relative_to(files.project.folder) for one in files.project.files]
    named: dict[str, str] = {}
    for one in sorted(paths, key=lambda path: files.project.is_laid_over(path.as_posix())):
        path = one.as_posix()
        is_named = (one.parts[0], one.suffix.lower()) in {("models", ".sql"), ("seeds", ".csv")}
        other = named.setdefault(one.stem, path) if is_named else path
        if other != path:
            message = f"{one.stem} is in {files.project.place(other)} too"
            files.add(path, None, message, "Give one of the two another name")
    return named


def _check_references(files: _Files, named: Mapping[str, str]) -> None:
    """Look for what `ref` names and nobody has written."""
    import difflib

    for path, call in _own_last(files, {p: t.references for p, t in files.templates.items()}):
        if call.name not in named:
            near = difflib.get_close_matches(call.name, named, 1)
            remedy = f"Did you mean {near[0]}?" if near else "Write it, or name another"
            message = f"there is no model or reference table {call.name}"
            files.add(path, call.line, message, remedy)


def _check_cycles(files: _Files, named: Mapping[str, str]) -> None:
    """Look for models that rest on each other."""
    reads = {
        name: {call.name: call.line for call in files.templates[path].references}
        for name, path in named.items()
        if path in files.templates
    }
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        # From what is read to who reads it, and the first once more.
        circle = error.args[1][:-1]
        own = [one for one in circle if files.project.is_laid_over(named[one])] or circle
        for name in sorted(own):
            read = circle[circle.index(name) - 1]
            words = "itself" if read == name else f"{read}, which rests on it"
            message = f"model {name} reads {words}"
            files.add(named[name], reads[name][read], message, "Take one of the references out")


def _own_last(files: _Files, by_path: Mapping[str, tuple[Call, ...]]) -> Iterator[tuple[str, Call]]:
    """Yield calls with their paths, those of a study's own files last: they are at fault."""
    for path in sorted(by_path, key=files.project.is_laid_over):
        for one in by_path[path]:
            yield path, one


def problem_of_words(said: str, project: Project) -> Problem:
    """Return what dbt says of a project as a problem of a file, one of the user's if it can be.

    Args:
        said: what it wrote.
        project: whose files it is about.
    """
    words = _LEAD.sub("", _BEHIND.split(said)[0]).strip()
    mentioned = [path for path in _mentioned(words, project) if project.is_laid_over(path)]
    for path, file in project.origins.items():
        words = words.replace(path, str(file))
    place, line = project.name, None
    if mentioned:
        place = project.place(mentioned[0])
        given = _IN_LINE.search(words)
        line = int(given[1]) if given else _line_with(words, place)
    else:  # as of an event, which a macro of the user's declares for a model of ours
        files = sorted(
            (file for file in project.origins.values() if file.suffix in {".sql", ".yml"}),
            key=lambda file: (file.stem not in words, file.parent.name != "macros", file),
        )
        lines = {file: _line_with(words, file) for file in files}
        place, line = next(((file, at) for file, at in lines.items() if at), (place, None))
    told = " ".join(words.split())
    if len(told) > 2 * _MOST:  # dbt repeats a whole file of YAML
        told = f"{told[:_MOST]} .. {told[-_MOST:]}"
    return Problem(told, "Mend what dbt says", str(place), line)


def _mentioned(words: str, project: Project) -> Iterator[str]:
    """Yield the paths of a project that a text names, also as they are within their folder."""
    known = {one.relative_to(project.folder).as_posix() for one in project.files}
    for name in _RELATIVE.findall(words):
        yield from (path for path in (name, f"models/{name}") if path in known)


def _line_with(words: str, file: Path) -> int | None:
    """Return the first line of a file that has something that the words quote."""
    quoted = [one or other for one, other in _QUOTED.findall(words)]
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if any(re.search(rf"\b{re.escape(one)}\b", line) for one in quoted):
            return number
    return None

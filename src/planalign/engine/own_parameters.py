"""Parameters of a study's own: those that its models read, and those that it gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.config import ScenarioSettings
    from planalign.config.own import Parameter
    from planalign.engine.pipeline import DataTest, Model, Pipeline
    from planalign.engine.project import Project

# What the macro `parameter` leaves in compiled SQL: the kind, and the name.
_READ = re.compile(r"\bparameters\.(number|text)\b[^']*?\bparameters\.parameter = '([^']*)'")


def require_parameters(
    pipeline: Pipeline, project: Project, settings: Mapping[str, ScenarioSettings]
) -> list[str]:
    """Refuse a study whose models read a parameter that a scenario does not give so.

    Without it, or with a text in place of a number, a join would lose everybody in silence.

    Returns:
        What to warn of: parameters that no model reads.

    Raises:
        InputError: with each parameter and scenario, and the file and line that reads it.
    """
    statements: list[Model | DataTest] = [*pipeline.models, *pipeline.tests]
    read = {(name, kind): one for one in statements for kind, name in _READ.findall(one.sql)}
    problems = [
        problem
        for (name, kind), one in sorted(read.items(), key=lambda item: item[0])
        for problem in _faults(name, kind, settings, *_place(one, name, project))
    ]
    if problems:
        many = f"{len(problems):,} parameter{' is' if len(problems) == 1 else 's are'}"
        raise InputError(f"{many} not given as the models read them", problems)
    given = {name for one in settings.values() for name in one.parameters}
    unread = sorted(given - {name for name, _ in read})
    return [f"no model reads the parameter {name}" for name in unread]


def _faults(
    name: str, kind: str, settings: Mapping[str, ScenarioSettings], file: str, line: int | None
) -> Iterator[Problem]:
    for scenario, one in settings.items():
        value = one.parameters.get(name)
        if value is None:
            words = f"reads the parameter {name}, which scenario {scenario} does not give"
            remedy = f"Give it under parameters, such as {{{name}: 1}}"
        elif any(_kind(part) != kind for part in _values(value)):
            words = f"reads the {kind} of parameter {name}, of which scenario {scenario} gives none"
            other = "text" if kind == "number" else "number"
            remedy = f'Give a {kind} under parameters, or read its {other}: {{{{ parameter("{name}"'
            remedy += ', "text") }}' if other == "text" else ") }}"
        else:
            continue
        yield Problem(words, remedy, file, line, column=f"parameters.{name}")


def _values(value: Parameter | Mapping[int, Parameter]) -> tuple[Parameter, ...]:
    return tuple(value.values()) if isinstance(value, Mapping) else (value,)


def _kind(value: Parameter) -> str:
    return "text" if isinstance(value, str) else "number"


def _place(one: Model | DataTest, name: str, project: Project) -> tuple[str, int | None]:
    """Return the file that reads a parameter, and the line that names it, if it is there."""
    file = project.place(one.path)
    lines = file.read_text(encoding="utf-8").splitlines()
    named = re.compile(rf"""["']{re.escape(name)}["']""")
    found = (number for number, line in enumerate(lines, start=1) if named.search(line))
    return str(file), next(found, None)

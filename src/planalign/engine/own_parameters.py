"""Parameters of a study's own: those that its models read, and those that it gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planalign.config import ScenarioSettings
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project

# What the macro `parameter` leaves in compiled SQL.
_READ = re.compile(r"\bparameters\.parameter = '([^']*)'")


def require_parameters(
    pipeline: Pipeline, project: Project, settings: Mapping[str, ScenarioSettings]
) -> list[str]:
    """Refuse a study whose models read a parameter that a scenario does not give.

    Without it, a join would lose everybody in silence.

    Returns:
        What to warn of: parameters that no model reads.

    Raises:
        InputError: with each parameter and scenario, and the model that reads it.
    """
    texts = [(one.sql, one.path) for one in pipeline.models]
    texts += [(one.sql, one.path) for one in pipeline.tests]
    read = {name: path for sql, path in texts for name in _READ.findall(sql)}
    problems = [
        Problem(
            f"reads the parameter {name}, which scenario {scenario} does not give",
            f"Give it under parameters, such as {{{name}: 1}}",
            str(project.place(path)),
            column=f"parameters.{name}",
        )
        for name, path in sorted(read.items())
        for scenario, one in settings.items()
        if name not in one.parameters
    ]
    if problems:
        count = f"{len(problems):,} parameter{' is' if len(problems) == 1 else 's are'}"
        raise InputError(f"{count} missing", problems)
    given = {name for one in settings.values() for name in one.parameters}
    return [f"no model reads the parameter {name}" for name in sorted(given - read.keys())]

"""The three runners behind one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.errors import UsageError

if TYPE_CHECKING:
    from planalign.engine.database import Database
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.runners.base import Runner

RUNNERS = ("direct", "batch", "legacy")


def make_runner(
    name: str,
    project: Project,
    pipeline: Pipeline,
    database: Database,
    *,
    with_query_plans: bool = False,
) -> Runner:
    """Return the runner of that name; dbt is imported only for the one that needs it.

    With query plans, each model tells how DuckDB executed it.

    Raises:
        UsageError: there is no such runner, or it cannot tell of plans.
        EnvironmentFaultError: the runner needs dbt, which is not installed.
    """
    if name == "direct":
        from planalign.engine.runners.direct import DirectRunner

        return DirectRunner(project, pipeline, database, with_query_plans=with_query_plans)
    if with_query_plans:
        raise UsageError(
            f"the runner {name} does not tell of query plans",
            "Use --runner direct with --profile plans.",
        )
    if name == "batch":
        from planalign.engine.runners.batch import BatchRunner

        return BatchRunner(project, pipeline, database)
    if name == "legacy":
        from planalign.engine.runners.legacy import LegacyRunner

        return LegacyRunner(project, pipeline, database)
    raise UsageError(f"there is no runner {name!r}", f"Use one of {', '.join(RUNNERS)}.")

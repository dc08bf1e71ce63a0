"""What is asked of a study: its configuration, its trajectories, and what it is computed from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.config import Config, load, parse, scenario_settings
from planalign.engine.compiler import pipeline_for
from planalign.engine.inputs import LAST_REPLICATE, Trajectory, settings_text, trajectories
from planalign.engine.overlay import project_of
from planalign.engine.own_parameters import require_parameters
from planalign.engine.run_folder import census_fingerprint, provenance
from planalign.errors import UsageError
from planalign.record.telemetry import Listener, unheard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.year_cache import YearCache


@dataclass(frozen=True)
class Request:
    """What to run of a configuration, and how.

    `scenario` chooses one of those configured, `replicate` any from 0 on; the
    result is the one it has among all. With a `cache`, `direct` takes the years
    that an earlier run has computed from it; the other runners compute every year.
    `pairs` names each scenario with a replicate that is simulated, instead of all with all.
    `with_query_plans` records how DuckDB executed each model, which changes no result.
    `cluster` is the address of a Dask scheduler whose workers do the blocks.
    """

    config: Config
    output: Path | None = None
    runner: str = "direct"
    scenario: str | None = None
    replicate: int | None = None
    resume: bool = False
    cache: YearCache | None = None
    with_query_plans: bool = False
    pairs: tuple[tuple[str, int], ...] | None = None
    cluster: str | None = None


def configuration(source: Config | Mapping[str, Any] | str | Path) -> Config:
    """Return a configuration from a file, a mapping, or as it is.

    Raises:
        InputError: it has problems; all are listed.
    """
    if isinstance(source, Config):
        return source
    if isinstance(source, str | Path):
        return load(Path(source))
    return parse(source, Path.cwd())


def provenance_of(request: Request) -> dict[str, Any]:
    """Return what a study is computed from, fingerprints and versions, without running it.

    Raises:
        InputError: the census cannot be read.
        ModelError: the models cannot be compiled.
        UsageError: the request does not fit the configuration.
    """
    return origin_of(request, project_of(request.config), unheard)[1]


def origin_of(
    request: Request, project: Project, tell: Listener
) -> tuple[Pipeline, dict[str, Any]]:
    """Return the compiled models of a study, and its provenance."""
    config = request.config
    census = census_fingerprint(config.census)
    pipeline = pipeline_for(project, lambda: tell("compiling", project=str(project.name)))
    asked = trajectories_of(request)
    settings = scenario_settings(config)
    chosen = {one.scenario: settings[one.scenario] for one in asked}
    for warning in require_parameters(pipeline, project, chosen):
        tell("warning", message=warning)
    influences = _influences(config, asked)
    return pipeline, provenance(influences, census, project, pipeline)


def trajectories_of(request: Request) -> tuple[Trajectory, ...]:
    """Return the trajectories asked for, numbered as they are among all.

    Raises:
        UsageError: the configuration has no such scenario, or there is no such replicate.
    """
    config = request.config
    names = list(scenario_settings(config))
    if request.pairs is not None:
        return tuple(
            Trajectory(number, scenario, replicate, config.simulation.random_seed + replicate)
            for number, (scenario, replicate) in enumerate(request.pairs)
        )
    if request.scenario is not None:
        if request.scenario not in names:
            raise UsageError(
                f"there is no scenario {request.scenario!r}", f"Use one of {', '.join(names)}."
            )
        names = [request.scenario]
    replicates = range(config.simulation.replicates)
    if request.replicate is not None:
        if not 0 <= request.replicate <= LAST_REPLICATE:
            raise UsageError(
                f"there is no replicate {request.replicate}",
                f"They count from 0; the last is {LAST_REPLICATE}.",
            )
        replicates = range(request.replicate, request.replicate + 1)
    return trajectories(config, names, replicates)


def _influences(config: Config, asked: Sequence[Trajectory]) -> str:
    """Return all of a configuration that may change a result, as text."""
    settings = scenario_settings(config)
    return json.dumps(
        {
            "years": [config.simulation.start_year, config.simulation.end_year],
            "census_columns": dict(config.census_columns),
            # Only where there are any: without, a study is what it was before there were.
            **({"extra_columns": dict(config.extra_columns)} if config.extra_columns else {}),
            "census_date": config.effective_census_date.isoformat(),
            "trajectories": [[t.scenario, t.replicate, t.random_seed] for t in asked],
            "scenarios": {
                name: settings_text(settings[name]) for name in sorted({t.scenario for t in asked})
            },
        },
        sort_keys=True,
    )

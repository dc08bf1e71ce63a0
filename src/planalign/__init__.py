"""Workforce and retirement-plan simulation on dbt and DuckDB.

import planalign

run = planalign.simulate("planalign.yaml")
run.pandas("fct_financial_summary")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planalign._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planalign.config import Config
    from planalign.results import Run

__all__ = ["__version__", "open_run", "simulate"]


def simulate(config: Config | Mapping[str, Any] | str | Path, **options: Any) -> Run:
    """Run a study and return its results.

    Args:
        config: a configuration, a mapping with its keys, or a path to the YAML file.
        options: the other fields of `planalign.study.Request`, such as `output`,
            `runner`, `scenario`, `replicate` or `resume`.

    Raises:
        InputError: configuration or census have problems; all are listed.
        PlanalignError: the run failed; the subclass says why.
    """
    from pathlib import Path

    from planalign.results import open_run
    from planalign.study import Request, configuration, run_study

    if options.get("output") is not None:
        options["output"] = Path(options["output"])
    return open_run(run_study(Request(configuration(config), **options)).path)


def open_run(path: str | Path) -> Run:
    """Open a finished run for reading.

    Raises:
        UsageError: the folder is no finished run.
    """
    from pathlib import Path

    from planalign.results import open_run as open_folder

    return open_folder(Path(path))

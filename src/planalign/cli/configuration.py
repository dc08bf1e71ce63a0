"""The configuration of a study, with what the command line changes of it."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from planalign.errors import UsageError

CONFIG_FILE = "planalign.yaml"
Years = Annotated[
    str | None, typer.Argument(metavar="[FIRST-LAST]", help="Years, such as 2025-2029.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="F", help="Default: planalign.yaml here.")
]
Census = Annotated[Path | None, typer.Option("--census", metavar="F", help="Parquet or CSV.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Neither take years from the cache nor keep them.")
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        metavar="DIR",
        help="Where computed years are kept. Default: PLANALIGN_CACHE_DIR or the user's cache.",
    ),
]


def configuration(
    config: Path | None,
    *,
    years: str | None = None,
    census: Path | None = None,
    dbt_project: Path | None = None,
    seeds: int | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    workers: int | None = None,
) -> Any:
    """Return the configuration of a file, or of the current folder's, with what is given.

    Raises:
        UsageError: there is none, or the years are none.
        InputError: it has problems; all are listed.

    """
    from planalign.config import load, parse  # noqa: PLC0415 - pydantic is slow to import

    simulation: dict[str, Any] = {}
    if years is not None:
        simulation["start_year"], simulation["end_year"] = _years(years)
    if seeds is not None:
        simulation["replicates"] = seeds
    resources: dict[str, Any] = {}
    if memory_limit is not None:
        resources["memory_limit"] = memory_limit
    if threads is not None:
        resources["threads"] = threads
    if workers is not None:
        resources["workers"] = workers
    overrides: dict[str, Any] = {
        **({"simulation": simulation} if simulation else {}),
        **({"resources": resources} if resources else {}),
        **({"census": str(census.resolve())} if census is not None else {}),
        **({"dbt_project": str(dbt_project.resolve())} if dbt_project is not None else {}),
    }
    if config is None and not Path(CONFIG_FILE).exists() and census is not None:
        return parse(overrides, Path.cwd())
    if config is None and not Path(CONFIG_FILE).exists():
        raise UsageError(
            f"there is no {CONFIG_FILE} here",
            "Name one with --config, give a --census to use the defaults, or run `planalign init`.",
        )
    return load(config or Path(CONFIG_FILE), overrides)


def _years(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    if not found:
        raise UsageError(f"{text!r} are no years", "Write FIRST-LAST, such as 2025-2029.")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise UsageError(f"{text!r} ends before it begins", "Write FIRST-LAST.")
    return first, last


def year_cache(folder: Path | None, *, is_used: bool) -> Any:
    """Return the cache of years in a folder, by default in that of the user; None if not used."""
    from planalign.engine.folders import cache_folder  # noqa: PLC0415 - duckdb is slow to import
    from planalign.engine.year_cache import CACHE_BYTES, YearCache  # noqa: PLC0415

    return YearCache(folder or cache_folder(), CACHE_BYTES) if is_used else None

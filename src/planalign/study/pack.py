"""Pack a finished run into one file that a colleague can verify."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planalign.config import load
from planalign.config.frozen import FrozenDict
from planalign.config.rendering import to_yaml
from planalign.engine.compiler import pipeline_for
from planalign.engine.overlay import project_of
from planalign.engine.project import Project
from planalign.engine.run_folder import census_fingerprint, models_fingerprints
from planalign.errors import InputError, Problem, UsageError
from planalign.files import read_regular
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.results.scope import only
from planalign.study.archive import write_archive
from planalign.study.past import (
    CONFIG,
    FINGERPRINTS,
    LARGEST_CENSUS,
    MODELS,
    PACK_FORMAT,
    PART,
    PROJECT,
    PROVENANCE,
    TABLES,
    is_pack,
    read_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from planalign.config import Config

ENDING = ".planalign.zip"


@dataclass(frozen=True)
class Packed:
    """What was packed: the archive, the files in it, and the SHA-256 of the study's census."""

    path: Path
    files: tuple[str, ...]
    census: str


def pack(
    run: Path,
    output: Path | None = None,
    *,
    with_census: bool = False,
    compiling: Callable[[], None] = lambda: None,
) -> Packed:
    """Write what proves a run again to one file, with the same bytes each time.

    The record, the configuration with relative paths, the digests of the results, the study's
    own models and tables and its copy of the project. The census is personal data, and is left out
    unless asked for.

    Args:
        run: the folder of a finished run.
        output: by default the name of the run, with `.planalign.zip`, in the working folder.
        with_census: also the census.
        compiling: is called before dbt compiles the study's own models.

    Raises:
        UsageError: the run is none, the output is there, or models or census are not those
            that the run was computed from.
        InputError: the configuration has problems, or a file names a folder of this machine.
        ModelError: the models cannot be compiled.
    """
    target = output or Path(f"{run.resolve().name}{ENDING}")
    if not is_pack(target):
        raise UsageError(f"{target} does not end in .zip", "Name an --output that does.")
    with open_run(run) as opened:
        recorded = read_record(run / PROVENANCE)
        digests = fingerprint(opened)
        scenario, replicate = only(opened)
    config = load(run / CONFIG, within=Path("/"))
    models = _models(config)
    census = Path(f"census{_ending(config.census)}")
    part = {"pack": PACK_FORMAT, "scenario": scenario, "replicate": replicate}
    contents: dict[str, bytes | Path] = {
        PROVENANCE: _json(recorded),
        CONFIG: to_yaml(_relative(config, census)).encode(),
        FINGERPRINTS: _json(digests),
        PART: _json(part),
        **models,
    }
    _require_no_place(contents, run, config)
    if models:
        project = project_of(config)
        now = models_fingerprints(project, pipeline_for(project, compiling))
        _require_same(now, recorded, run)
    if with_census:
        _require_same({"census": census_fingerprint(config.census)}, recorded, run)
        if config.census.stat().st_size > LARGEST_CENSUS:
            raise UsageError(
                f"{config.census} is larger than {LARGEST_CENSUS:,} bytes",
                "Pack without it, and hand it over yourself.",
            )
        contents[census.name] = config.census
    write_archive(target, contents)
    return Packed(target, tuple(sorted(contents)), recorded["fingerprints"]["census"])


def _json(content: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(content, indent=2)}\n".encode()


def _models(config: Config) -> dict[str, bytes]:
    """Return the study's own models and tables, and its copy of the project, by their paths."""
    found = {f"{TABLES}/{name}.csv": read_regular(file) for name, file in config.tables.items()}
    if config.dbt_project is not None:
        project = Project.at(config.dbt_project)
        found |= {
            f"{PROJECT}/{file.relative_to(project.folder).as_posix()}": read_regular(file)
            for file in project.files
        }
    own = config.models
    if own is not None:
        found |= {
            f"{MODELS}/{file.relative_to(own).as_posix()}": read_regular(file)
            for file in project_of(config).origins.values()
            if file.is_relative_to(own)
        }
    return found


def _relative(config: Config, census: Path) -> Config:
    """Return a configuration whose paths are those in the pack."""
    changes = {
        "census": census,
        "models": config.models and Path(MODELS),
        "dbt_project": config.dbt_project and Path(PROJECT),
        "tables": FrozenDict({name: Path(TABLES, f"{name}.csv") for name in config.tables}),
    }
    return config.model_copy(update=changes)


def _ending(census: Path) -> str:
    name = census.name.lower()
    return ".csv.gz" if name.endswith(".csv.gz") else Path(name).suffix


def _require_same(found: Mapping[str, str], recorded: Mapping[str, Any], run: Path) -> None:
    """Refuse to pack what is not as it was, for nobody could verify that."""
    others = [
        name.replace("_", " ")
        for name, value in found.items()
        if recorded["fingerprints"][name] != value
    ]
    if others:
        raise UsageError(
            f"what is there of {' and '.join(others)} is not what {run} was computed from",
            "Give it back as it was, with planalign "
            f"{recorded['versions']['planalign']}, or simulate the study again.",
        )


def _require_no_place(contents: Mapping[str, bytes | Path], run: Path, config: Config) -> None:
    """Refuse files that name a folder of this machine, which is nobody's business.

    Raises:
        InputError: with each file and line.
    """
    tables = (file.parent for file in config.tables.values())
    paths = (run.parent, config.census.parent, config.models, config.dbt_project, *tables)
    named = (*paths, Path.home())
    folders = {str(one.resolve()) for one in named if one is not None} - {"/"}
    pattern = re.compile(
        rb"(?<![\w.~/-])(?:"
        + b"|".join(re.escape(one.encode()) for one in sorted(folders))
        + rb")(?![\w.-])"
    )
    problems = list(_lines_with(pattern, contents))
    if problems:
        raise InputError("a pack would tell folders of this machine", problems)


def _lines_with(
    pattern: re.Pattern[bytes], contents: Mapping[str, bytes | Path]
) -> Iterator[Problem]:
    for name, content in contents.items():
        lines = content.split(b"\n") if isinstance(content, bytes) else ()
        for number, line in enumerate(lines, 1):
            if pattern.search(line):
                yield Problem(
                    "names a folder of this machine", "Take the path out", file=name, line=number
                )

"""What is kept of a run of the past: its record, its configuration, and its results or digests."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign._version import __version__
from planalign.config import load
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import LARGEST, read_object
from planalign.results import open_run
from planalign.results.database import DATABASE
from planalign.results.scope import checked, only
from planalign.run_format import format_of
from planalign.study.archive import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planalign.config import Config
    from planalign.results import Run

PROVENANCE, CONFIG = "provenance.json", "config.yaml"
# What every record has of a run, by its parts.
NEEDED = {
    "fingerprints": {"configuration", "census", "models", "reference_tables"},
    "versions": {"planalign", "dbt-core", "dbt-duckdb", "duckdb"},
}
# A pack: the record and the configuration, what `planalign fingerprint --json` prints, which
# part of the study the run is; the census, the study's own models and tables, its copy of
# the project.
FINGERPRINTS, PART, MODELS, PROJECT = "fingerprints.json", "pack.json", "models", "dbt_project"
TABLES = "tables"
PACK_FORMAT = 1
LARGEST_CENSUS = 1_000_000_000
_CENSUS = re.compile(r"census\.(csv|csv\.gz|parquet)")


@dataclass(frozen=True)
class Past:
    """A run of the past, as far as it is kept.

    Attributes:
        name: the record, or the pack, as the user names it.
        recorded: format, fingerprints and versions.
        config: with the census of now.
        results: the run itself, if it is there.
        digests: of its marts; empty where the run itself is there.
        scenario: the only one that it has, if it has but one.
        replicate: likewise.

    """

    name: Path
    recorded: Mapping[str, Any]
    config: Config
    results: Run | None
    digests: Mapping[str, str]
    scenario: str | None
    replicate: int | None


def is_pack(record: Path) -> bool:
    """Say whether a record is meant to be a pack: a file whose name ends in `.zip`."""
    return record.suffix.lower() == ".zip" and not record.is_dir()


@contextmanager
def past_in_folder(
    record: Path,
    config: Path | None,
    census: Path | None,
    fingerprints: Path | None,
    scope: tuple[str | None, int | None],
) -> Iterator[Past]:
    """Lend the run of a record, with its results open if they are what to compare with.

    Args:
        record: the provenance.json of a run, or the folder it is in.
        config: by default the config.yaml beside the record.
        census: by default where the configuration says.
        fingerprints: digests in place of the results beside the record.
        scope: scenario and replicate that the results must have.

    Raises:
        UsageError: the record is none, or what it needs is not there.
        EnvironmentFaultError: a later planalign wrote the record.
        InputError: the configuration has problems.
    """
    record = record / PROVENANCE if record.is_dir() else record
    recorded = read_record(record)
    path = config or record.with_name(CONFIG)
    if not path.is_file():
        raise UsageError(f"there is no {path}", "Name the configuration of the run with --config.")
    # The record of a run holds absolute paths, wherever they lead.
    within = Path("/") if config is None else None
    settings = load(path, _given(census), within=within)
    if fingerprints is not None:
        digests = _read_digests(fingerprints)
        yield Past(record, recorded, settings, None, digests, None, None)
        return
    with open_run(_results(record)) as run:
        checked(run, *scope)
        yield Past(record, recorded, settings, run, {}, *only(run))


def past_in_pack(pack: Path, folder: Path, census: Path | None) -> Past:
    """Return the run of a pack, which anybody may have made.

    Args:
        pack: what `planalign pack` has written.
        folder: where to unpack it; must not exist.
        census: by default the one in the pack.

    Raises:
        UsageError: it is no pack, or neither has it a census nor is one given.
        EnvironmentFaultError: a later planalign made it, or the run.
        InputError: the configuration has problems.
    """
    unpack(pack, folder, _largest)
    missing = [
        name for name in (PROVENANCE, CONFIG, FINGERPRINTS, PART) if not (folder / name).is_file()
    ]
    if missing:
        raise UsageError(
            f"{pack} is no pack: it has no {', '.join(missing)}",
            "Name what planalign pack has written, as it was written.",
        )
    recorded = read_record(folder / PROVENANCE, pack)
    part = _read_part(folder / PART, pack)
    # Its paths must not leave it.
    settings = load(folder / CONFIG, _given(census))
    if census is None and not settings.census.is_file():
        raise UsageError(
            f"{pack} holds no census",
            "Name the file of then with --census; its SHA-256 is "
            f"{recorded['fingerprints']['census']}.",
        )
    digests = _read_digests(folder / FINGERPRINTS)
    return Past(pack, recorded, settings, None, digests, part["scenario"], part["replicate"])


def read_record(path: Path, name: Path | None = None) -> dict[str, Any]:
    """Return format, fingerprints and versions of a run.

    Args:
        path: its provenance.json.
        name: what to call it in errors, if that is another.

    Raises:
        UsageError: it is none.
        EnvironmentFaultError: a later planalign wrote it.
    """
    content = _read_json(path, "provenance.json of a run")
    found: dict[str, Any] = {"format": format_of(name or path, content)}
    for part, keys in NEEDED.items():
        values = content.get(part)
        if not isinstance(values, dict) or not keys <= values.keys():
            raise UsageError(
                f"{name or path} is no provenance: it has not all of {part}: "
                f"{', '.join(sorted(keys))}",
                "Name the provenance.json of a run that planalign simulate has written.",
            )
        found[part] = {key: str(value) for key, value in values.items()}
    return found


def _given(census: Path | None) -> dict[str, str]:
    return {} if census is None else {"census": str(census.resolve())}


def _largest(name: str) -> int | None:
    """Return how many bytes a file of a pack may have; None if a pack has no such file."""
    if _CENSUS.fullmatch(name):
        return LARGEST_CENSUS
    is_one = name in {PROVENANCE, CONFIG, FINGERPRINTS, PART}
    return (
        LARGEST if is_one or name.startswith((f"{MODELS}/", f"{PROJECT}/", f"{TABLES}/")) else None
    )


def _read_part(path: Path, pack: Path) -> dict[str, Any]:
    """Return which scenario and replicate the run of a pack has, if it has but one of them."""
    content = _read_json(path, "pack of a run")
    version, scenario, replicate = (content.get(key) for key in ("pack", "scenario", "replicate"))
    if isinstance(version, int) and version > PACK_FORMAT:
        raise EnvironmentFaultError(
            f"{pack} is a pack of format {version}, and planalign {__version__} reads formats up "
            f"to {PACK_FORMAT}",
            "Read it with the planalign that wrote it, or a later one.",
        )
    is_whole = replicate is None or type(replicate) is int
    if version != PACK_FORMAT or not isinstance(scenario, str | None) or not is_whole:
        raise UsageError(
            f"{pack} is no pack: its {PART} does not say which run it is of",
            "Name what planalign pack has written, as it was written.",
        )
    return {"scenario": scenario, "replicate": replicate}


def _read_digests(path: Path) -> dict[str, str]:
    content = _read_json(path, "output of planalign fingerprint --json")
    if "all" not in content or not all(isinstance(value, str) for value in content.values()):
        raise UsageError(
            f"{path} has no digest by mart", "Name what planalign fingerprint --json has printed."
        )
    return content


def _read_json(path: Path, what: str) -> dict[str, Any]:
    try:
        return read_object(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror})", f"Name the {what}."
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON object ({error})", f"Name the {what}.") from error


def _results(record: Path) -> Path:
    if not record.with_name(DATABASE).is_file():
        raise UsageError(
            f"there is no {DATABASE} beside {record} to compare with",
            "Name with --fingerprints what planalign fingerprint --json has printed of the run.",
        )
    return record.parent

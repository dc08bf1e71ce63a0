"""Prove that this installation gives a run of the past again, bit by bit."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.config import load
from planalign.errors import InterruptedRunError, UsageError
from planalign.files import read_object
from planalign.results import open_run
from planalign.results.database import DATABASE
from planalign.results.fingerprint import fingerprint
from planalign.results.scope import checked, present
from planalign.results.verify import Comparison, MartDifference, verify
from planalign.run_format import format_of
from planalign.scratch import scratch
from planalign.study import Request, provenance_of, run_study

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planalign.config import Config
    from planalign.record.telemetry import Listener
    from planalign.results import Run

_NEEDED = {
    "fingerprints": {"configuration", "census", "models", "reference_tables"},
    "versions": {"planalign", "dbt-core", "dbt-duckdb", "duckdb"},
}


@dataclass(frozen=True)
class Change:
    """What a result rests on, and is not as it was recorded; None where a side lacks it.

    `what` is a key of provenance.json, such as `versions.duckdb`.
    """

    what: str
    recorded: str | None
    found: str | None


@dataclass(frozen=True)
class Reproduction:
    """A run of the past (A) beside what this installation makes of its inputs (B)."""

    comparison: Comparison
    changes: tuple[Change, ...]

    @property
    def identical(self) -> bool:
        """Say whether the bits are the same, whatever else has changed."""
        return self.comparison.identical

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as the object that `--json` prints."""
        return {
            **self.comparison.as_dict(),
            "changes": [
                {"what": one.what, "recorded": one.recorded, "found": one.found}
                for one in self.changes
            ],
        }


def reproduce(
    record: Path,
    *,
    config: Path | None = None,
    census: Path | None = None,
    fingerprints: Path | None = None,
    scenario: str | None = None,
    replicate: int | None = None,
    listener: Listener | None = None,
) -> Reproduction:
    """Simulate a study again from its provenance.json and compare the results.

    Into a scratch folder, which is removed, without the cache of years. A changed
    census is refused, because the study is another one with it. Everything else
    may have changed: the results say whether that matters.

    Args:
        record: the provenance.json of a run, or the folder it is in.
        config: by default the config.yaml beside the record.
        census: by default where the configuration says.
        fingerprints: what `planalign fingerprint --json` printed of the run, in
            place of the results beside the record.
        scenario: only this scenario; by default those that the run has.
        replicate: only this replicate; by default those that the run has.
        listener: is told how the simulation goes.

    Raises:
        UsageError: the record is none, or what it needs is not there or another.
        EnvironmentFaultError: a later planalign wrote the record.
        InputError: configuration or census have problems.
        InterruptedRunError: the user stopped it.
    """
    record = record / "provenance.json" if record.is_dir() else record
    recorded = _read_record(record)
    settings = _configuration(record, config, census)
    with ExitStack() as stack:
        before = digests = None
        if fingerprints is None:
            before = stack.enter_context(open_run(_results(record)))
            checked(before, scenario, replicate)
        else:
            digests = _read_digests(fingerprints)
        of_run = (None, None) if before is None else _only(before)
        folder = stack.enter_context(scratch("verify"))
        whole = Request(settings, folder / "again", scenario=of_run[0], replicate=of_run[1])
        request = replace(
            whole,
            scenario=scenario or whole.scenario,
            replicate=whole.replicate if replicate is None else replicate,
        )
        # The record may be of all trajectories, or of no more than those asked for.
        changes = min((_changes(recorded, provenance_of(one)) for one in (whole, request)), key=len)
        _require_census(changes, record, settings)
        try:
            done = run_study(request, listener)
        except InterruptedRunError as error:
            raise InterruptedRunError("stopped; nothing is verified") from error
        again = stack.enter_context(open_run(done.path))
        if before is None:
            comparison = _by_digest(digests or {}, fingerprint(again, scenario, replicate))
        else:
            comparison = verify(before, again, scenario, replicate)
    return Reproduction(comparison, changes)


def _read_record(path: Path) -> dict[str, Any]:
    content = _read_json(path, "provenance.json of a run")
    found: dict[str, Any] = {"format": format_of(path, content)}
    for part, keys in _NEEDED.items():
        values = content.get(part)
        if not isinstance(values, dict) or not keys <= values.keys():
            raise UsageError(
                f"{path} is no provenance: it has not all of {part}: {', '.join(sorted(keys))}",
                "Name the provenance.json of a run that planalign simulate has written.",
            )
        found[part] = {key: str(value) for key, value in values.items()}
    return found


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


def _configuration(record: Path, config: Path | None, census: Path | None) -> Config:
    path = config or record.with_name("config.yaml")
    if not path.is_file():
        raise UsageError(f"there is no {path}", "Name the configuration of the run with --config.")
    overrides = {} if census is None else {"census": str(census.resolve())}
    # The record of a run holds absolute paths, wherever they lead.
    return load(path, overrides, within=Path("/") if config is None else None)


def _results(record: Path) -> Path:
    if not record.with_name(DATABASE).is_file():
        raise UsageError(
            f"there is no {DATABASE} beside {record} to compare with",
            "Name with --fingerprints what planalign fingerprint --json has printed of the run.",
        )
    return record.parent


def _only(run: Run) -> tuple[str | None, int | None]:
    """Return the scenario and the replicate of a run that has but one of them."""
    pairs = present(run)
    scenarios = {scenario for scenario, _ in pairs}
    replicates = {replicate for _, replicate in pairs}
    return (
        scenarios.pop() if len(scenarios) == 1 else None,
        replicates.pop() if len(replicates) == 1 else None,
    )


def _changes(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Change, ...]:
    formats = str(recorded["format"]), str(found["format"])
    return (
        *([Change("format", *formats)] if formats[0] != formats[1] else []),
        *(
            Change(f"{part}.{key}", recorded[part].get(key), found[part].get(key))
            for part in _NEEDED
            for key in {**recorded[part], **found[part]}
            if recorded[part].get(key) != found[part].get(key)
        ),
    )


def _require_census(changes: tuple[Change, ...], record: Path, config: Config) -> None:
    if any(change.what == "fingerprints.census" for change in changes):
        raise UsageError(
            f"{config.census} is not the census that {record} was computed from",
            "Name the file of then with --census; not a byte of it may have changed.",
        )


def _by_digest(before: Mapping[str, str], again: Mapping[str, str]) -> Comparison:
    """Compare with results that are gone: marts can be named, rows cannot."""
    marts = sorted({*before, *again} - {"all"})
    differences = tuple(
        MartDifference(
            mart, only_in="a" if mart not in again else "b" if mart not in before else None
        )
        for mart in marts
        if before.get(mart) != again.get(mart)
    )
    return Comparison(dict(before), dict(again), differences)

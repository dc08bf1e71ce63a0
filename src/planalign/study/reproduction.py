"""Prove that this installation gives a run of the past again, bit by bit."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planalign.errors import InterruptedRunError, UsageError
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.results.verify import Comparison, MartDifference, verify
from planalign.scratch import scratch
from planalign.study.past import NEEDED, Past, is_pack, past_in_folder, past_in_pack
from planalign.study.request import Request, provenance_of
from planalign.study.run import run_study

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planalign.record.telemetry import Listener


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
        record: the provenance.json of a run, or the folder it is in; or a pack, which has its
            own configuration and digests, and is verified whole.
        config: by default the config.yaml beside the record.
        census: by default where the configuration says, or the one in the pack.
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
    with ExitStack() as stack:
        folder = stack.enter_context(scratch("verify"))
        if is_pack(record):
            _require_nothing_beside(record, config, fingerprints, scenario, replicate)
            past = past_in_pack(record, folder / "pack", census)
        else:
            past = stack.enter_context(
                past_in_folder(record, config, census, fingerprints, (scenario, replicate))
            )
        whole = Request(
            past.config, folder / "again", scenario=past.scenario, replicate=past.replicate
        )
        request = replace(
            whole,
            scenario=scenario or whole.scenario,
            replicate=whole.replicate if replicate is None else replicate,
        )
        # The record may be of all trajectories, or of no more than those asked for.
        changes = min(
            (_changes(past.recorded, provenance_of(one)) for one in (whole, request)), key=len
        )
        _require_census(changes, past)
        try:
            done = run_study(request, listener)
        except InterruptedRunError as error:
            raise InterruptedRunError("stopped; nothing is verified") from error
        again = stack.enter_context(open_run(done.path))
        if past.results is None:
            comparison = _by_digest(past.digests, fingerprint(again, scenario, replicate))
        else:
            comparison = verify(past.results, again, scenario, replicate)
    return Reproduction(comparison, changes)


def _require_nothing_beside(pack: Path, *given: object) -> None:
    if any(one is not None for one in given):
        raise UsageError(
            f"{pack} has its own configuration and digests, and is verified whole",
            "Leave out --config, --fingerprints, --scenario and --replicate.",
        )


def _changes(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Change, ...]:
    formats = str(recorded["format"]), str(found["format"])
    return (
        *([Change("format", *formats)] if formats[0] != formats[1] else []),
        *(
            Change(f"{part}.{key}", recorded[part].get(key), found[part].get(key))
            for part in NEEDED
            for key in {**recorded[part], **found[part]}
            if recorded[part].get(key) != found[part].get(key)
        ),
    )


def _require_census(changes: tuple[Change, ...], past: Past) -> None:
    if any(change.what == "fingerprints.census" for change in changes):
        raise UsageError(
            f"{past.config.census} is not the census that {past.name} was computed from",
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

"""Years from the cache: the same bits as computed ones, and never a stale or a damaged one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from planalign.census import generate_census
from planalign.config import parse
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.results import open_run
from planalign.results.verify import verify
from planalign.study import Completed, Request, run_study

if TYPE_CHECKING:
    from pathlib import Path

SIMULATION = {"start_year": 2025, "end_year": 2029, "replicates": 2}
SCENARIOS = {"baseline": {}, "growth": {"workforce": {"target_growth_rate": 0.06}}}


class Studies:
    """Runs variants of one study that share a census and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.census = folder / "census.parquet"
        generate_census(300, 5, self.census)
        self.cache = YearCache(folder / "cache", CACHE_BYTES)
        self.runs = 0

    def run(self, *, cached: bool = True, events: list[str] | None = None, **changes: Any):
        self.runs += 1
        request = changes.pop("request", {})
        config = {"census": str(self.census), "simulation": SIMULATION, "scenarios": SCENARIOS}
        listener = (lambda kind, **_: events.append(kind)) if events is not None else None
        return run_study(
            Request(
                parse({**config, **changes}, self.folder),
                self.folder / f"run{self.runs}",
                cache=self.cache if cached else None,
                **request,
            ),
            listener,
        )

    @property
    def entries(self) -> list[Path]:
        return sorted((self.folder / "cache" / "years").iterdir())


@pytest.fixture
def studies(tmp_path: Path) -> Studies:
    return Studies(tmp_path)


def hits(done: Completed) -> list[int]:
    return [result.year for result in done.years if result.is_from_cache]


def assert_same_bits(a: Completed, b: Completed, **filters: Any) -> None:
    with open_run(a.path) as left, open_run(b.path) as right:
        comparison = verify(left, right, **filters)
        assert comparison.identical, comparison.as_dict()


def test_a_study_that_differs_from_a_year_on_takes_the_years_before(studies):
    assert hits(studies.run()) == []
    change = {"compensation": {"cola_rate": {2025: 0.025, 2028: 0.05}}}
    again = studies.run(**change)
    assert hits(again) == [2025, 2026, 2027]
    assert_same_bits(again, studies.run(cached=False, **change))


def test_the_same_study_comes_from_the_cache_as_a_whole(studies):
    first, again = studies.run(), studies.run()
    assert hits(again) == [2025, 2026, 2027, 2028, 2029]
    assert_same_bits(first, again)
    with open_run(again.path) as run:
        assert run.from_cache()[0] == 5
        assert run.years == [2025, 2026, 2027, 2028, 2029]
        assert len(run.sql("from dim_scenarios").fetchall()) == 4
    assert len(studies.entries) == 1  # what came from the cache is not kept again


def test_part_of_a_study_comes_from_the_whole(studies):
    whole = studies.run()
    part = studies.run(request={"scenario": "growth", "replicate": 1})
    assert hits(part) == [2025, 2026, 2027, 2028, 2029]
    assert_same_bits(part, whole, scenario="growth", replicate=1)


def test_a_block_is_taken_whole_or_computed(studies):
    studies.run(request={"replicate": 0})
    assert hits(studies.run()) == []
    blocks = studies.run(simulation={**SIMULATION}, resources={"employees_per_block": 1})
    assert hits(blocks) == 4 * [2025, 2026, 2027, 2028, 2029]
    assert_same_bits(blocks, studies.run(cached=False))


@pytest.mark.parametrize(
    "change",
    [
        {"simulation": {**SIMULATION, "random_seed": 43}},
        {"simulation": {**SIMULATION, "start_year": 2026}},
        {"workforce": {"hiring": {"month_weights": [2] + [1] * 11}}},
        {"compensation": {"raise_cutoff": "07-01"}},
        {"compensation": {"cola_rate": {2025: 0.03, 2026: 0.025}}},
        {"census_date": "2024-12-30"},
    ],
    ids=str,
)
def test_what_can_change_a_year_is_part_of_its_name(studies, change):
    studies.run()
    assert hits(studies.run(**change)) == []


def test_another_census_is_another_study(studies):
    studies.run()
    generate_census(300, 6, studies.census)
    assert hits(studies.run()) == []


def test_threads_and_spelling_are_not_part_of_its_name(studies):
    studies.run()
    again = studies.run(
        resources={"threads": 1}, compensation={"cola_rate": {2025: 0.0250, 2027: 0.025}}
    )
    assert len(hits(again)) == 5


def damage_size(entry: Path) -> None:
    with (entry / "results.duckdb").open("ab") as file:
        file.write(b"x")


def damage_bytes(entry: Path) -> None:
    """Overwrite the middle of the file, and hide it behind the old time of change."""
    path = entry / "results.duckdb"
    status = path.stat()
    with path.open("r+b") as file:
        for offset in range(20_000, status.st_size, 4_096):
            file.seek(offset)
            file.write(b"\xff" * 64)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def damage_index(entry: Path) -> None:
    (entry / "index.json").write_text("{")


def foreign_index(entry: Path) -> None:
    (entry / "index.json").write_text(json.dumps({"format": 1, "years": []}))


def no_database(entry: Path) -> None:
    (entry / "results.duckdb").unlink()


@pytest.mark.parametrize(
    "damage", [damage_size, damage_bytes, damage_index, foreign_index, no_database]
)
def test_a_damaged_entry_is_ignored(studies, damage):
    before = studies.run(cached=False)
    studies.run()
    [entry] = studies.entries
    damage(entry)
    again = studies.run()
    assert hits(again) == []
    assert_same_bits(before, again)


def test_a_changed_run_does_not_poison_the_cache(studies):
    """The run and the cache share one file: a change of one is seen in the other."""
    first = studies.run()
    damage_size(studies.entries[0])
    assert first.path.joinpath("results.duckdb").stat().st_nlink == 2
    assert hits(studies.run()) == []


def test_the_least_recently_used_entry_makes_room(studies):
    seeds = [{"simulation": {**SIMULATION, "random_seed": seed}} for seed in (1, 2, 3)]
    size = studies.run(cached=False).path.joinpath("results.duckdb").stat().st_size
    studies.cache = YearCache(studies.folder / "cache", int(size * 2.5))
    studies.run(**seeds[0])
    studies.run(**seeds[1])
    for age, entry in enumerate(studies.entries):
        os.utime(entry / "index.json", (1_000 + age, 1_000 + age))
    assert len(hits(studies.run(**seeds[0]))) == 5  # used now
    studies.run(**seeds[2])
    assert len(studies.entries) == 2
    assert len(hits(studies.run(**seeds[0]))) == 5
    assert hits(studies.run(cached=True, **seeds[1])) == []


def test_an_entry_larger_than_the_cache_is_not_kept(studies):
    studies.cache = YearCache(studies.folder / "cache", 1_000)
    studies.run()
    assert not (studies.folder / "cache").exists()


def test_warnings_of_a_year_are_told_when_it_comes_from_the_cache(studies):
    told: list[list[str]] = [[], []]
    shrinking = {"scenarios": {"shrink": {"workforce": {"target_growth_rate": -0.9}}}}
    for events in told:
        done = studies.run(events=events, **shrinking)
    assert hits(done) == [2025, 2026, 2027, 2028, 2029]
    # Terminations alone do not reach the target in any year, of either replicate.
    assert [events.count("warning") for events in told] == [10, 10]

"""Years from the cache: the same bits as computed ones, and never a stale or a damaged one."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from planalign.census import generate_census
from planalign.config import default_levels, parse
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.marts.packaged import PACKAGED
from planalign.results import open_run
from planalign.results.verify import verify
from planalign.study import Completed, Request, run_study

if TYPE_CHECKING:
    from pathlib import Path

YEARS = [2025, 2026, 2027]
SIMULATION = {"start_year": 2025, "end_year": 2027, "replicates": 2}
SCENARIOS = {"baseline": {}, "growth": {"workforce": {"target_growth_rate": 0.06}}}


class Studies:
    """Runs variants of one study that share a census and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.census = folder / "census.parquet"
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


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Completed]:
    """A folder with a census and a cache that holds one study, and that study."""
    folder = tmp_path_factory.mktemp("kept")
    generate_census(300, 5, folder / "census.parquet")
    return folder, Studies(folder).run()


@pytest.fixture
def first(kept: tuple[Path, Completed]) -> Completed:
    """The study that the cache holds."""
    return kept[1]


@pytest.fixture
def studies(tmp_path: Path, kept: tuple[Path, Completed]) -> Studies:
    """Studies of one test, with a cache that holds `first`."""
    shutil.copytree(kept[0] / "cache", tmp_path / "cache")
    shutil.copy2(kept[0] / "census.parquet", tmp_path)
    return Studies(tmp_path)


@pytest.fixture
def fresh(tmp_path: Path, kept: tuple[Path, Completed]) -> Studies:
    """Studies of one test, with an empty cache."""
    shutil.copy2(kept[0] / "census.parquet", tmp_path)
    return Studies(tmp_path)


def hits(done: Completed) -> list[int]:
    return [result.year for result in done.years if result.is_from_cache]


def assert_same_bits(a: Completed, b: Completed, **filters: Any) -> None:
    with open_run(a.path) as left, open_run(b.path) as right:
        comparison = verify(left, right, **filters)
        assert comparison.identical, comparison.as_dict()


def test_a_study_that_differs_from_a_year_on_takes_the_years_before(studies, first):
    assert hits(first) == []
    change = {"compensation": {"cola_rate": {2025: 0, 2027: 0.05}}}
    again = studies.run(**change)
    assert hits(again) == [2025, 2026]
    assert_same_bits(again, studies.run(cached=False, **change))


def test_years_of_other_tables_or_levels_are_not_taken(studies, first):
    packaged = (PACKAGED / "seeds" / "market_bands.csv").read_text()
    (studies.folder / "bands.csv").write_text(packaged)
    # What is as it comes is the same study.
    tables = {"market_bands": "bands.csv"}
    levels = [level.model_dump() for level in default_levels()]
    for same in ({"tables": tables}, {"job_levels": levels}):
        assert hits(studies.run(**same)) == YEARS
    (studies.folder / "bands.csv").write_text(packaged.replace("38000.00", "37000.00"))
    levels[0]["band_minimum"] -= 1000
    table, key = studies.run(tables=tables), studies.run(job_levels=levels)
    # They say the same, so that the second has its years from the first.
    assert (hits(table), hits(key)) == ([], YEARS)
    assert_same_bits(table, key)
    with open_run(first.path) as left, open_run(table.path) as right:
        assert not verify(left, right).identical


def test_the_same_study_comes_from_the_cache_as_a_whole(studies, first):
    again = studies.run()
    assert hits(again) == YEARS
    assert_same_bits(first, again)
    with open_run(again.path) as run:
        assert run.from_cache()[0] == 3
        assert run.years == YEARS
        assert len(run.sql("from dim_scenarios").fetchall()) == 4
    assert len(studies.entries) == 1  # what came from the cache is not kept again


def test_part_of_a_study_comes_from_the_whole(studies, first):
    part = studies.run(request={"scenario": "growth", "replicate": 1})
    assert hits(part) == YEARS
    assert_same_bits(part, first, scenario="growth", replicate=1)


def test_a_block_is_taken_whole_or_computed(fresh, first):
    fresh.run(request={"replicate": 0})
    assert hits(fresh.run()) == []
    blocks = fresh.run(resources={"employees_per_block": 1})
    assert hits(blocks) == 4 * YEARS
    assert_same_bits(blocks, first)


@pytest.mark.parametrize(
    "change",
    [
        {"simulation": {**SIMULATION, "random_seed": 43}},
        {"simulation": {**SIMULATION, "start_year": 2026}},
        {"workforce": {"hiring": {"month_weights": [2] + [1] * 11}}},
        {"compensation": {"raise_cutoff": "07-01"}},
        {"compensation": {"cola_rate": {2025: 0.03, 2026: 0}}},
        {"census_date": "2024-12-30"},
    ],
    ids=str,
)
def test_what_can_change_a_year_is_part_of_its_name(studies, change):
    assert hits(studies.run(**change)) == []


def test_another_census_is_another_study(studies):
    generate_census(300, 6, studies.census)
    assert hits(studies.run()) == []


def test_threads_and_spelling_are_not_part_of_its_name(studies):
    again = studies.run(resources={"threads": 1}, compensation={"cola_rate": {2025: 0.0, 2027: 0}})
    assert hits(again) == YEARS


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
def test_a_damaged_entry_is_ignored(studies, first, damage):
    assert hits(studies.run()) == YEARS
    [entry] = studies.entries
    damage(entry)
    again = studies.run()
    assert hits(again) == []
    assert_same_bits(first, again)
    assert hits(studies.run()) == YEARS  # a sound entry took its place


def test_a_changed_run_does_not_poison_the_cache(fresh):
    """The run and the cache share one file: a change of one is seen in the other."""
    first = fresh.run()
    damage_size(fresh.entries[0])
    assert first.path.joinpath("results.duckdb").stat().st_nlink == 2
    assert hits(fresh.run()) == []


def test_the_least_recently_used_entry_makes_room(fresh, first):
    seeds = [{"simulation": {**SIMULATION, "random_seed": seed}} for seed in (1, 2, 3)]
    size = first.path.joinpath("results.duckdb").stat().st_size
    fresh.cache = YearCache(fresh.folder / "cache", int(size * 2.5))
    fresh.run(**seeds[0])
    fresh.run(**seeds[1])
    for age, entry in enumerate(fresh.entries):
        os.utime(entry / "index.json", (1_000 + age, 1_000 + age))
    assert len(hits(fresh.run(**seeds[0]))) == 3  # used now
    fresh.run(**seeds[2])
    assert len(fresh.entries) == 2
    assert len(hits(fresh.run(**seeds[0]))) == 3
    assert hits(fresh.run(cached=True, **seeds[1])) == []


def test_an_entry_larger_than_the_cache_is_not_kept(fresh):
    fresh.cache = YearCache(fresh.folder / "cache", 1_000)
    fresh.run()
    assert not (fresh.folder / "cache").exists()


def test_warnings_of_a_year_are_told_when_it_comes_from_the_cache(fresh):
    told: list[list[str]] = [[], []]
    shrinking = {"scenarios": {"shrink": {"workforce": {"target_growth_rate": -0.9}}}}
    for events in told:
        done = fresh.run(events=events, **shrinking)
    assert hits(done) == YEARS
    # Terminations alone do not reach the target in any year, of either replicate.
    assert [events.count("warning") for events in told] == [6, 6]

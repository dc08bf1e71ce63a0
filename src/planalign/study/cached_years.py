"""The years of a study that an earlier run has computed, and those that a later one may take."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.config import scenario_settings
from planalign.engine.year_cache import Hit, Keys, YearCache, year_keys
from planalign.interruption import is_interruption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.retry import Retry
    from planalign.engine.year_processor import YearProcessor, YearResult
    from planalign.record.telemetry import Listener
    from planalign.study.request import Request


@dataclass(frozen=True)
class CachedYears:
    """What the cache of years has of a study; nothing where there is no cache."""

    cache: YearCache | None
    tell: Listener
    keys: Keys = field(default_factory=dict)
    hits: dict[str, Hit] = field(default_factory=dict)

    @classmethod
    def found(
        cls,
        request: Request,
        asked: Sequence[Trajectory],
        record: Mapping[str, Any],
        tell: Listener,
        retry: Retry,
    ) -> CachedYears:
        """Name the state after each year, and find those that the cache has.

        Only `direct` takes years from it: the other runners compute every year.
        """
        cache, config = request.cache, request.config
        if cache is None:
            return cls(None, tell)
        fingerprints = record["fingerprints"]
        shared = json.dumps(
            [
                *(fingerprints[name] for name in ("models", "reference_tables", "census")),
                record["versions"],
                dict(config.census_columns),
                config.effective_census_date.isoformat(),
            ],
            sort_keys=True,
        )
        keys = year_keys(shared, config, scenario_settings(config), asked)
        hits: dict[str, Hit] = {}
        if request.runner == "direct":
            try:
                hits = retry.run("the cache of years", lambda: cache.find(keys.values()))
            except OSError as error:
                tell("cache_ignored", year=None, reason=str(error))
        return cls(cache, tell, keys, hits)

    def has(self, year: int, block: Sequence[Trajectory]) -> bool:
        """Say whether a year of every trajectory of a block is there."""
        return all(self.keys.get((one.scenario, one.replicate, year)) in self.hits for one in block)

    def take(
        self,
        year: int,
        block: Sequence[Trajectory],
        processor: YearProcessor,
        pipeline: Pipeline,
        database: Database,
    ) -> YearResult | None:
        """Take a year in place of computing it, unless what is there turns out to be damaged."""
        cache = self.cache
        if cache is None or not self.has(year, block):
            return None
        found = {
            (one.scenario, one.replicate): self.hits[self.keys[one.scenario, one.replicate, year]]
            for one in block
        }

        def copy(cursor: duckdb.DuckDBPyConnection) -> None:
            database.retry.run(
                f"the cache of {year}", lambda: cache.copy_year(cursor, pipeline, year, found)
            )

        try:
            result = processor.adopt_year(year, copy)
        except duckdb.Error as error:
            if is_interruption(error):
                raise
            self.hits.clear()
            self.tell("cache_ignored", year=year, reason=str(error))
            return None
        self.tell(
            "year_from_cache",
            year=year,
            trajectories=len(block),
            seconds=round(result.seconds, 6),
            saved_seconds=round(sum(hit.seconds for hit in found.values()) - result.seconds, 6),
        )
        return result

    def keep(self, path: Path, years: Sequence[YearResult], retry: Retry) -> None:
        """Let the cache remember the published run, unless all of it came from there.

        Whoever listens is told of a fault, for the run's own record is closed.
        """
        cache = self.cache
        if cache is None or all(result.is_from_cache for result in years):
            return
        trajectories = len({(scenario, replicate) for scenario, replicate, _ in self.keys})
        seconds = {result.year: result.seconds for result in years if not result.is_from_cache}
        kept = {
            key: seconds.get(year, 0.0) / trajectories for (_, _, year), key in self.keys.items()
        }
        try:
            retry.run("the cache of years", lambda: cache.keep(path, kept))
        except OSError as error:
            retry.tell("warning", message=f"the cache of years does not keep {path} ({error})")

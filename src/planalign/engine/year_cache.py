"""Years that an earlier run has computed, named by the fingerprint of all that made them.

An entry is a published run's database, kept by hard link where the file system
allows and by copy where not: a finished run is never written again, so that
keeping it costs nothing. A database that was changed all the same (its size or
its time of change says so, and DuckDB's block checksums) is ignored.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.duck import literal
from planalign.engine.database import FILE_NAME
from planalign.engine.faults import Fault, fault_of
from planalign.engine.inputs import yearly_parameters
from planalign.files import make_folder, protect, require_path
from planalign.interruption import is_interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from planalign.config import Config, ScenarioSettings
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline

# What the cache of years may occupy, unless its owner says otherwise.
CACHE_BYTES = 4 * 2**30

_INDEX = "index.json"
# What an entry is called before it is whole, with the process that makes it.
_NEW = ".new-"
_FORMAT = 1

# The state after a year, per trajectory: (scenario, replicate, year) -> key.
Keys = dict[tuple[str, int, int], str]


@dataclass(frozen=True)
class Hit:
    """Where a trajectory's year is: a database, and the seconds that it took there."""

    entry: Path
    seconds: float


def year_keys(
    base: str,
    config: Config,
    settings: Mapping[str, ScenarioSettings],
    asked: Sequence[Trajectory],
) -> Keys:
    """Return the fingerprint of the state after each year of each trajectory.

    A chain: the key of a year covers the year before it, so that two studies
    share the years up to the first in which a parameter differs.

    Args:
        base: fingerprint of what all trajectories share: models, reference
            tables, census, versions.
        config: gives the years.
        settings: of each scenario.
        asked: the trajectories.
    """
    years = config.simulation.years
    parameters = {
        name: yearly_parameters(name, settings[name], years)
        for name in {trajectory.scenario for trajectory in asked}
    }
    keys: Keys = {}
    for trajectory in asked:
        constant, by_year = parameters[trajectory.scenario]
        key = _digest(base, str(years[0]), constant, str(trajectory.random_seed))
        for year in years:
            key = _digest(key, by_year[year], str(trajectory.replicate))
            keys[trajectory.scenario, trajectory.replicate, year] = key
    return keys


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:32]


class YearCache:
    """A folder of entries, the least recently used of which make room for new ones.

    Its methods raise what may be gone in a moment, for the caller to try again;
    an entry that is missing or damaged is passed over.
    """

    def __init__(
        self,
        folder: Path,
        limit_bytes: int,
        link: Callable[[Path, Path], None] = os.link,
        read_text: Callable[[Path], str] = Path.read_text,
    ) -> None:
        require_path(folder, without="\\")
        self._folder = folder / "years"
        self._limit = limit_bytes
        self._link = link
        self._read_text = read_text

    def find(self, keys: Iterable[str]) -> dict[str, Hit]:
        """Return where each of `keys` is, for those that are there and undamaged."""
        self._clear_leftovers()
        wanted = set(keys)
        found: dict[str, Hit] = {}
        for entry in self._entries():
            index = self._read_index(entry)
            if index is None:
                continue
            for key, seconds in index["years"].items():
                if key in wanted and key not in found:
                    found[key] = Hit(entry, seconds)
        return found

    def copy_year(
        self,
        cursor: duckdb.DuckDBPyConnection,
        pipeline: Pipeline,
        year: int,
        hits: Mapping[tuple[str, int], Hit],
    ) -> None:
        """Copy a year of the trajectories into the run's database, whole or not at all.

        Args:
            cursor: on the run's database.
            pipeline: names the facts and their columns.
            year: the year.
            hits: where each (scenario, replicate) has it.

        Raises:
            duckdb.Error: an entry cannot be read, or is damaged, and removed then;
                nothing was copied.
        """
        by_entry: dict[Path, list[tuple[str, int]]] = {}
        for trajectory, hit in hits.items():
            by_entry.setdefault(hit.entry, []).append(trajectory)
        copied: set[str] = set()  # scenarios whose shared rows are there
        attached: list[str] = []
        try:
            for number, entry in enumerate(by_entry):
                path = literal(entry / FILE_NAME)
                with self._forgotten_if_damaged(entry):
                    cursor.execute(f"attach {path} as cached_{number} (type duckdb, read_only)")
                attached.append(f"cached_{number}")
            cursor.begin()
            try:
                # As a computed year does: an earlier block may have left the rows that
                # its scenario shares, and a stopped run a part of the year.
                for fact in pipeline.yearly_facts:
                    cursor.execute(fact.delete_statement())
                for alias, (entry, trajectories) in zip(attached, by_entry.items(), strict=True):
                    with self._forgotten_if_damaged(entry):
                        self._copy(
                            cursor,
                            pipeline,
                            year,
                            alias=alias,
                            trajectories=trajectories,
                            copied=copied,
                        )
                cursor.commit()
            except BaseException:
                cursor.rollback()
                raise
        finally:
            for alias in attached:
                cursor.execute(f"detach {alias}")
        for entry in by_entry:
            with suppress(OSError):  # a folder of somebody else, or gone meanwhile
                os.utime(entry / _INDEX)  # used now: the last to make room

    @contextmanager
    def _forgotten_if_damaged(self, entry: Path) -> Iterator[None]:
        """Remove an entry at which the block fails, unless what failed may pass."""
        try:
            yield
        except duckdb.Error as error:
            if not is_interruption(error) and fault_of(error) is Fault.PERMANENT:
                self.forget(entry)
            raise

    def _copy(
        self,
        cursor: duckdb.DuckDBPyConnection,
        pipeline: Pipeline,
        year: int,
        *,
        alias: str,
        trajectories: Sequence[tuple[str, int]],
        copied: set[str],
    ) -> None:
        pairs = json.dumps(
            [{"s": scenario, "r": replicate} for scenario, replicate in trajectories]
        )
        new = sorted({scenario for scenario, _ in trajectories} - copied)
        copied.update(new)
        for fact in pipeline.yearly_facts:
            if not fact.has_year:
                continue
            names = ", ".join(f'"{column.name}"' for column in fact.columns)
            if fact.has_replicate:
                chosen = (
                    "(scenario_id, replicate) in (select row.s, row.r from (select unnest("
                    'from_json(?, \'[{"s":"VARCHAR","r":"INTEGER"}]\')) as row))'
                )
                value: Any = pairs
            else:
                chosen, value = "list_contains(?, scenario_id)", new
            cursor.execute(
                f"insert into {fact.relation} ({names}) select {names} "  # noqa: S608 - compiled names
                f'from {alias}.main."{fact.name}" where simulation_year = ? and {chosen}',
                [year, value],
            )
        cursor.executemany(
            "insert into run_years values (?, ?, ?)",
            [(scenario, replicate, year) for scenario, replicate in trajectories],
        )

    def keep(self, run: Path, keys: Mapping[str, float]) -> None:
        """Remember a published run under the keys of its years (key -> seconds)."""
        database = run / FILE_NAME
        size = database.stat().st_size
        if not keys or size > self._limit:
            return
        make_folder(self._folder)
        self._make_room(size)
        partial = Path(tempfile.mkdtemp(prefix=f"{_NEW}{os.getpid()}-", dir=self._folder))
        try:
            try:
                self._link(database, partial / FILE_NAME)
            except OSError as error:  # another file system, or one without links
                _raise_if_transient(error)
                shutil.copy2(database, partial / FILE_NAME)
            status = (partial / FILE_NAME).stat()
            index = {
                "format": _FORMAT,
                "size": status.st_size,
                "changed": status.st_mtime_ns,
                "years": dict(keys),
            }
            (partial / _INDEX).write_text(json.dumps(index))
            protect(partial / _INDEX)
            entry = self._folder / _digest(*sorted(keys))
            if entry.exists() and self._read_index(entry) is None:
                self.forget(entry)  # no run is served from it, and none could take its place
            partial.rename(entry)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:  # it has the same study
                raise

    def forget(self, entry: Path) -> None:
        """Remove an entry that turned out to be damaged."""
        shutil.rmtree(entry, ignore_errors=True)

    def _clear_leftovers(self) -> None:
        """Remove what processes that were killed in the middle of keeping a run left."""
        for path in self._folder.glob(f"{_NEW}*"):
            import psutil  # takes 30 ms

            process = path.name.removeprefix(_NEW).partition("-")[0]
            if not (process.isdecimal() and psutil.pid_exists(int(process))):
                self.forget(path)

    def _entries(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(
            path
            for path in self._folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )

    def _make_room(self, size: int) -> None:
        """Remove the least recently used entries until `size` more bytes fit."""
        kept: list[tuple[float, int, Path]] = []
        for entry in self._entries():
            try:
                kept.append(
                    ((entry / _INDEX).stat().st_mtime, (entry / FILE_NAME).stat().st_size, entry)
                )
            except OSError:
                self.forget(entry)
        total = size + sum(used for _, used, _ in kept)
        for _, used, entry in sorted(kept):
            if total <= self._limit:
                break
            self.forget(entry)
            total -= used

    def _read_index(self, entry: Path) -> dict[str, Any] | None:
        """Return the index of an entry, or nothing where it does not fit its database."""
        try:
            index: dict[str, Any] = json.loads(self._read_text(entry / _INDEX))
            status = (entry / FILE_NAME).stat()
            if (index["format"], index["size"], index["changed"]) != (
                _FORMAT,
                status.st_size,
                status.st_mtime_ns,
            ):
                return None
            index["years"].items()
        except OSError as error:
            _raise_if_transient(error)
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return index


def _raise_if_transient(error: OSError) -> None:
    if fault_of(error) is Fault.TRANSIENT:
        raise error

"""What a run is computed from, as its results carry it: the one row of `dim_run`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.marts.declaration import Mart

if TYPE_CHECKING:
    from collections.abc import Mapping

# Like provenance.json; no clock, so that the same study has the same row.
_RUN = (
    ("run_id", "VARCHAR", "SHA-256 of all that follows: what the same study is called each time."),
    ("format", "INTEGER", "Format of the run."),
    ("first_year", "INTEGER", "First simulated year."),
    ("last_year", "INTEGER", "Last simulated year."),
    ("trajectories", "INTEGER", "Scenarios and replicates that were run, in all."),
    ("random_seed", "BIGINT", "Seed of replicate 0; the others are in dim_scenarios."),
    ("configuration_fingerprint", "VARCHAR", "SHA-256 of the settings that may change a result."),
    ("census_fingerprint", "VARCHAR", "SHA-256 of the census file."),
    ("models_fingerprint", "VARCHAR", "SHA-256 of the compiled models."),
    ("reference_tables_fingerprint", "VARCHAR", "SHA-256 of the reference tables."),
    ("planalign_version", "VARCHAR", "Version of planalign."),
    ("dbt_core_version", "VARCHAR", "Version of dbt-core."),
    ("dbt_duckdb_version", "VARCHAR", "Version of dbt-duckdb."),
    ("duckdb_version", "VARCHAR", "Version of DuckDB."),
)
RUN = Mart(
    "dim_run",
    ("run_id",),
    ("run_id",),
    description="One row: what the run was computed from.",
    columns=tuple((name, text) for name, _, text in _RUN),
)
RUN_TYPES = {name: kind for name, kind, _ in _RUN}


@dataclass(frozen=True)
class Origin:
    """What a run is computed from, beside its provenance."""

    first_year: int
    last_year: int
    trajectories: int
    random_seed: int

    def row(self, provenance: Mapping[str, Any]) -> list[str | int]:
        """Return the row of `dim_run`.

        Args:
            provenance: format, fingerprints and versions.
        """
        fingerprints, versions = provenance["fingerprints"], provenance["versions"]
        names = ("configuration", "census", "models", "reference_tables")
        software = ("planalign", "dbt-core", "dbt-duckdb", "duckdb")
        row: list[str | int] = [
            provenance["format"],
            self.first_year,
            self.last_year,
            self.trajectories,
            self.random_seed,
            *(fingerprints[name] for name in names),
            *(versions[name] for name in software),
        ]
        return [hashlib.sha256(json.dumps(row).encode()).hexdigest(), *row]

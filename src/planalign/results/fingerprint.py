"""Fingerprint a run: two runs with equal fingerprints hold the same rows, bit by bit.

A mart's fingerprint is the SHA-256 of its column names and types, its number of
rows, and the sum of the MD5s of its rows. A sum does not depend on the order of
rows and, unlike XOR, notices a row that is there twice.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from planalign.results import database
from planalign.results.columns import row_digest
from planalign.results.scope import Scope, checked

if TYPE_CHECKING:
    from planalign.results.run import Run

# The two halves of a digest are summed apart: HUGEINT holds the sum of 2^63 of them exactly.
_SUMS = """
    count(*),
    coalesce(sum((digest >> 64)::ubigint), 0),
    coalesce(sum((digest & 18446744073709551615::uhugeint)::ubigint), 0)
"""


def fingerprint(
    run: Run, scenario: str | None = None, replicate: int | None = None
) -> dict[str, str]:
    """Fingerprint every mart of a run, and all of them together under `all`.

    Left out is `dim_run`: what a run is computed from may differ where its results do not.

    Args:
        run: an open run.
        scenario: only rows of this scenario.
        replicate: only rows of this replicate; marts without replicates
            contribute all rows of the scenario.

    Raises:
        UsageError: the run has no such scenario or replicate.

    """
    scope = checked(run, scenario, replicate)
    with database.faults(f"Cannot read {run.path}"):
        parts = {mart: _mart(run, mart, scope) for mart in run.compared}
    return {**parts, "all": _sha256(sorted(parts.items()))}


def _mart(run: Run, mart: str, scope: Scope) -> str:
    columns = run.columns(mart)
    rows = scope.select(run.relation(mart), columns)
    [sums] = rows.project(f"{row_digest(columns)} as digest").aggregate(_SUMS).fetchall()
    return _sha256([[(column.name, column.type) for column in columns], sums])


def _sha256(content: object) -> str:
    return sha256(json.dumps(content).encode()).hexdigest()

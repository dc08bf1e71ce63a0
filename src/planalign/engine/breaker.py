"""Do less at once when memory runs short; no result depends on it.

A breaker in steps: one model at a time, then one thread, and in the study's hand
smaller blocks. It does not close again within a run: the years that follow are
as large as the one that met the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planalign.engine.database import Database, Settings
    from planalign.record.telemetry import Listener

# Of the memory limit. Blocks are sized for 0.83 of it.
NEAR = 0.95
# Python, DuckDB and the compiled project, which the limit is not about: a process
# has 90 MB before the first statement, and 150 MB behind a small study.
BESIDE_THE_LIMIT = 150_000_000
# What DuckDB keeps of files because there is room, and drops when there is not.
_DROPPABLE = "('BASE_TABLE', 'EXTERNAL_FILE_CACHE', 'OBJECT_CACHE')"


def lighten(database: Database, reason: str, since: Settings) -> bool:
    """Let a run do less at once; say whether there was anything left to give up.

    Args:
        database: of the run; its settings are changed.
        reason: what ran short.
        since: the settings under which it did. Where they have changed meanwhile,
            what was given up for another model is tried first.
    """
    if database.settings is not since:
        return True
    lighter = since.lighter()
    if lighter is None:
        return False
    database.use(lighter)
    doing = "one model at a time" if lighter.threads == since.threads else "one thread"
    trip(database.tell, reason, f"goes on with {doing}", threads=lighter.threads)
    return True


def trip(tell: Listener, reason: str, action: str, **now: int) -> None:
    """Tell that memory ran short and what the run does about it."""
    tell("breaker_tripped", reason=reason, action=action, **now)
    tell("warning", message=f"{reason}; the run {action}. The result is the same.")


def pressure(database: Database, limit_bytes: int) -> str | None:
    """Return what to say where the process's memory is near the limit, or nothing.

    What the process has beside the limit does not count, nor pages of the run's file
    that DuckDB may drop at any time: a long run fills the limit with them.
    """
    near = NEAR * limit_bytes
    resident = database.machine.resident_bytes()
    if resident - BESIDE_THE_LIMIT < near:
        return None
    with database.cursor() as cursor:
        found = cursor.execute(
            "select coalesce(sum(memory_usage_bytes), 0)::bigint from duckdb_memory() "  # noqa: S608 - constants
            f"where tag in {_DROPPABLE}"
        ).fetchone()
    needed = resident - BESIDE_THE_LIMIT - (found[0] if found else 0)
    if needed < near:
        return None
    return (
        f"the run needs {needed / 1e6:,.0f} MB, "
        f"near the memory limit of {limit_bytes / 1e6:,.0f} MB"
    )


def relieve(database: Database, limit_bytes: int) -> str | None:
    """Do less at once under pressure; return it where nothing is left to give up here."""
    reason = pressure(database, limit_bytes)
    if reason is None or lighten(database, reason, database.settings):
        return None
    return reason

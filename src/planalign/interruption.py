"""Ctrl-C, in the forms that DuckDB gives it."""

from __future__ import annotations

import duckdb


def is_interruption(error: BaseException) -> bool:
    """Say whether an error is the user's Ctrl-C.

    In a statement DuckDB 1.5 raises its InterruptException; 2.0 a RuntimeError,
    "Query interrupted", which names the KeyboardInterrupt as its cause or not.
    """
    return (
        isinstance(error, KeyboardInterrupt | duckdb.InterruptException)
        or isinstance(error.__cause__, KeyboardInterrupt)
        or (isinstance(error, RuntimeError) and str(error) == "Query interrupted")
    )

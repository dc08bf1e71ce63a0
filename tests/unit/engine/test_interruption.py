"""Ctrl-C is told from failures, whichever DuckDB reports it."""

from __future__ import annotations

import duckdb
import pytest

from planalign.interruption import is_interruption


def caused_by(cause: BaseException) -> RuntimeError:
    error = RuntimeError("x")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), True),
        (duckdb.InterruptException("Interrupted!"), True),
        (caused_by(KeyboardInterrupt()), True),
        (RuntimeError("Query interrupted"), True),
        (RuntimeError("something else"), False),
        (caused_by(ValueError()), False),
        (duckdb.IOException("disk"), False),
        (ValueError("Query interrupted"), False),
    ],
)
def test_interruptions(error, expected):
    assert is_interruption(error) is expected

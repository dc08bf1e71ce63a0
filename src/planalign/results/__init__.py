"""Finished runs: open one, fingerprint it, compare two, follow an employee, export."""

from planalign.marts.summary import YearSummary
from planalign.results.run import Run, open_run

__all__ = ["Run", "YearSummary", "open_run"]

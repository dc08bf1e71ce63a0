"""Finished runs: open one, fingerprint it, compare two, follow an employee, export."""

from planalign.results.run import Run, open_run
from planalign.results.summary import YearSummary

__all__ = ["Run", "YearSummary", "open_run"]

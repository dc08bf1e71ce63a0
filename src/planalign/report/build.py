"""Read a run, finished or not, and write its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.errors import EnvironmentFaultError, UsageError
from planalign.profile.analysis import analyse
from planalign.record.reading import folder_of, read_record
from planalign.report.page import page

if TYPE_CHECKING:
    from pathlib import Path

    from planalign.charts import Results


def report_of(run: Path) -> str:
    """Return the page of a run: its folder, or that of an unfinished one.

    Raises:
        InputError: there is no record, or it is damaged.
        EnvironmentFaultError: the run is finished, and its results cannot be read.
    """
    from planalign.profile.findings import find  # noqa: PLC0415 - reads all plans

    folder = folder_of(run)
    record = read_record(folder)
    analysis = analyse(record)
    results, reason = _results(folder)
    return page(
        record,
        analysis,
        find(record, analysis),
        results,
        name=folder.resolve().name,
        without_results=reason,
    )


def write_report(run: Path, output: Path) -> None:
    """Write the page of a run.

    Raises:
        InputError: there is no record, or it is damaged.
        UsageError: the output is there already, or its folder is not.
        EnvironmentFaultError: it cannot be written, or the results of a finished run
            cannot be read.
    """
    if output.exists():
        raise UsageError(f"{output} exists", "Name a file that is not there yet.")
    if not output.parent.is_dir():
        raise UsageError(f"There is no folder {output.parent}", "Make it, or name another.")
    content = report_of(run)
    try:
        with output.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except OSError as error:
        raise EnvironmentFaultError(
            f"{output} cannot be written ({error.strerror})", "Name another file."
        ) from error


def _results(folder: Path) -> tuple[Results | None, str]:
    """Return the results of a run, or why it has none; of one that is damaged none are told."""
    from planalign.charts import read_results  # noqa: PLC0415 - plotly is slow to import
    from planalign.results import open_run  # noqa: PLC0415 - and so is duckdb

    try:
        with open_run(folder) as run:
            return read_results(run), ""
    except UsageError as error:
        return None, f"{error.what}."

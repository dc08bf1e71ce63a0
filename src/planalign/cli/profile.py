"""`planalign profile`: where the time and memory of a run went."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit_json
from planalign.errors import UsageError

if TYPE_CHECKING:
    from planalign.record.record import Record


def profile(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, finished or not.")],
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="OTHER", help="Tell what changed since another run."),
    ] = None,
    fmt: Annotated[
        Literal["speedscope", "chrome"] | None,
        typer.Option("--format", help="Write a file for this viewer; needs --output."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="F", help="File to write; must not exist."),
    ] = None,
    json: Json = False,
) -> None:
    """Print where the time and memory of a run went.

    Six figures, steps, models, memory against the budget of 4 GB, dbt's own
    times beside ours, a timeline per thread, warnings and faults. Reads
    events.jsonl only, so that it works while the run goes on, and for one that
    failed. A run is found under its name too while it is named NAME.partial.

    --compare sets the run against an earlier one: models by year, a change only
    where it is more than noise. --format writes the timeline for
    speedscope.app, or for chrome://tracing and ui.perfetto.dev.

    Keys of --json: run, runner, outcome (null while it goes on or where it was
    killed), error, sessions, wall_seconds, critical_path_seconds, longest_model
    (name, total, longest), concurrency, cache_hit_rate, busy_seconds,
    overhead_seconds, cpu_seconds, cores_busy, memory, seconds_by_step,
    seconds_by_year, models, critical_path, gaps, dbt_seconds, notes,
    comparison (with --compare).
    """
    from planalign.profile.analysis import analyse  # noqa: PLC0415 - not for --help
    from planalign.profile.compare import compare as compare_records  # noqa: PLC0415
    from planalign.profile.document import comparison_document, document  # noqa: PLC0415

    if (fmt is None) != (output is None):
        raise UsageError("--format and --output belong together", "Give both, or neither.")
    if fmt is not None and compare is not None:
        raise UsageError("--format writes one run", "Leave --compare out.")
    record = _read(run)
    if fmt is not None and output is not None:
        _write(record, run.name, fmt, output)
        console.say(f"Wrote {output}")
        return
    analysis = analyse(record)
    other = None if compare is None else compare_records(_read(compare), record)
    if json:
        found = document(str(run), record, analysis)
        if other is not None:
            found["comparison"] = comparison_document(str(compare), other)
        emit_json(found)
        return
    from planalign.cli.profile_tables import print_comparison, print_profile  # noqa: PLC0415

    if other is None:
        print_profile(record, analysis)
    else:
        print_comparison(other, str(compare), str(run))


def _read(run: Path) -> "Record":
    """Read the record of a run, or of what is there of it yet."""
    from planalign.record.reading import folder_of, read_record  # noqa: PLC0415

    return read_record(folder_of(run))


def _write(record: "Record", name: str, fmt: str, output: Path) -> None:
    from planalign.profile.export import chrome_trace, speedscope  # noqa: PLC0415

    content = (speedscope if fmt == "speedscope" else chrome_trace)(record, name)
    try:
        with output.open("x", encoding="utf-8") as file:
            json_format.dump(content, file)
    except FileExistsError as error:
        raise UsageError(f"{output} exists", "Name another file.") from error
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise UsageError(
            f"{output} cannot be written ({error.strerror})", "Name another file."
        ) from error

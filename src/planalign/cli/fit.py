"""`planalign fit`: assumptions from the censuses of past years."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_item, emit_json
from planalign.errors import UsageError

if TYPE_CHECKING:
    from planalign.config import Config
    from planalign.experience.estimates import Cell
    from planalign.experience.fitting import Fit

Censuses = Annotated[
    list[Path], typer.Argument(metavar="CENSUS...", help="Two to ten yearly censuses.")
]
AsOf = Annotated[
    list[str] | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Census date of each file, in their order; by default their names tell.",
    ),
]
BeginWith = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="F", help="planalign.yaml with the plan and the values in force."
    ),
]
Page = Annotated[
    Path | None, typer.Option("--page", metavar="F.html", help="Also write it as a page.")
]


def fit(
    censuses: Censuses,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Study folder to make.")
    ] = None,
    as_of: AsOf = None,
    config: BeginWith = None,
    page: Page = None,
    json: Json = False,
) -> None:
    """Fit assumptions to the censuses of past years, and write them as a study.

    Own experience counts as far as its number bears it, and the values in force count
    for the rest. Keys of --json: censuses, years, ambiguities, confidence, parameters,
    cells, tables, kept, notes, outputs.
    """
    from planalign.experience.fitting import fit as fit_censuses  # noqa: PLC0415 - slow to import
    from planalign.experience.page import experience_page  # noqa: PLC0415
    from planalign.experience.study_folder import refuse_existing, write_study  # noqa: PLC0415

    for path in (output, page):
        if path is not None:
            refuse_existing(path)
    given, settings = begun_with(config, censuses)
    found = fit_censuses(censuses, settings, days(as_of))
    outputs = write_study(found, given, output) if output is not None else []
    if page is not None:
        page.write_text(experience_page(found), encoding="utf-8")
        outputs.append(page)
    if json:
        emit_json({**found.as_dict(), "outputs": [str(path) for path in outputs]})
        return
    _print(found)
    for path in outputs:
        console.say(f"Wrote {path}")
    if output is not None:
        console.say(f"Next: planalign simulate --config {output / 'planalign.yaml'}")


def begun_with(config: Path | None, censuses: list[Path]) -> tuple[dict[Any, Any], "Config"]:
    """Return the data of a configuration and the configuration; defaults if there is none."""
    from planalign.config import load, parse  # noqa: PLC0415 - slow to import
    from planalign.config.document import read_document  # noqa: PLC0415

    if config is None:
        return {}, parse({"census": str(censuses[-1])}, Path.cwd())
    return dict(read_document(config).data), load(config)


def days(given: list[str] | None) -> list[date]:
    """Return the days of --as-of."""
    found = []
    for text in given or []:
        try:
            found.append(date.fromisoformat(text))
        except ValueError as error:
            raise UsageError(f"--as-of {text!r} is no day", "Write it as yyyy-mm-dd.") from error
    return found


def _print(found: "Fit") -> None:
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich is slow to import

    for one in found.censuses:
        assumed = ", December 31 assumed" if one.told_by.startswith("year") else ""
        emit(f"{one.path.name}: {one.active:,} employed on {one.day}{assumed}")
    print_table(
        ["Year", "Opening", "Left", "Hired", "Hired and left", "Came back", "Closing"],
        [
            [
                str(row["year"]),
                f"{row['opening_headcount']:,}" if row["counts"] else "-",
                f"{row['leavers']:,}" if row["counts"] else "-",
                f"{row['hires']:,}",
                f"{row['hires_left']:,}" if row["counts"] else "-",
                f"{row['came_back']:,}",
                f"{row['closing_headcount']:,}",
            ]
            for row in found.movement
        ],
        left=("Year",),
    )
    print_table(
        [
            "Assumption",
            "Value",
            "Own",
            "In force",
            "Credibility",
            "Seen on",
            "Events",
            "90 % interval",
        ],
        [
            [
                one.key,
                _figure(one.value),
                _figure(one.blend.own),
                _figure(one.blend.prior),
                f"{one.blend.credibility:.2f}",
                f"{one.exposure:,.0f}",
                "-" if one.events is None else f"{one.events:,.0f}",
                "-"
                if one.blend.low is None
                else f"{_figure(one.blend.low)} to {_figure(one.blend.high)}",
            ]
            for one in found.estimates
        ],
        left=("Assumption",),
    )
    print_table(
        [
            "Event",
            "By",
            "Class",
            "Person-years",
            "Actual",
            "Expected",
            "A/E",
            "Credibility",
            "Used",
        ],
        [_cell(one) for one in found.cells if one.dimension != "age_and_tenure"],
        left=("Event", "By", "Class"),
    )
    unclear = {name: count for name, count in vars(found.ambiguities).items() if count}
    if unclear:
        emit("Unclear in the files:")
        for name, count in unclear.items():
            emit_item(f"{name.replace('_', ' ')}: {count:,}")
    emit("Not told by the files, as it was:")
    for key, why in found.untold.items():
        emit_item(f"{key}: {why}")
    for note in found.notes:
        emit(note)


def _cell(one: "Cell") -> list[str]:
    ratio = one.actual_to_expected
    blend = one.blend
    return [
        one.assumption,
        one.dimension,
        one.cell,
        f"{one.exposure:,.0f}",
        _figure(one.events),
        _figure(one.expected),
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if blend is None else f"{blend.credibility:.2f}",
        "-" if blend is None else _figure(blend.blended),
    ]


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"

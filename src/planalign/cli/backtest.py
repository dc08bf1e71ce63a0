"""`planalign backtest`: the last years simulated from before them, beside what happened."""

from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.fit import AsOf, BeginWith, Censuses, Page, begun_with, days
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_item, emit_json

if TYPE_CHECKING:
    from planalign.experience.backtest import Backtest


def backtest(
    censuses: Censuses,
    holdout: Annotated[
        int, typer.Option("--holdout", min=1, metavar="N", help="Years that are not looked at.")
    ] = 1,
    seeds: Annotated[
        int, typer.Option("--seeds", min=10, max=10_000, metavar="K", help="How many simulations.")
    ] = 100,
    as_of: AsOf = None,
    config: BeginWith = None,
    page: Page = None,
    json: Json = False,
) -> None:
    """Fit without the last years, simulate them, and compare with what happened.

    The range of each figure, P10 to P90, has luck and what the fit does not know.

    Keys of --json: fitted_to, held_out, seeds, nominal, compared, inside, comparisons,
    unavailable, parameters, notes, outputs.
    """
    from planalign.experience.backtest import backtest as run  # noqa: PLC0415 - slow to import
    from planalign.experience.page import backtest_page  # noqa: PLC0415
    from planalign.experience.study_folder import refuse_existing  # noqa: PLC0415

    if page is not None:
        refuse_existing(page)
    given, settings = begun_with(config, censuses)
    console.say(
        f"Fitting without the last {holdout} of {len(censuses)}, and simulating {seeds} times."
    )
    tested = run(censuses, settings, given, holdout=holdout, seeds=seeds, days=days(as_of))
    outputs = []
    if page is not None:
        page.write_text(backtest_page(tested), encoding="utf-8")
        outputs.append(page)
    if json:
        emit_json({**tested.as_dict(), "outputs": [str(path) for path in outputs]})
        return
    _print(tested)
    for path in outputs:
        console.say(f"Wrote {path}")


def _print(tested: "Backtest") -> None:
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich is slow to import

    print_table(
        ["Year", "Measure", "Class", "Actual", "P10", "P50", "P90", "Error", ""],
        [
            [
                str(one.year),
                one.measure,
                one.group,
                *(_figure(value) for value in (one.actual, one.low, one.middle, one.high)),
                _figure(one.error),
                "inside" if one.is_inside else "outside",
            ]
            for one in tested.comparisons
        ],
        left=("Year", "Measure", "Class", ""),
    )
    emit(
        f"{tested.inside} of {len(tested.comparisons)} within their range; of a good fit about "
        "80 % are."
    )
    for name, why in tested.unavailable.items():
        emit_item(f"{name} is not compared: {why}")
    for note in tested.fit.notes:
        emit(note)


def _figure(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1 else f"{value:,.0f}"

"""`planalign census import`: a client's files become censuses."""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_item, emit_json
from planalign.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from planalign.census.importing import Imported
    from planalign.census.importing.questions import Question


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Workbooks, CSV or other texts, Parquet."),
    ],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The day that the file describes."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="S", help="Sheet that holds the census.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="F", help="Decisions; read if there, and written."),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="KEY=VALUE", help="Answers a question; repeatable."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take proposals that are certain, no others.")
    ] = False,
    hash_ids: Annotated[
        Path | None,
        typer.Option("--hash-ids", metavar="F", help="Salt for digests in place of ids."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="F", help="planalign.yaml whose job levels are used."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="F.html", help="Page to send to the client.")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Census to write, .parquet.")] = Path(
        "census.parquet"
    ),
    json: Json = False,
) -> None:
    """Make a census of a client's files: workbooks, texts, of one or several years.

    Finds the table, reads the habits of each column, and asks what the files leave
    open; without a terminal it exits with 2 and lists every open question. Several
    files of several years become one census each, with the year in its name. Beside
    the census go a journal of what was done and, unless --recipe names one, the
    decisions as .import.yaml, to be used for the next year's files.

    Keys of --json: ok; rows_in; people; dropped, a number by reason; mapping, what
    each header became; questions, each with key, about, columns, choices, proposal
    and certain; assumed, those that --yes took; totals of the latest file;
    recipe_changes; outputs, the censuses that were written; files, the same for each
    file with sheet, as_of, format, reasons, readings, file_totals and
    against_the_year_before.
    """
    if output.suffix != ".parquet":
        raise UsageError(f"{output} does not end in .parquet", "A census is written as Parquet.")
    imported = settled(
        files,
        sheet=sheet,
        as_of=as_of,
        answers=answer or [],
        recipe=recipe,
        takes_certain=yes,
        hash_ids=hash_ids,
        config=config,
        asks=not json,
    )
    _report(imported, page, output, recipe, json=json)


def settled(
    files: Sequence[Path],
    *,
    as_of: str | None = None,
    sheet: str | None = None,
    answers: Sequence[str] = (),
    recipe: Path | None = None,
    takes_certain: bool = False,
    hash_ids: Path | None = None,
    config: Path | None = None,
    asks: bool = True,
) -> "Imported":
    """Import files, asking on a terminal until nothing is open; elsewhere, ask nothing."""
    from planalign.census.importing import import_once, open_sources  # noqa: PLC0415 - slow
    from planalign.census.importing.identity import salt_of  # noqa: PLC0415
    from planalign.census.importing.recipe import Recipe, read_recipe  # noqa: PLC0415
    from planalign.config import job_levels, load  # noqa: PLC0415

    given = _given(answers)
    day = _day(as_of)
    kept = read_recipe(recipe) if recipe is not None and recipe.exists() else Recipe()
    salt = None if hash_ids is None else salt_of(hash_ids)
    levels = () if config is None else job_levels(load(config, {"census": str(files[0])}))
    sources = open_sources(files, sheet)
    while True:
        imported = import_once(
            sources,
            given,
            as_of=day,
            takes_certain=takes_certain,
            salt=salt,
            recipe=kept,
            levels=levels,
        )
        if not imported.questions or not asks or not _has_terminal():
            break
        given |= {question.key: _ask(question) for question in imported.questions}
    for change in imported.changed:
        console.say(f"Recipe: {change}")
    for key in imported.answers.unused:
        if key in given:
            console.say(f"Not asked: {key}; its answer was not used.")
    return imported


def _report(
    imported: "Imported",
    page: Path | None,
    output: Path,
    recipe: Path | None,
    *,
    json: bool,
) -> None:
    from planalign.census.importing import page_of, publish  # noqa: PLC0415

    if page is not None:
        page.write_text(page_of(imported), encoding="utf-8")
    outputs = []
    if not imported.questions:
        outputs = publish(imported, output, recipe or output.with_suffix(".import.yaml"))
    if json:
        emit_json({**imported.as_dict(), "outputs": [str(path) for path in outputs]})
    else:
        print_import(imported)
        for path in outputs:
            console.say(f"Wrote {path}")
    if imported.questions:
        raise typer.Exit(ExitCode.INPUT)


def print_import(imported: "Imported") -> None:
    """Print what each file gave, and what is still open with its answer to be."""
    for file in imported.files:
        about = file.as_dict()
        left_out = ", ".join(
            f"{count:,} {reason}" for reason, count in about["dropped"].items() if count
        )
        totals = about["totals"]
        emit(
            f"{file.name}: {about['rows_in']:,} rows, {about['people']:,} people; "
            f"left out: {left_out}"
        )
        emit_item(
            f"{totals['headcount_active']:,} employed on {file.as_of}, paid "
            f"{totals['annual_pay_active']:,.2f} a year; {totals['savers_active']:,} savers"
        )
        ignored = [
            name for name, became in about["mapping"].items() if became.startswith("ignored")
        ]
        used = [
            f"{name} -> {became}"
            for name, became in about["mapping"].items()
            if name not in ignored
        ]
        emit_item(f"Columns: {', '.join(used)}")
        if ignored:
            emit_item(f"Left out and not stored: {', '.join(ignored)}")
    if imported.questions:
        emit(f"{len(imported.questions)} open questions; nothing was written:")
    for question in imported.questions:
        choices = f" One of: {', '.join(question.choices)}." if question.choices else ""
        value = question.proposal if question.proposal is not None else "..."
        emit_item(f"{question.about}{choices}")
        emit_item(f'  --answer "{question.key}={value}"')


def _ask(question: "Question") -> str:
    console.say(f"\n{question.about}")
    while True:
        choices = f" ({'/'.join(question.choices)})" if question.choices else ""
        answered: str = typer.prompt(
            f"{question.key}{choices}", default=question.proposal, err=True, type=str
        )
        if not question.choices or answered in question.choices:
            return answered


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _given(answers: Sequence[str]) -> dict[str, str]:
    """Return the answers of the command line by key; the value begins at the last sign."""
    given = {}
    for text in answers:
        key, sign, value = text.rpartition("=")
        if not sign or not key.strip():
            raise UsageError(f"--answer {text!r} is not KEY=VALUE", "Write, say, as_of=2024-12-31.")
        given[key.strip()] = value.strip()
    return given


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is no day", "Write it as yyyy-mm-dd.") from error

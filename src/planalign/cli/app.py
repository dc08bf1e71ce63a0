"""The `planalign` command: its global options, its commands, and what an error becomes."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from planalign.cli import console, streams
from planalign.cli.advise import advise
from planalign.cli.backtest import backtest
from planalign.cli.bench import bench
from planalign.cli.census import census
from planalign.cli.compare import compare
from planalign.cli.config import config
from planalign.cli.dashboard import dashboard
from planalign.cli.employee import employee
from planalign.cli.export import ListingMarts, export
from planalign.cli.fingerprint import fingerprint
from planalign.cli.fit import fit
from planalign.cli.init import init
from planalign.cli.model import model
from planalign.cli.output import emit
from planalign.cli.pack import pack
from planalign.cli.profile import profile
from planalign.cli.report import report
from planalign.cli.show import show
from planalign.cli.simulate import simulate
from planalign.cli.verify import verify
from planalign.errors import EnvironmentFaultError, ExitCode, PlanalignError
from planalign.files import UMASK
from planalign.interruption import heed_signals, ignore_signals, is_interruption


class ErrorsToExitCodes(TyperGroup):
    """The one place where an error becomes text on stderr and an exit code."""

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command line, and say where its results could not all be written."""
        try:
            try:
                return super().main(*args, **settings)
            finally:
                sys.stdout.flush()
        except streams.UnwrittenError as error:
            console.report(error, debug=False)
            sys.exit(error.exit_code)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except PlanalignError as error:
            console.report(error, debug=ctx.params["debug"])
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            fault = _of_system(error)
            console.report(fault, debug=ctx.params["debug"])
            raise typer.Exit(fault.exit_code) from error
        except (KeyboardInterrupt, Exception) as error:
            if not is_interruption(error):
                raise
            console.say("Interrupted.")
            raise typer.Exit(ExitCode.INTERRUPTED) from error


def _of_system(error: OSError) -> EnvironmentFaultError:
    """Return what the system refuses, where no command has a better word for it."""
    try:
        Path.cwd()
    except OSError:
        return EnvironmentFaultError(
            "the working folder is not there any more", "Change into one that is, and try again."
        )
    of = "" if error.filename is None else f" of {os.fsdecode(error.filename)}"
    return EnvironmentFaultError(
        f"the system refuses the use{of} ({error.strerror or error})",
        "Look at the file, its permissions and the limits of this process.",
    )


# Without rich markup: importing rich takes longer than the help it would colour.
app = typer.Typer(
    name="planalign",
    cls=ErrorsToExitCodes,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from planalign._version import __version__  # noqa: PLC0415 - only when asked for

        emit(f"planalign {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar="PLANALIGN_DEBUG", help="Show the traceback of an error."),
    ] = False,
) -> None:
    """Project a workforce and its 401(k) plan year by year, bit-for-bit reproducibly.

    Results go to stdout, everything else to stderr. Exit codes: 0 done; 1 the
    run or a model failed; 2 usage, configuration or input data; 3 a check found
    a difference; 4 environment (database locked, disk full, dbt missing); 130
    interrupted.
    """


for _command in (
    init,
    fit,
    backtest,
    simulate,
    show,
    compare,
    employee,
    fingerprint,
    verify,
    pack,
    export,
    bench,
    profile,
    advise,
    report,
    dashboard,
):
    app.command(cls=ListingMarts if _command is export else None)(_command)
app.add_typer(census)
app.add_typer(config)
app.add_typer(model)


def main() -> None:
    """Run the command line; what it writes, its dbt processes too, is the user's alone.

    No process that it starts takes modules from the folder that it works in.
    """
    heed_signals()
    try:
        streams.prepare()
        os.environ["PYTHONSAFEPATH"] = "1"
        os.umask(os.umask(UMASK) | UMASK)
        app()
    except KeyboardInterrupt:  # before the command was there to answer it
        console.say("Interrupted.")
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        ignore_signals()

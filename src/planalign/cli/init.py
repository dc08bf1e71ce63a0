"""`planalign init`: a project to start from."""

from pathlib import Path
from typing import Annotated

import typer

from planalign.cli import console
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import make_folder, protect, require_path

_EMPLOYEES = 1000
_SEED = 42


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if absent.")
    ] = Path(),
) -> None:
    """Start a project: planalign.yaml and a sample census.

    The configuration explains every key; census.parquet has 1,000 employees.
    Nothing is written if either file is there already.
    """
    from planalign.census import generate_census  # noqa: PLC0415 - slow to import
    from planalign.config import documented_yaml  # noqa: PLC0415
    from planalign.scratch import scratch  # noqa: PLC0415

    targets = [directory / "planalign.yaml", directory / "census.parquet"]
    require_path(directory, without="\\")
    there = [str(path) for path in targets if path.exists()]
    if there:
        raise UsageError(f"{' and '.join(there)} exists already", "Name another folder.")
    try:
        make_folder(directory)
        # Both are made aside and moved last, so that a failure leaves nothing behind.
        with scratch("init", beside=targets[0]) as aside:
            made = [aside / path.name for path in targets]
            made[0].write_text(documented_yaml(), encoding="utf-8")
            generate_census(_EMPLOYEES, seed=_SEED, output=made[1])
            protect(aside)
            for source, target in zip(made, targets, strict=True):
                source.rename(target)
    except OSError as error:
        raise EnvironmentFaultError(
            f"Cannot write to {directory}: {error.strerror or error}",
            "Name a folder you may write.",
        ) from error
    for target in targets:
        console.say(f"Wrote {target}")
    here = "" if directory == Path() else f"cd {directory} && "
    console.say(f"Next: {here}planalign simulate")

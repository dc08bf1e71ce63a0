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
    tables: Annotated[
        bool, typer.Option("--tables", help="Also the reference tables, to be changed.")
    ] = False,
) -> None:
    """Start a project: planalign.yaml and a sample census.

    The configuration explains every key; census.parquet has 1,000 employees. With
    --tables it names a CSV in the folder tables for every reference table. Nothing is
    written if one of them is there already.
    """
    from planalign.census import generate_census  # noqa: PLC0415 - slow to import
    from planalign.config import documented_yaml  # noqa: PLC0415
    from planalign.config.levels import packaged_tables  # noqa: PLC0415
    from planalign.scratch import scratch  # noqa: PLC0415

    seeds = packaged_tables() if tables else []
    targets = [directory / "planalign.yaml", directory / "census.parquet"]
    targets += [directory / "tables"] if tables else []
    require_path(directory, without="\\")
    there = [str(path) for path in targets if path.exists()]
    if there:
        raise UsageError(f"{' and '.join(there)} exists already", "Name another folder.")
    try:
        make_folder(directory)
        # All are made aside and moved last, so that a failure leaves nothing behind.
        with scratch("init", beside=targets[0]) as aside:
            made = [aside / path.name for path in targets]
            named = documented_yaml([seed.stem for seed in seeds])
            made[0].write_text(named, encoding="utf-8")
            generate_census(_EMPLOYEES, seed=_SEED, output=made[1])
            if tables:
                make_folder(made[2])
            for seed in seeds:
                (made[2] / seed.name).write_bytes(seed.read_bytes())
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

"""The format of runs: its number, and in words what a run of another one lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from planalign._version import __version__
from planalign.errors import EnvironmentFaultError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Stands in provenance.json. Raise it whenever a mart gains, loses or renames a column, a
# column changes its type or its meaning, or a file of a run its shape: a test knows the
# columns of each format. Runs from before there was one have none, which is 0.
FORMAT = 3
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


def format_of(where: Path, provenance: Mapping[str, Any]) -> int:
    """Return the format of a run; one that is newer than ours cannot be read.

    Args:
        where: the run, or its record, to name in errors.
        provenance: what its provenance.json holds.

    Raises:
        EnvironmentFaultError: a later planalign wrote it, or it has no number as format.
    """
    found = provenance.get("format", 0)
    if type(found) is not int or found < 0:
        raise EnvironmentFaultError(
            f"{where} is damaged: its format is no number, 0 or more",
            "Simulate the study again.",
        )
    if found > FORMAT:
        raise EnvironmentFaultError(
            f"{where} has format {found}{_writer(provenance)}, and planalign {__version__} reads "
            f"formats up to {FORMAT}",
            "Read it with the planalign that wrote it, or a later one.",
        )
    return found


def require_this_format(partial: Path, provenance: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that another format was begun in.

    Raises:
        UsageError: an earlier planalign began it.
        EnvironmentFaultError: a later one did, or its format is no number.
    """
    found = format_of(partial, provenance)
    if found < FORMAT:
        raise UsageError(
            f"{partial} was begun in format {found}{_writer(provenance)}, and planalign "
            f"{__version__} writes format {FORMAT}",
            "Go on with the planalign that began it, or remove the folder and start anew.",
        )


def lacking(
    folder: Path, provenance: Mapping[str, Any], mart: str, columns: Sequence[str]
) -> UsageError:
    """Return what to raise of a run without a mart, or without some columns of it.

    Args:
        folder: the run.
        provenance: what its provenance.json holds.
        mart: the mart that something is missing of.
        columns: the missing columns; none if the whole mart is missing.
    """
    of_mart = f"the column{'s' if len(columns) > 1 else ''} {', '.join(columns)} of {mart}"
    found = format_of(folder, provenance)
    reason = "its models were changed, or its database is damaged"
    remedy = "Give its models back what is missing and simulate the study again."
    if found < FORMAT:
        reason = (
            f"it has format {found}{_writer(provenance)}, and planalign {__version__} "
            f"writes format {FORMAT}"
        )
        remedy = "Simulate the study again, or read the run with the planalign that wrote it."
    return UsageError(f"{folder} lacks {of_mart if columns else mart}: {reason}", remedy)


def _writer(provenance: Mapping[str, Any]) -> str:
    versions = provenance.get("versions")
    version = versions.get("planalign") if isinstance(versions, dict) else None
    is_one = isinstance(version, str) and _VERSION.fullmatch(version)
    return f" of planalign {version}" if is_one else ""

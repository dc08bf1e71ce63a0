"""What a study's own models change: the study without them beside the study with them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planalign.config.frozen import FrozenDict
from planalign.engine.overlay import project_of
from planalign.engine.project import Project
from planalign.errors import InterruptedRunError, UsageError
from planalign.results import open_run
from planalign.results.verify import Summary, summarise
from planalign.scratch import scratch
from planalign.study.run import run_study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from planalign.config import Config
    from planalign.record.telemetry import Listener
    from planalign.study.request import Request


@dataclass(frozen=True)
class OwnFile:
    """A file of a study's folder of models.

    Attributes:
        path: within the folder.
        place: within the model project.
        takes_place: whether there is one in the project without it, which it replaces.

    """

    path: str
    place: str
    takes_place: bool


@dataclass(frozen=True)
class ModelChange:
    """A study's own files and census columns; rows and sums without (A) and with them (B)."""

    files: tuple[OwnFile, ...]
    extra_columns: Mapping[str, str]
    summary: Summary

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "files": [
                {"path": one.path, "place": one.place, "takes_place": one.takes_place}
                for one in self.files
            ],
            "extra_columns": dict(self.extra_columns),
            **self.summary.as_dict(),
        }


def model_change(
    request: Request,
    listening: Callable[[str], AbstractContextManager[Listener]],
    *,
    everything: bool = False,
) -> ModelChange:
    """Simulate a study without its own models and census columns, and with them; compare.

    Into a scratch folder, which is removed. First with them: what is wrong with them is told
    soonest. Both sides have the study's parameters, which change nothing unless a model
    reads them; of that, the side without has no warning.

    Args:
        request: the study, and which of it; its output is not used.
        listening: lends what is told how a side goes, by a sentence that names the side.
        everything: also what is the same on both sides.

    Raises:
        UsageError: the study has nothing of its own, or the request does not fit it.
        InterruptedRunError: the user stopped it.
        PlanalignError: as `run_study`.
    """
    config = request.config
    if config.models is None and not config.extra_columns:
        raise UsageError(
            "the study has no models and no census columns of its own",
            "Name a folder with them under the key models, or columns under extra_columns.",
        )
    with ExitStack() as stack:
        folder = stack.enter_context(scratch("diff"))
        try:
            with listening("With the models of the study:") as listener:
                after = run_study(replace(request, output=folder / "with"), listener)
            plain = replace(request, config=without_own(config), output=folder / "without")
            with listening("Without them:") as listener:
                before = run_study(plain, _without_warnings(listener))
        except InterruptedRunError as error:
            raise InterruptedRunError("stopped; nothing is compared") from error
        run_a, run_b = (stack.enter_context(open_run(one.path)) for one in (before, after))
        summary = summarise(run_a, run_b, everything=everything)
    return ModelChange(_own_files(config), config.extra_columns, summary)


def without_own(config: Config) -> Config:
    """Return a study without its own models and census columns; the rest of it stays.

    So do its `dbt_project` and its `tables`, but for those that its own models add.
    """
    tables = {
        name: file
        for name, file in config.tables.items()
        if (Project.at(config.dbt_project).folder / "seeds" / f"{name}.csv").is_file()
    }
    columns = {
        name: of_file
        for name, of_file in config.census_columns.items()
        if name not in config.extra_columns
    }
    changes = {
        "models": None,
        "extra_columns": FrozenDict(),
        "census_columns": FrozenDict(columns),
        "tables": FrozenDict(tables),
    }
    return config.model_copy(update=changes)


def _without_warnings(listener: Listener) -> Listener:
    def tell(kind: str, **details: Any) -> None:
        if kind != "warning":
            listener(kind, **details)

    return tell


def _own_files(config: Config) -> tuple[OwnFile, ...]:
    own = config.models
    if own is None:
        return ()
    base = Project.at(config.dbt_project).folder
    return tuple(
        OwnFile(file.relative_to(own).as_posix(), place, (base / place).is_file())
        for place, file in sorted(project_of(config).origins.items())
        if file.is_relative_to(own)
    )

"""The reference tables in force, and what the models make of them: hazards, savers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.engine.compiler import pipeline_for
from planalign.engine.overlay import project_of

if TYPE_CHECKING:
    import duckdb

    from planalign.config import Config

# What experience is compared with. The models say it, not this package.
_MODELS = ("stg_age_bands", "stg_tenure_bands", "stg_hazards", "stg_savings_behavior")


def build_reference(connection: duckdb.DuckDBPyConnection, config: Config) -> None:
    """Load the reference tables of a study, and build the models of rates that rest on them.

    They are tables and views of the database `results`, which the compiled models name.

    Raises:
        InputError: a table has problems.
        ModelError: the models cannot be compiled.

    """
    project = project_of(config)
    pipeline = pipeline_for(project)
    for seed in pipeline.seeds:
        types = ", ".join(f"'{column.name}': '{column.data_type}'" for column in seed.columns)
        connection.execute(
            f"create table {seed.relation} as select * from read_csv("  # noqa: S608 - compiled names
            f"?, header = true, delim = ',', auto_detect = false, columns = {{{types}}})",
            [str(project.folder / seed.path)],
        )
    by_name = {model.name: model for model in pipeline.models}
    built = {seed.name for seed in pipeline.seeds}

    def build(name: str) -> None:
        if name in built or name not in by_name:
            return
        for needed in by_name[name].depends_on:
            build(needed)
        for statement in by_name[name].statements():
            connection.execute(statement)
        built.add(name)

    for name in _MODELS:
        build(name)

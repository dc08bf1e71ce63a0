"""With the real dbt: the model that fails is named, and the year before it is kept."""

from __future__ import annotations

import shutil

import pytest

from planalign.engine.project import Project
from planalign.errors import ModelError
from planalign.study import Request, configuration, run_study

MODEL = "models/events/int_employment.sql"
FAILS_IN_2026 = """\
where
    case
        when (select simulation_year from {{ source("inputs", "control") }}) = 2026
            then cast('no employment' as boolean)
        else true
    end
"""


def test_the_error_names_the_model_and_the_last_good_year_is_kept(studies):
    project = studies.new()
    shutil.copytree(Project.at(None).folder, project)
    with (project / MODEL).open("a") as file:
        file.write(FAILS_IN_2026)
    config = configuration(
        {
            "census": str(studies.generated(50)),
            "simulation": {"start_year": 2025, "end_year": 2026},
            "dbt_project": str(project),
        }
    )
    heard = []

    def tell(kind, **details):
        heard.append((kind, details))

    output = studies.new()
    with pytest.raises(ModelError) as caught:
        run_study(Request(config, output, runner="batch"), tell)
    assert f"model int_employment ({MODEL}) failed" in str(caught.value)
    assert "no employment" in str(caught.value)
    completed = [details["year"] for kind, details in heard if kind == "year_completed"]
    assert completed == [2025]
    (left,) = [details["models"] for kind, details in heard if kind == "group_failed"]
    assert "int_employment" in left
    # What dbt had built of the group was not built again.
    built = [(d["year"], d["model"]) for kind, d in heard if kind == "model_completed"]
    assert len(built) == len(set(built))
    assert not {(2026, name) for name in left} & set(built)

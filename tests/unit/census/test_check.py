from __future__ import annotations

import json
from datetime import date

from planalign.census.check import check_census

CENSUS_DATE = date(2024, 12, 31)


def test_sound_census(write):
    path = write({"note": "x"}, {"termination_date": "2024-02-01"})
    report = check_census(path, columns={}, census_date=CENSUS_DATE)
    assert report.ok
    assert report.as_dict()["problems"] == []
    summary = report.as_dict()["summary"]
    assert (summary["rows"], summary["active"], summary["terminated"]) == (2, 1, 1)
    assert summary["ignored_columns"] == ("note",)


def test_problems(write):
    path = write({}, {"job_level": "7"})
    report = check_census(path, columns={}, census_date=CENSUS_DATE)
    assert not report.ok
    assert report.summary is None
    printed = json.loads(json.dumps(report.as_dict()))
    assert (printed["file"], printed["ok"], printed["summary"]) == (str(path), False, None)
    (problem,) = printed["problems"]
    assert (problem["row"], problem["column"], problem["value"]) == (2, "job_level", "7")
    assert problem["remedy"]


def test_mapped(write):
    path = write({"Level": "7"})
    report = check_census(path, columns={"job_level": "level"}, census_date=CENSUS_DATE)
    assert 'column "Level"' in report.problems[0].message

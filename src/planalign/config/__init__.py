"""planalign.yaml as frozen models: read, check, explain, write."""

from planalign.config.json_schema import json_schema
from planalign.config.levels import JobLevel, default_levels, job_levels
from planalign.config.loading import load, parse
from planalign.config.models import (
    BASELINE,
    CENSUS_COLUMNS,
    Config,
    Resources,
    ScenarioSettings,
    scenario_settings,
)
from planalign.config.plan import Eligibility, EntryDates, Plan
from planalign.config.rendering import annotated_yaml, documented_yaml, to_yaml
from planalign.config.schedule import ByYear, ByYearAndLevel, value_at
from planalign.config.sections import (
    Alignment,
    Compensation,
    Hiring,
    PerformanceRating,
    Simulation,
    Workforce,
)
from planalign.config.weights import AgeBand

__all__ = [
    "BASELINE",
    "CENSUS_COLUMNS",
    "AgeBand",
    "Alignment",
    "ByYear",
    "ByYearAndLevel",
    "Compensation",
    "Config",
    "Eligibility",
    "EntryDates",
    "Hiring",
    "JobLevel",
    "PerformanceRating",
    "Plan",
    "Resources",
    "ScenarioSettings",
    "Simulation",
    "Workforce",
    "annotated_yaml",
    "default_levels",
    "documented_yaml",
    "job_levels",
    "json_schema",
    "load",
    "parse",
    "scenario_settings",
    "to_yaml",
    "value_at",
]

"""Plan designs: parts of a plan with a name, for plans of the file to start from.

Reading resolves them away: a `Config` has complete plans, and does not tell
whether a setting was written in a design or beside it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from planalign.config.contradictions import CONTRADICTIONS, refuse_contradictions
from planalign.config.frozen import FrozenDict
from planalign.config.merge import Data, merge
from planalign.config.models import BASELINE, SCENARIOS, Config, ScenarioSettings, name_of
from planalign.config.plan import Plan
from planalign.config.scalars import Kind, fault, optional
from planalign.config.schedule import Read, Setting

if TYPE_CHECKING:
    from planalign.config.sections import Section

# Of a file full of them, no message lists more.
_MOST_NAMES = 100


def design_name(value: object) -> str | None:
    """Return the name that the value of `plan.design` stands for: one may be called 2025."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _read_design(value: object) -> str:
    name = design_name(value)
    if name is None:
        remedy = "Write one given under designs, in quotes where it reads as something else"
        raise fault("must be the name of a design", remedy)
    return name


def _known_design(name: str | None, where: Setting) -> str | None:
    if name is None or where.designs is None or name in where.designs:
        return name
    names = where.designs[:_MOST_NAMES]
    near = difflib.get_close_matches(name[:64], names, 1)
    lead = f"Did you mean {near[0]}? " if near else ""
    known = f"Designs: {', '.join(names)}" if names else "No designs are given"
    remedy = f"{lead}{known}; give one under designs, at the top of the file"
    raise fault("is not the name of a design", remedy)


_design = optional(Kind(_read_design, "", {"type": "string"}))


class Design(Plan):
    """What a design changes in a plan, with defaults where it says nothing."""

    @model_validator(mode="after")
    def _without_contradictions(self, info: ValidationInfo) -> Design:
        """Refuse what contradicts itself; the plans that start from it are checked as a whole."""
        given = [rule for rule in CONTRADICTIONS if all(_gives(self, key) for key in rule.keys)]
        refuse_contradictions(self, info.context or Setting(), given)
        return self


def _gives(section: Section, key: str) -> bool:
    """Return whether a dotted key of a section was written."""
    *above, last = key.split(".")
    for name in above:
        section = getattr(section, name)
    return last in section.model_fields_set


class PlanInFile(Plan):
    """A plan that may start from a design."""

    design: Annotated[
        str | None,
        Read(_design, check=_known_design),
        Field(
            description="The name of one of the [designs](#designs), whose keys hold where none "
            "is given beside it; `null` for none. A scenario's design is laid over this whole "
            "section."
        ),
    ] = None


class ScenarioInFile(ScenarioSettings):
    """A scenario whose plan may start from a design."""

    plan: PlanInFile = PlanInFile()


def _none_is_empty(value: object) -> object:
    return {} if value is None else value


class ConfigFile(Config):
    """All that planalign.yaml may contain: a configuration, and the designs it uses."""

    plan: Annotated[
        PlanInFile,
        Field(
            description="Sections named below are those of the Internal Revenue Code. Settings "
            "that the law does not allow together, or of which one undoes the other, are refused."
        ),
    ] = PlanInFile()
    designs: Annotated[
        Mapping[Annotated[str, AfterValidator(name_of("a design"))], Design],
        BeforeValidator(_none_is_empty),
        AfterValidator(FrozenDict),
        Field(
            description="Plan designs for scenarios to share. Each has a name, like a scenario, "
            "and below it any keys of `plan` but `design`, to be used by `plan: {design: NAME}`, "
            "for example `{rich: {match: {formula: tiers}, core: {rate: 0.02}}, "
            "lean: {match: {formula: tiers}}}`."
        ),
    ] = FrozenDict()
    scenarios: Annotated[
        Mapping[Annotated[str, AfterValidator(name_of("a scenario"))], ScenarioInFile],
        AfterValidator(FrozenDict),
        Field(description=SCENARIOS),
    ] = FrozenDict({BASELINE: ScenarioInFile()})


def design_names(data: Data) -> tuple[str, ...] | None:
    """Return the names of the designs, or None where `designs` is itself a problem."""
    designs = data.get("designs")
    if designs is None:
        return ()
    return tuple(designs) if isinstance(designs, Mapping) else None


def lay_designs(data: Data) -> Data:
    """Return the data with each plan that names a design laid over it.

    The plan of a scenario is laid over its own design only; what it is
    completed by is the plan at the top, with the design of that.
    """
    designs = data.get("designs")
    if not isinstance(designs, Mapping):
        return data
    laid = _over_design(data, designs)
    scenarios = data.get("scenarios")
    if isinstance(scenarios, Mapping):
        laid["scenarios"] = {
            name: _over_design(settings, designs) if isinstance(settings, Mapping) else settings
            for name, settings in scenarios.items()
        }
    return laid


def _over_design(settings: Mapping[Any, Any], designs: Mapping[Any, Any]) -> Data:
    """Return settings with their plan over the design it names, if there is one."""
    plan = settings.get("plan")
    name = design_name(plan.get("design")) if isinstance(plan, Mapping) else None
    design = designs.get(name)
    if isinstance(plan, Mapping) and isinstance(design, Mapping):
        return {**settings, "plan": merge(design, plan, Plan)}
    return dict(settings)


def without_designs(file: ConfigFile) -> Config:
    """Return the configuration of a file whose plans were completed from its designs."""
    # Not validated again: readers take what is written in a file, not what they return.
    scenarios = {
        name: ScenarioSettings.model_construct(
            **{**_values(ScenarioSettings, settings), "plan": _plan(settings.plan)}
        )
        for name, settings in file.scenarios.items()
    }
    complete = {"plan": _plan(file.plan), "scenarios": FrozenDict(scenarios)}
    return Config.model_construct(**{**_values(Config, file), **complete})


def _plan(plan: PlanInFile) -> Plan:
    return Plan.model_construct(**_values(Plan, plan))


def _values(model: type[Section], section: Section) -> Data:
    """Return what a section has for the keys of the section that it extends."""
    return {name: getattr(section, name) for name in model.model_fields}

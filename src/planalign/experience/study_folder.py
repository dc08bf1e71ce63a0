"""Write a fitted study: planalign.yaml, its census, and its reference tables."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.config import annotated_yaml, load
from planalign.config.levels import LEVEL_TABLES
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import make_folder, protect, require_path
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planalign.experience.estimates import Estimate
    from planalign.experience.fitting import Fit

# How far a study goes where no configuration says so.
_YEARS = 5
_MIXES = {
    "workforce.hiring.level_weights": "hires by job level",
    "workforce.hiring.age_weights": "hires by age",
    "workforce.hiring.month_weights": "hires by month",
}
# As history has it: who rose and who was hired, whatever room there was.
_AS_SEEN = {
    "workforce.promotions": ("rates", "As many as in the years before, whatever room there is."),
    "workforce.hiring.levels": ("weights", "As in the years before."),
}


def write_study(fit: Fit, given: Mapping[Any, Any], folder: Path) -> list[Path]:
    """Write a study with the fitted values into a folder that is not there yet.

    The same censuses and configuration give the same bytes.

    Args:
        fit: what was found.
        given: the data of the configuration that the fit began with; empty for none.
        folder: to make.

    Returns:
        The files.

    Raises:
        UsageError: the folder is there already.
        InputError: the study would be refused, and why.
        EnvironmentFaultError: it cannot be written.

    """
    require_path(folder, without="\\")
    refuse_existing(folder)
    census = fit.censuses[-1].path
    name = "census" + "".join(census.suffixes[-2:] if census.suffix == ".gz" else [census.suffix])
    try:
        with scratch("fit", beside=folder) as aside:
            made = aside / "study"
            make_folder(made)
            (made / name).write_bytes(census.read_bytes())
            make_folder(made / "tables")
            data, comments = study_data(fit, given, name)
            for table, content in tables_of(fit, data).items():
                (made / "tables" / f"{table}.csv").write_bytes(content)
            written = made / "planalign.yaml"
            written.write_text(annotated_yaml(data, comments, _lead(fit)), encoding="utf-8")
            load(written)
            protect(made)
            made.rename(folder)
    except OSError as error:
        raise EnvironmentFaultError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            "Name another --output.",
        ) from error
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refuse_existing(path: Path) -> None:
    """Refuse what is there already.

    Raises:
        UsageError: it is.

    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists already", "Name another one, or remove it.")


def tables_of(fit: Fit, data: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of the reference tables that a study names, by table."""
    files = {}
    for name in data["tables"]:
        if name in fit.tables:
            files[name] = _csv(fit.tables[name])
        else:
            files[name] = fit.config.tables[name].read_bytes()
    return files


def study_data(
    fit: Fit, given: Mapping[Any, Any], census: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the data of the fitted study, and a comment for each key that was fitted.

    Args:
        fit: what was found.
        given: the data of the configuration that the fit began with.
        census: name of the file of the last census, beside the study's.

    """
    comments: dict[str, str] = {}
    last = fit.censuses[-1]
    start = last.year + 1
    simulation = {**(given.get("simulation") or {}), "start_year": start}
    span = fit.config.simulation
    length = span.end_year - span.start_year if "simulation" in given else _YEARS - 1
    simulation["end_year"] = start + length
    data: dict[str, Any] = {"census": census, "census_date": last.day}
    data |= {
        key: value
        for key, value in given.items()
        if key not in ("census", "census_date", "simulation", "tables")
    }
    for key in ("models", "dbt_project"):
        if data.get(key) is not None:
            data[key] = getattr(fit.config, key)
    data["tables"] = {}
    data["simulation"] = simulation
    if data.get("job_levels"):
        data["job_levels"] = [_level(fit, entry, n) for n, entry in enumerate(data["job_levels"])]
        comments["job_levels"] = "Pay bands, factors of leaving and promotion are fitted."
    for name in [*fit.tables, *fit.config.tables]:
        if not (data.get("job_levels") and name in LEVEL_TABLES):
            data["tables"][name] = f"tables/{name}.csv"
    for key, value in fit.values.items():
        _put(data, key, value)
        comments[key] = _comment(fit, key)
    for key, (value, comment) in _AS_SEEN.items():
        _put(data, key, value)
        comments[key] = comment
    for name, about in _of_tables(fit).items():
        if name in data["tables"]:
            comments[f"tables.{name}"] = about
    comments["census"] = f"The census of {last.day}, the last one, as it was given."
    return data, comments


def _level(fit: Fit, entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    fitted: dict[str, Any] = dict(entry)
    for name in LEVEL_TABLES:
        row = fit.tables[name][number]
        fitted |= {key: Decimal(row[key]) for key in row if key in entry and key != "name"}
    return fitted


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a value at a dotted key, in sections of its own."""
    *sections, name = key.split(".")
    for section in sections:
        data[section] = dict(data.get(section) or {})
        data = data[section]
    data[name] = value


def _comment(fit: Fit, key: str) -> str:
    if key in _MIXES:
        parts = [one for one in fit.estimates if one.key.startswith(f"{key}[")]
        hires = parts[0].exposure if parts else 0
        return f"Of {hires:,.0f} {_MIXES[key]}; each share has its interval in the report."
    if key == "compensation.performance":
        of_ratings = fit.estimate("compensation.merit_budget")
        count = 0.0 if of_ratings is None else of_ratings.exposure
        return (
            f"Of {count:,.0f} raises: each rating, or where none is known each fifth of the "
            "raises, and what it got beyond the general raise over the mean of all."
        )
    estimate = fit.estimate(key)
    return "" if estimate is None else sentence(estimate)


def sentence(estimate: Estimate) -> str:
    """Return what an estimate rests on as a sentence: n, interval, credibility, prior."""
    blend = estimate.blend
    events = "" if estimate.events is None else f"{estimate.events:,.6g} of "
    own = "nothing" if blend.own is None else f"{blend.own:.6g}"
    text = f"{events}{estimate.exposure:,.6g}: own {own}"
    if blend.low is not None and blend.high is not None:
        text += f", 90 % interval {blend.low:.4g} to {blend.high:.4g}"
    if blend.credibility < 1:
        text += f"; credibility {blend.credibility:.2f}, {blend.prior:.6g} otherwise"
    return f"{text}. {estimate.note}".strip()


def _of_tables(fit: Fit) -> dict[str, str]:
    """Return what each fitted table rests on."""
    leaving = fit.estimate("workforce.total_termination_rate")
    retired = fit.estimate("retirement_hazards")
    promoted = fit.estimate("workforce.promotion_rate")
    saving = fit.estimate("plan.behavior.deferral_factor")
    found = {}
    if leaving is not None:
        about = f"{leaving.events:,.0f} leavers of {leaving.exposure:,.0f} person-years"
        found["termination_hazards"] = (
            f"{about}, at the company's level, by tenure, age, and both, as far as they bear it."
        )
        found["job_levels"] = f"Factors of leaving: {about}. Promotion: see promotion_rate."
    if retired is not None:
        found["retirement_hazards"] = f"A factor for all ages: {sentence(retired)}"
    if promoted is not None:
        for name in ("promotion_age_factors", "promotion_tenure_factors"):
            found[name] = f"{promoted.events:,.0f} promotions, as far as they bear it."
    found["market_bands"] = (
        "Such that hires are paid as they were, between the places of hiring; as of the census."
    )
    if saving is not None:
        for name in ("savings_ages", "savings_tenures", "savings_pay_bands"):
            found[name] = (
                f"{saving.exposure:,.0f} savers at the last census, as far as they bear it."
            )
    return found


def _lead(fit: Fit) -> str:
    files = ", ".join(f"{one.path.name} ({one.day})" for one in fit.censuses)
    return (
        f"Fitted to {files}. Above each fitted value: what it was seen on, own experience with "
        "its interval, and how far it counts against the value in force before. Keys that are "
        "not here keep their defaults; planalign fit says why."
    )


def _csv(rows: tuple[dict[str, str], ...]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()

"""The experience report and the backtest as pages, which load nothing and run nothing."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.experience.backtest import Backtest, Comparison
    from planalign.experience.estimates import Cell, Estimate
    from planalign.experience.fitting import Fit

# The width of a figure and its margins, in units of its own.
_WIDTH, _MARGIN = 224.0, 6.0
_NONE = "-"

_EVENTS = {
    "termination": "Leavers",
    "voluntary": "Leavers but for retirement",
    "new_hire_termination": "Hires who left in their first year",
    "promotion": "Promotions",
    "raise": "Raises at the same level",
    "participation": "Savers among the eligible",
    "deferral": "Savers' rates, each over the usual one",
}
_BY = {
    "age_band": "Age",
    "tenure_band": "Years of service",
    "job_level": "Job level",
    "department": "Department",
    "year": "Year",
    "age_and_tenure": "Age and years of service",
    "hire_month": "Month of hire",
    "pay_band": "Pay band",
}
_EXPOSURE = {
    "new_hire_termination": "Hire-years",
    "raise": "Raises",
    "participation": "Eligible",
    "deferral": "Savers",
}
_UNCLEAR = {
    "vanished": ("Employed once, never seen again, no day of leaving", "leavers of the year"),
    "absent_but_employed": ("Missing in one census, there before and after", "employed throughout"),
    "came_back": ("Gone, and employed again later", "leavers, and no hires when they return"),
    "appeared": ("New in a census, hired before its year", "neither hires nor exposed"),
    "ids_changed": (
        "Gone under one id and new under another",
        "one person, by birth and hire date",
    ),
    "birth_dates_changed": ("Birth date differs between censuses", "the latest one"),
    "hire_dates_changed": ("Day of hire differs between censuses", "the earliest one"),
    "levels_fallen": ("Job level fell", "neither promoted nor raised"),
}
_MEASURES = {
    "headcount": "Headcount, December 31",
    "hires": "Hires",
    "leavers": "Leavers of the opening workforce",
    "promotions": "Promotions",
    "payroll": "Annual pay of all, December 31",
    "average_pay": "Average pay",
    "participation": "Employees who save",
    "average_deferral": "Average rate of savers",
    "match_balance": "Match balance of the employed",
    "age_band": "Age",
    "tenure_band": "Years of service",
}
_SHARES = ("participation", "average_deferral")


def experience_page(found: Fit) -> str:
    """Return the experience report as HTML: actual to expected, in the form actuaries use."""
    years = [str(row["year"]) for row in found.movement]
    leaving = found.estimate("workforce.total_termination_rate")
    tiles = [(f"{found.censuses[-1].active:,}", f"employed on {found.censuses[-1].day}")]
    if leaving is not None:
        tiles += [
            (f"{leaving.exposure:,.0f}", "person-years"),
            (f"{leaving.events:,.0f}", "leavers"),
            (_percent(leaving.value), "turnover used"),
        ]
    growth = found.estimate("workforce.target_growth_rate")
    if growth is not None:
        tiles.append((_percent(growth.value), "growth a year"))
    return _rendered(
        "experience.html",
        years=f"{years[0]} to {years[-1]}" if len(years) > 1 else years[0],
        files=", ".join(one.path.name for one in found.censuses),
        tiles=[{"figure": figure, "words": words} for figure, words in tiles],
        movement=_movement(found),
        assumptions=[_assumption(one) for one in found.estimates],
        groups=_groups(found.cells),
        unclear=[
            {"name": name, "count": f"{getattr(found.ambiguities, key):,}", "taken": taken}
            for key, (name, taken) in _UNCLEAR.items()
        ],
        untold=list(found.untold.items()),
        notes=found.notes,
    )


def backtest_page(tested: Backtest) -> str:
    """Return a backtest as HTML: what happened beside its simulated range."""
    years = [str(one.year) for one in tested.held_out]
    return _rendered(
        "backtest.html",
        years=" and ".join(years) if len(years) < 3 else f"{years[0]} to {years[-1]}",
        fitted=", ".join(str(one.day) for one in tested.fit.censuses),
        seeds=f"{tested.seeds:,}",
        inside=tested.inside,
        compared=len(tested.comparisons),
        by_year=[
            {"year": year, "rows": [_comparison(one) for one in rows]}
            for year, rows in groupby(tested.comparisons, key=lambda one: one.year)
        ],
        unavailable=[(_MEASURES[name], why) for name, why in tested.unavailable.items()],
        assumptions=[_assumption(one) for one in tested.fit.estimates],
        notes=tested.fit.notes,
    )


def _rendered(template: str, **content: Any) -> str:
    environment = Environment(
        loader=PackageLoader("planalign.experience", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)


def _movement(found: Fit) -> dict[str, Any]:
    names = {
        "Opening": "opening_headcount",
        "Left": "leavers",
        "Hired": "hires",
        "Hired and left": "hires_left",
        "Came back": "came_back",
        "Closing": "closing_headcount",
        "Annual pay": "payroll",
    }
    of_leavers = {"opening_headcount", "leavers", "hires_left"}
    return {
        "names": list(names),
        "rows": [
            [
                row["year"],
                *(
                    f"{row[key]:,.0f}" if row["counts"] or key not in of_leavers else _NONE
                    for key in names.values()
                ),
            ]
            for row in found.movement
        ],
    }


def _assumption(one: Estimate) -> dict[str, Any]:
    blend = one.blend
    interval = (
        _NONE
        if blend.low is None or blend.high is None
        else f"{_of_key(one.key, blend.low)} to {_of_key(one.key, blend.high)}"
    )
    return {
        "key": one.key,
        "value": _of_key(one.key, one.value),
        "own": _of_key(one.key, blend.own),
        "prior": _of_key(one.key, blend.prior),
        "credibility": f"{blend.credibility:.2f}",
        "exposure": f"{one.exposure:,.0f}",
        "events": _NONE if one.events is None else f"{one.events:,.0f}",
        "interval": interval,
        **_placed(blend.own, blend.low, blend.high, blend.prior),
    }


def _groups(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    groups = []
    for (event, dimension), found in groupby(
        cells, key=lambda one: (one.assumption, one.dimension)
    ):
        rows = list(found)
        groups.append(
            {
                "title": f"{_EVENTS[event]} by {_BY[dimension].lower()}",
                "by": _BY[dimension],
                "exposure_name": _EXPOSURE.get(event, "Person-years"),
                "is_fitted": any(one.blend is not None for one in rows),
                "rows": [*(_row(one, rows) for one in rows), _total(rows)],
            }
        )
    return groups


def _row(one: Cell, all_of_it: Sequence[Cell]) -> dict[str, Any]:
    blend = one.blend
    low, high = one.interval or (None, None)
    ends = [
        value
        for cell in all_of_it
        for value in (cell.own or 0, cell.prior or 0, *(cell.interval or ()))
    ]
    return {
        "name": one.cell.replace("|", ", "),
        "is_total": False,
        "exposure": f"{one.exposure:,.0f}",
        "actual": _count(one, one.events),
        "expected": _count(one, one.expected),
        "ratio": _NONE if one.actual_to_expected is None else f"{one.actual_to_expected:.2f}",
        "own": _rate(one, one.own),
        "prior": _rate(one, one.prior),
        "credibility": _NONE if blend is None else f"{blend.credibility:.2f}",
        "used": _NONE if blend is None else _rate(one, blend.blended),
        **_placed(one.own, low, high, one.prior, least=0.0, most=max(ends)),
    }


def _total(rows: Sequence[Cell]) -> dict[str, Any]:
    exposure, actual, expected = (
        sum(getattr(one, name) for one in rows) for name in ("exposure", "events", "expected")
    )
    return {
        "name": "All",
        "is_total": True,
        "exposure": f"{exposure:,.0f}",
        "actual": _count(rows[0], actual),
        "expected": _count(rows[0], expected),
        "ratio": f"{actual / expected:.2f}" if expected else _NONE,
        "own": _rate(rows[0], actual / exposure if exposure else None),
        "prior": _rate(rows[0], expected / exposure if exposure else None),
        "credibility": "",
        "used": "",
        "dot": None,
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    name = _MEASURES[one.measure] + (f" {one.group}" if one.group else "")
    share = one.measure in _SHARES

    def figure(value: float) -> str:
        return _percent(value) if share else f"{value:,.0f}"

    return {
        "name": name,
        "actual": figure(one.actual),
        "p10": figure(one.low),
        "p50": figure(one.middle),
        "p90": figure(one.high),
        "error": f"{one.error * 100:+.2f} points" if share else f"{one.error:+,.0f}",
        "relative": f"{one.error / one.actual:+.1%}" if one.actual else _NONE,
        "inside": one.is_inside,
        **_placed(one.middle, one.low, one.high, one.actual),
    }


def _placed(
    own: float | None,
    low: float | None,
    high: float | None,
    mark: float | None,
    *,
    least: float | None = None,
    most: float | None = None,
) -> dict[str, Any]:
    """Return where a figure draws its interval, its dot and its mark, from 0 to its width."""
    told = [value for value in (own, low, high, mark) if value is not None]
    if own is None or not told:
        return {"dot": None}
    start = min(told) if least is None else least
    end = max(told) if most is None else most
    span = (end - start) or 1.0

    def at(value: float | None) -> str | None:
        if value is None:
            return None
        part = min(1.0, max(0.0, (value - start) / span))
        return f"{_MARGIN + part * (_WIDTH - 2 * _MARGIN):.1f}"

    return {
        "dot": at(own),
        "low": at(low),
        "high": at(high),
        "mark": at(mark),
        "words": f"{_figure(own)}"
        + ("" if low is None else f", from {_figure(low)} to {_figure(high)}")
        + ("" if mark is None else f"; mark at {_figure(mark)}"),
    }


def _of_key(key: str, value: float | None) -> str:
    """Return a value as its key is read: dollars, a factor, or a share in percent."""
    if value is None:
        return _NONE
    if key.startswith("market_bands"):
        return f"{value:,.0f}"
    if key.endswith("_factor") or key == "retirement_hazards":
        return f"{value:.3f}"
    return f"{value:.2%}"


def _count(cell: Cell, value: float) -> str:
    return f"{value:,.2f}" if cell.assumption == "raise" else f"{value:,.1f}".removesuffix(".0")


def _rate(cell: Cell, value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.3f}" if cell.assumption == "deferral" else f"{value:.2%}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _figure(value: float | None) -> str:
    if value is None:
        return _NONE
    if value and abs(value) < 0.00005:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"

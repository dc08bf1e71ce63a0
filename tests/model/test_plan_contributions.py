"""Contributions, accounts and forfeitures, again by the day and the pay period.

The oracle knows the rules of docs/method and the results' pay, dates and decisions.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.config.declarations import keys
from planalign.config.scalars import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

Row = dict[str, Any]
Pairs = list[tuple[Decimal, Decimal]]
Tiers = tuple[tuple[Decimal, Decimal], ...]
CENT = Decimal("0.01")

# Published. Sections 402(g), 414(v) from 50 and at 60 to 63, 401(a)(17), 415(c), 414(q); the
# wage base; 414(v)(7).
NAMES = (
    "elective_deferral", "catch_up", "catch_up_60_to_63", "compensation", "annual_additions",
    "highly_compensated", "wage_base", "roth_catch_up_wages",
)  # fmt: skip
PUBLISHED = {
    2024: (23_000, 7_500, 7_500, 345_000, 69_000, 155_000, 168_600, None),
    2025: (23_500, 7_500, 11_250, 350_000, 70_000, 160_000, 176_100, None),
    2026: (24_500, 8_000, 11_250, 360_000, 72_000, 160_000, 184_500, 150_000),
}
MULTIPLES = (500, 500, 500, 5_000, 1_000, 5_000, 300, 5_000)
DEFAULTS: dict[str, Any] = {
    key.dotted.removeprefix("plan."): as_json(key.default)
    for key in keys()
    if key.path[0] == "plan"
}
FORMULAS = {
    "none": [],
    "safe_harbor_basic": [{"up_to": 0.03, "rate": 1}, {"up_to": 0.05, "rate": 0.5}],
    "safe_harbor_enhanced": [{"up_to": 0.04, "rate": 1}],
    "qaca": [{"up_to": 0.01, "rate": 1}, {"up_to": 0.06, "rate": 0.5}],
}


def exact(number: float | Decimal) -> Decimal:
    return Decimal(str(number))


def cents(amount: Decimal) -> Decimal:
    """Round dollars to the cent, half a cent up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def divided(amount: int, by: int) -> Decimal:
    """Divide a whole number of cents, half a cent up."""
    return CENT * ((2 * amount + by) // (2 * by))


@cache
def published(year: int) -> dict[str, int]:
    """Return the limits of a year, grown by 2.5 % (the wage base by 3.5 %) beyond the last.

    Increases are rounded down to the multiple, the wage base to the nearest.
    """
    last = min(year, max(PUBLISHED))
    limits = {}
    for name, amount, multiple in zip(NAMES, PUBLISHED[last], MULTIPLES, strict=True):
        if amount is None:
            continue
        if name == "wage_base":
            grown = amount * Decimal("1.035") ** (year - last)
            limits[name] = int((grown / multiple).quantize(0, ROUND_HALF_UP)) * multiple
        else:
            increase = amount * (Decimal("1.025") ** (year - last) - 1)
            limits[name] = amount + int(increase // multiple) * multiple
    return limits


@cache
def period(frequency: str, day: date) -> tuple[int, int]:
    """Return the pay period of a day."""
    if frequency in {"monthly", "semimonthly"}:
        return day.month, frequency == "semimonthly" and day.day > 15
    return 0, (day.timetuple().tm_yday - 1) // {"weekly": 7, "biweekly": 14}[frequency]


@dataclass(frozen=True)
class Design:
    """The plan of a scenario in a year."""

    given: Mapping[str, Any]
    year: int

    def __call__(self, key: str) -> Any:
        value: Any = self.given
        for part in key.split("."):
            if part not in value:
                return DEFAULTS[key]
            value = value[part]
        if isinstance(value, dict) and all(isinstance(year, int) for year in value):
            return value[max(year for year in value if year <= self.year)]
        return value

    def law(self, year: int) -> dict[str, int]:
        amounts = self.given.get("limits", {}).get("amounts", {})
        return published(year) | {name: by[year] for name, by in amounts.items() if year in by}

    def limit_of_additions(self, row: Row) -> Decimal:
        dollars = self.law(row["simulation_year"])["annual_additions"]
        return min(Decimal(dollars), Decimal(row["prorated_annual_compensation"]))


def formula_match(tiers: Tiers, deferral: Decimal, pay: Decimal) -> Decimal:
    total = below = Decimal(0)
    for up_to, rate in tiers:
        reached = min(deferral, up_to * pay)
        total += rate * (reached - below)
        below = reached
    return total


@cache
def full_match(tiers: Tiers, most: Decimal) -> Decimal:
    """Return the first deferral, by hundredths of a percent, that earns as much as any."""
    rates = [Decimal(rate) / 10_000 for rate in range(10_001)]
    earned = [min(most, formula_match(tiers, rate, Decimal(1))) for rate in rates]
    return rates[earned.index(max(earned))]


def part_timer(design: Design, row: Row) -> bool:
    weekly: Decimal = row["weekly_hours"]
    return weekly * 52 < int(design("eligibility.hours_of_service"))


@dataclass
class Part:
    """Days of one pay period with the same annual pay, in cents, and the same deferral rate."""

    pay: int
    rate: Decimal
    first: date
    days: int = 0
    paid: Decimal = Decimal(0)


@dataclass
class Year:
    """An employee's year: where every day's pay and deferral go."""

    design: Design
    row: Row
    changes: list[tuple[date, int]]
    decision: Row | None
    before: Row | None
    prior_pay: Decimal

    @property
    def year(self) -> int:
        return int(self.row["simulation_year"])

    @property
    def last(self) -> date:
        return self.row["termination_date"] or date(self.year, 12, 31)

    @property
    def first(self) -> date:
        hired: date = self.row["hire_date"]
        return max(hired, date(self.year, 1, 1))

    def service(self, last: date) -> int:
        """Count whole years from the day of hire to the last day, both included."""
        hired, after = self.row["hire_date"], last + timedelta(days=1)
        return int(after.year - hired.year - ((after.month, after.day) < (hired.month, hired.day)))

    def hours_of_weeks(self) -> Decimal:
        """Return seven times the scheduled hours of the days employed."""
        days = (self.last - self.first).days + 1
        return self.row["weekly_hours"] * days  # type: ignore[no-any-return]

    @property
    def days_in_year(self) -> int:
        return date(self.year, 12, 31).timetuple().tm_yday

    @property
    def catch_up_is_roth(self) -> bool:
        law = self.design.law(self.year)
        return self.year >= 2026 and self.prior_pay > law["roth_catch_up_wages"]

    def most_catch_up(self) -> Decimal:
        age, design = self.row["current_age"], self.design
        if age < 50 or not design("deferrals.catch_up"):
            return Decimal(0)
        if self.catch_up_is_roth and not design("deferrals.roth"):
            return Decimal(0)
        return Decimal(
            design.law(self.year)["catch_up_60_to_63" if 60 <= age <= 63 else "catch_up"]
        )

    def reached(self, by: str) -> int:
        """Return what selects a tier: whole years on December 31, or their sum."""
        age, service = int(self.row["current_age"]), self.service(date(self.year, 12, 31))
        return {"everyone": 0, "service": service, "age": age, "points": age + service}[by]

    def parts(self, most: Decimal | None) -> list[Part]:
        """Walk through the days from plan entry on; a part is of one period, pay and rate."""
        found: list[Part] = []
        if not self.row["is_covered"]:
            return found
        day = max(self.row["plan_eligibility_date"], self.first)
        pay, rate = int(self.row["opening_compensation"] * 100), self.opening_rate()
        changes, decision = list(self.changes), self.decision
        stretch = before = None
        frequency = self.design("pay_frequency")
        while day <= self.last:
            while changes and changes[0][0] <= day:
                pay, stretch = changes.pop(0)[1], None
            if decision and decision["effective_date"] <= day:
                rate, decision, stretch = exact(decision["payload"]["amount"]), None, None
            if stretch is None:
                stretch = pay, rate if most is None else min(rate, most)
            here = period(frequency, day)
            if here != before or stretch != (found[-1].pay, found[-1].rate):
                found.append(Part(*stretch, day))
                before = here
            found[-1].days += 1
            day += timedelta(days=1)
        # Pay from a day to the last one is whole cents, and so is what lies between two days.
        since, rest = Decimal(0), 0
        for part in reversed(found):
            rest += part.pay * part.days
            paid = divided(rest, self.days_in_year)
            part.paid, since = paid - since, paid
        return found

    def is_covered(self, level: int) -> bool:
        row, design = self.row, self.design
        return (
            row["plan_eligibility_date"] is not None
            and row["plan_eligibility_date"] <= self.last
            and not (row["is_union"] and design("eligibility.exclude_union"))
            and row["department"] not in design("eligibility.excluded_departments")
            and level not in design("eligibility.excluded_levels")
        )

    def opening_rate(self) -> Decimal:
        if self.decision:
            return exact(self.decision["payload"]["previous"])
        return Decimal((self.before or self.row)["deferral_rate"])

    def contributions(self) -> Row:
        law, design = self.design.law(self.year), self.design
        most = exact(design("deferrals.maximum_rate"))
        if self.row["is_highly_compensated"]:
            most = min(most, exact(design("deferrals.highly_compensated_maximum_rate")))
        room = self.most_catch_up()
        # Who may not catch up stays within the plan's maximum in every period.
        parts = self.parts(None if room else most)
        plan_pay = sum((part.paid for part in parts), Decimal(0))
        elected = sum((part.paid * part.rate for part in parts), Decimal(0))
        regular = min(elected, most * plan_pay, Decimal(law["elective_deferral"]))
        regular = cents(regular)
        catch_up = min(cents(elected) - regular, room)
        limit_date = None
        # The deferral of the year is rounded where it is paid, or is a limit.
        if cents(elected) > regular + catch_up:
            elected = regular + catch_up
            limit_date = self.met(parts, elected * 100 * self.days_in_year)
        counted = min(plan_pay, Decimal(law["compensation"]))
        match, true_up = self.match(parts, elected, counted)
        core = self.core(counted, law)
        if part_timer(design, self.row):
            match = true_up = core = Decimal(0)
        # Section 415(c): what is too much becomes catch-up, then is cut.
        additions = design.limit_of_additions(self.row)
        excess = max(Decimal(0), regular + match + true_up + core - additions)
        moved = min(excess, room - catch_up, regular)
        catch_up, excess = catch_up + moved, excess - moved
        kept = []
        for amount in (true_up, match, core, regular - moved):
            kept.append(amount - min(amount, excess))
            excess -= min(amount, excess)
        true_up, match, core, regular = kept
        share = exact(design("deferrals.roth_share"))
        roth = cents(regular * share)
        return {
            "plan_compensation": plan_pay,
            "pre_tax_deferral": regular - roth,
            "roth_deferral": roth,
            "catch_up_deferral": catch_up,
            "roth_catch_up_deferral": (
                catch_up if self.catch_up_is_roth else cents(catch_up * share)
            ),
            "limit_date": limit_date,
            "match_contribution": match,
            "true_up_contribution": true_up,
            "core_contribution": core,
            "full_match_rate": (
                full_match(self.tiers(), exact(design("match.maximum_rate")))
                if self.row["is_covered"]
                else Decimal(0)
            ),
        }

    def met(self, parts: list[Part], allowed: Decimal) -> date | None:
        """Return the first day by whose end all that is allowed is deferred."""
        for part in parts:
            for day in range(part.days):
                allowed -= part.pay * part.rate
                if allowed <= 0:
                    return part.first + timedelta(days=day)
        return None

    def tiers(self) -> Tiers:
        formula = self.design("match.formula")
        given = FORMULAS.get(formula, self.design("match.tiers"))
        reached = self.reached(self.design("match.by"))
        group = max((t.get("from", 0) for t in given if t.get("from", 0) <= reached), default=0)
        return tuple(
            (exact(tier["up_to"]), exact(tier["rate"]))
            for tier in given
            if tier.get("from", 0) == group
        )

    def match(
        self, parts: list[Part], allowed: Decimal, counted: Decimal
    ) -> tuple[Decimal, Decimal]:
        design, formula = self.design, partial(formula_match, self.tiers())
        if not self.gets("match"):
            return Decimal(0), Decimal(0)

        most = exact(design("match.maximum_rate")) * counted
        if design("match.maximum_amount") is not None:
            most = min(most, exact(design("match.maximum_amount")))
        of_year = min(formula(allowed, counted), most)
        if design("match.basis") == "annual":
            return cents(of_year), Decimal(0)
        of_periods, deferral_left, pay_left = Decimal(0), allowed, counted
        for pairs in self.periods(parts, allowed):
            paid, wanted = (sum(column, Decimal(0)) for column in zip(*pairs, strict=True))
            deferred, here = min(wanted, deferral_left), min(paid, pay_left)
            matched = deferred if here == paid else min(deferred, self.of_first(here, pairs))
            of_periods += formula(matched, here)
            deferral_left, pay_left = deferral_left - deferred, pay_left - here
        of_periods = min(of_periods, most)
        if not design("match.true_up"):
            of_year = of_periods
        return cents(of_periods), max(Decimal(0), cents(of_year) - cents(of_periods))

    @staticmethod
    def of_first(counted: Decimal, pairs: Pairs) -> Decimal:
        """Return what is deferred from the first dollars paid: of others nothing is matched."""
        deferred = Decimal(0)
        for paid, wanted in pairs:
            here = min(paid, counted)
            deferred += wanted * here / paid if paid else 0
            counted -= here
        return deferred

    def periods(self, parts: list[Part], allowed: Decimal) -> list[Pairs]:
        """Return pay and deferral of parts: one by one, and together where all is used up."""
        found: list[Pairs] = []
        deferred = Decimal(0)
        frequency = self.design("pay_frequency")
        for _, within in groupby(parts, lambda part: period(frequency, part.first)):
            pairs = [(part.paid, part.paid * part.rate) for part in within]
            before, deferred = deferred, sum((wanted for _, wanted in pairs), deferred)
            found += [pairs] if before < allowed < deferred else [[pair] for pair in pairs]
        return found

    def gets(self, source: str) -> bool:
        if self.hours_of_weeks() < 7 * self.design(f"{source}.hours"):
            return False
        return self.last == date(self.year, 12, 31) or not self.design(f"{source}.last_day")

    def core(self, counted: Decimal, law: Mapping[str, int]) -> Decimal:
        design = self.design
        if not self.gets("core"):
            return Decimal(0)
        rate, by = exact(design("core.rate")), design("core.by")
        if by != "everyone":
            reached = [t["rate"] for t in design("core.tiers") if t["from"] <= self.reached(by)]
            rate = exact(reached[-1])
        amount = rate * counted
        if design("core.excess_rate") is not None:
            level = exact(design("core.integration_level")) * law["wage_base"]
            amount += (exact(design("core.excess_rate")) - rate) * max(Decimal(0), counted - level)
        return cents(amount)

    def vested(self, source: str, on: date) -> Decimal:
        schedule = self.design(f"vesting.{source}")
        born = self.row["birth_date"]
        age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        if schedule == "immediate" or age >= 65:
            return Decimal(1)
        return exact(schedule[min(self.service(on), len(schedule) - 1)])

    def accounts(self, added: Mapping[str, Decimal], opening: Mapping[str, Any]) -> Row:
        """Return accounts before the allocation of forfeitures, and what is forfeited."""
        growth = 1 + exact(self.design("investment_return_rate"))
        found: Row = {"forfeiture": Decimal(0)}
        for source in ("match", "core"):
            share = self.vested(source, self.last)
            account = cents(Decimal(opening[f"balance_{source}"] or 0) * growth) + added[source]
            kept = account if self.row["termination_date"] is None else cents(account * share)
            found |= {f"vested_{source}_rate": share, f"{source}_balance": kept}
            found["forfeiture"] += account - kept
        return found


@dataclass
class Books:
    """Everything an oracle needs of a run, by scenario, year and employee."""

    run: Run
    plans: Mapping[str, Any]
    census: Mapping[str, Row]

    def __post_init__(self) -> None:
        self.rows: dict[tuple[str, int, str], Row] = {}
        for row in table(self.run, "fct_workforce_snapshot"):
            self.rows[row["scenario_id"], row["simulation_year"], row["employee_id"]] = row
        self.events: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
        for event in table(self.run, "fct_yearly_events order by event_sequence"):
            event["payload"] = json.loads(event["event_payload"], parse_float=Decimal)
            key = (event["scenario_id"], event["simulation_year"], event["employee_id"])
            self.events[key].append(event)
        self.costs = {
            (row["scenario_id"], row["simulation_year"]): row
            for row in table(self.run, "fct_plan_costs")
        }

    def year(self, key: tuple[str, int, str]) -> Year:
        scenario, year, employee = key
        row, before = self.rows[key], self.rows.get((scenario, year - 1, employee))
        changes = [
            (event["effective_date"], int(event["compensation_amount"] * 100))
            for event in self.events[key]
            if event["event_type"] in {"promotion", "raise"}
        ]
        decisions = [e for e in self.events[key] if e["event_type"] in DECISIONS]
        assert len(decisions) <= 1, key
        return Year(
            Design(self.plans[scenario], year), row, changes, next(iter(decisions), None), before,
            self.prior_pay(row, before),
        )  # fmt: skip

    def prior_pay(self, row: Row, before: Row | None) -> Decimal:
        if before:
            return Decimal(before["prorated_annual_compensation"])
        if row["employee_id"] not in self.census:
            return Decimal(0)
        listed = self.census[row["employee_id"]]
        if listed["prior_year_compensation"] is not None:
            return Decimal(listed["prior_year_compensation"])
        start = date(row["simulation_year"], 1, 1)
        first = date(start.year - 1, 1, 1)
        days = max(0, (start - max(row["hire_date"], first)).days)
        return divided(int(listed["annual_compensation"] * 100) * days, (start - first).days)

    def highly_compensated(self, scenario: str, year: int) -> set[str]:
        """Return who is, by the pay of everybody who was employed in the year before."""
        design = Design(self.plans[scenario], year)
        rows = {key[2]: row for key, row in self.rows.items() if key[:2] == (scenario, year)}
        before = {key[2]: row for key, row in self.rows.items() if key[:2] == (scenario, year - 1)}
        paid = {
            employee: Decimal(before[employee]["prorated_annual_compensation"])
            if employee in before
            else self.prior_pay(rows[employee], None)
            for employee in (before or rows)
        }
        paid = {employee: pay for employee, pay in paid.items() if pay > 0}
        top = set(paid)
        if design("highly_compensated.top_paid_group"):
            keys = {employee: row["employee_key"] for employee, row in {**rows, **before}.items()}
            ranked = sorted(paid, key=lambda employee: (-paid[employee], keys[employee]))
            top = set(ranked[: (len(ranked) * 2 + 5) // 10])
        threshold = design.law(year - 1)["highly_compensated"]
        return {
            employee
            for employee, row in rows.items()
            if (paid.get(employee, 0) > threshold and employee in top)
            or row["is_five_percent_owner"]
        }

    def expected(self, scenario: str, year: int) -> tuple[dict[str, Row], Row]:
        """Work out the rows of a year, and what the plan costs in it."""
        design, found = Design(self.plans[scenario], year), {}
        highly_compensated = self.highly_compensated(scenario, year)
        cost = dict.fromkeys(("employer_cost", "cost_reduction", "expenses_paid"), Decimal(0))
        forfeited, members = Decimal(0), 0
        for key in [key for key in self.rows if key[:2] == (scenario, year)]:
            person = self.year(key)
            amounts = person.contributions()
            match = amounts["match_contribution"] + amounts["true_up_contribution"]
            added = {"match": match, "core": amounts["core_contribution"]}
            opening = {
                f"balance_{source}": person.before[f"{source}_balance"]
                if person.before
                else self.census.get(key[2], {}).get(f"balance_{source}")
                for source in added
            }
            accounts = person.accounts(added, opening)
            forfeited += accounts["forfeiture"]
            account = (
                sum(accounts[f"{source}_balance"] for source in added) + accounts["forfeiture"]
            )
            deferral = sum(amounts[name] for name in DEFERRALS)
            members += account > 0 or deferral > 0
            cost["employer_cost"] += sum(added.values())
            found[key[2]] = (
                amounts
                | accounts
                | {
                    "is_highly_compensated": key[2] in highly_compensated,
                    "is_covered": person.is_covered(self.opening_level(key)),
                    "forfeiture_allocation": Decimal(0),
                    "annual_additions": deferral
                    - amounts["catch_up_deferral"]
                    + sum(added.values()),
                }
            )
        use, left = design("forfeitures.use"), forfeited
        if use == "reallocate":
            self.allocate(forfeited, design, scenario, found)
            left = Decimal(0)
        elif use == "pay_expenses":
            each = exact(design("forfeitures.expense_per_participant"))
            cost["expenses_paid"] = min(left, each * members)
            left -= cost["expenses_paid"]
        cost["cost_reduction"] = min(left, cost["employer_cost"])
        cost["employer_cost"] -= cost["cost_reduction"]
        return found, cost

    def allocate(
        self, forfeited: Decimal, design: Design, scenario: str, found: dict[str, Row]
    ) -> None:
        rows = {employee: self.rows[scenario, design.year, employee] for employee in found}
        limit = Decimal(design.law(design.year)["compensation"])
        pay = {
            employee: min(found[employee]["plan_compensation"], limit)
            for employee, row in rows.items()
            if row["employment_status"] == "active" and not part_timer(design, row)
        }
        for employee, paid in pay.items():
            share = CENT * (forfeited * 100 * paid // sum(pay.values()))
            amounts = found[employee]
            room = design.limit_of_additions(rows[employee]) - amounts["annual_additions"]
            amounts["forfeiture_allocation"] = min(share, room)
            for total in ("core_balance", "annual_additions"):
                amounts[total] += min(share, room)

    def opening_level(self, key: tuple[str, int, str]) -> int:
        """Return the level on January 1 or at hire."""
        promoted = [e for e in self.events[key] if e["event_type"] == "promotion"]
        return self.rows[key]["job_level"] - len(promoted)  # type: ignore[no-any-return]


DEFERRALS = ("pre_tax_deferral", "roth_deferral", "catch_up_deferral")
DECISIONS = {"enrollment", "deferral_change", "escalation", "opt_out"}


def table(run: Run, source: str) -> list[Row]:
    found = run.sql(f"from {source}")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


LATE = [0] * 11 + [1]
HIRED_SINCE = "2020-01-01"


@pytest.fixture(scope="module")
def company(shared_studies: Studies) -> Path:
    """A company of every age, service, rate and pay at which a rule turns."""
    path = shared_studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (with given as ("
            "    select *, row_number() over (order by employee_id) - 1 as n "
            f"    from '{shared_studies.generated(240, 5)}' where active"
            "), dated as (select * replace ("
            # Ages 49 to 64, every one of them; February 29; January 1 and December 31.
            "    case when n % 3 = 0"
            "        then make_date(1960 + (n // 3 % 18)::int, 1 + (n % 12)::int, 15)"
            "        when n % 20 = 1 then date '1972-02-29' when n % 20 = 2 then date '1975-12-31'"
            "        when n % 20 = 4 then date '1976-01-01' else birth_date end as birth_date) "
            "from given) "
            "select * replace ("
            "    case when n % 16 = 5 then date '2024-12-31'"
            "        when n % 16 = 10 then date '2025-01-01'"
            "        when n % 16 = 11 then date '2020-02-29' when n % 5 = 2"
            "        then date '2018-01-01' + (n * 41 % 2500)::int else "
            "        greatest(hire_date, birth_date + interval 18 years) end::date as hire_date, "
            "    [0, 0.03, 0.06, 0.1, 0.2, 0.333333, 0.5, 0.75, 1, null, 0.05][1 + n % 11]"
            "        as deferral_rate, "
            "    (annual_compensation * [1, 1, 1, 2, 3.37, 0.21][1 + n % 6])::decimal(15, 2)"
            "        as annual_compensation, "
            "    case n % 7 when 3 then 9.5 when 5 then 18.75 else 40 end as weekly_hours), "
            'n % 10 = 3 as "union", if(n % 29 = 0, 0.06, 0) as ownership_percent, '
            "if(n % 4 = 0, null, (annual_compensation * 1.1)::decimal(15, 2))"
            "    as prior_year_compensation, "
            "if(n % 3 = 0, 1000.01 * n, null) as balance_match, 777.77 * n as balance_core "
            f"from dated order by n) to '{path}' (format parquet)"
        )
    return path


def listed(path: Path) -> dict[str, Row]:
    with duckdb.connect() as connection:
        found = connection.sql(f"from '{path}'")
        return {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.fetchall()}


TIERS = [{"up_to": 0.03, "rate": 1}, {"up_to": 0.05, "rate": 0.5}]
GROUPS = [
    *TIERS, {"from": 3, "up_to": 0.08, "rate": 0.75}, {"from": 40, "up_to": 0.04, "rate": 0.25},
    {"from": 40, "up_to": 0.2, "rate": 1.1111},
]  # fmt: skip
RISING = [{"up_to": 0.02, "rate": 0.1}, {"up_to": 0.1, "rate": 1}, {"up_to": 0.5, "rate": 0.05}]
STEPS = [{"from": 0, "rate": 0.01}, {"from": 5, "rate": 0.025}, {"from": 60, "rate": 0.07777}]
GRADED = [0, 0.2, 0.4, 0.6, 0.8, 1]
RESTLESS = {"deferral_factor": 3, "change_rate": 0.5, "participation_factor": 2}


def low(years: tuple[int, ...], **amounts: int) -> dict[str, Any]:
    return {"amounts": {name: dict.fromkeys(years, amount) for name, amount in amounts.items()}}


def plans(*years: int) -> dict[str, dict[str, Any]]:
    return {
        "weekly": {
            "pay_frequency": "weekly", "behavior": RESTLESS, "core": {"rate": 0.0301},
            "match": {"formula": "tiers", "tiers": TIERS, "true_up": False},
        },
        "biweekly": {
            "behavior": RESTLESS, "match": {"formula": "safe_harbor_basic"},
            "core": {"rate": 0.03, "excess_rate": 0.06, "integration_level": 0.2},
            "eligibility": {"entry_dates": "immediate", "months_of_service": 0},
        },
        "semimonthly": {
            "pay_frequency": "semimonthly", "match": {"formula": "safe_harbor_enhanced"},
            "deferrals": {"maximum_rate": 1, "roth_share": 1}, "investment_return_rate": -0.1,
            "core": {"rate": 0.3}, "vesting": {"core": [0, 0, 0, 1]},
            "escalation": {"enabled": True, "scope": "all", "date": "07-01", "step": 0.0125},
        },
        "monthly": {
            "pay_frequency": "monthly", "behavior": RESTLESS, "match": {"formula": "qaca"},
            "automatic_enrollment": {"enabled": True, "opt_out_rate": 0.3},
            "vesting": {"match": [0, 0, 1], "core": GRADED},
            "core": {"rate": 0.05, "excess_rate": 0.1, "integration_level": 0.9},
            "forfeitures": {"use": "pay_expenses", "expense_per_participant": 25.5},
            "limits": low(years, annual_additions=30_000),
        },
        "service": {
            "pay_frequency": "monthly", "core": {"by": "service", "tiers": STEPS},
            "match": {"formula": "tiers", "tiers": GROUPS, "by": "service", "true_up": False},
            "deferrals": {"maximum_rate": 0.1}, "vesting": {"match": GRADED, "core": GRADED},
            "forfeitures": {"use": "reallocate"},
        },
        "points": {
            "match": {"formula": "tiers", "tiers": GROUPS, "by": "points"},
            "core": {"by": "points", "tiers": STEPS},
            "vesting": {"match": GRADED, "core": [0, 0, 1]},
            "forfeitures": {"use": "reallocate"}, "limits": low(years, annual_additions=12_000),
            "deferrals": {"roth": False, "roth_share": 0},
        },
        "annual": {
            "behavior": RESTLESS, "core": {"rate": 0.02, "last_day": True, "hours": 999},
            "match": {
                "formula": "tiers", "tiers": RISING, "basis": "annual", "last_day": True,
                "hours": 900,
            },
            "vesting": {"match": [0, 0.5, 1]}, "forfeitures": {"use": "pay_expenses"},
        },
        "rising": {
            "pay_frequency": "semimonthly", "behavior": RESTLESS,
            "match": {"formula": "tiers", "tiers": RISING},
        },
        "capped": {
            "match": {"formula": "tiers", "maximum_rate": 0.015043, "maximum_amount": 1000.01},
            "core": {"by": "age", "tiers": STEPS}, "vesting": {"match": GRADED},
            "automatic_enrollment": {"enabled": True, "default_rate": 0.0333, "window_days": 0},
        },
        "no_roth": {
            "pay_frequency": "monthly", "deferrals": {"roth": False, "roth_share": 0},
            "match": {"formula": "tiers"},
            "limits": low((2026, 2027, 2028), roth_catch_up_wages=60_000),
        },
        "roth_catch_up": {
            "deferrals": {"roth_share": 0.3333}, "match": {"formula": "tiers"},
            "limits": low((2026, 2027, 2028), roth_catch_up_wages=60_000),
        },
        "low_limits": {
            "behavior": RESTLESS, "match": {"formula": "tiers", "tiers": TIERS},
            "core": {"rate": 0.05, "excess_rate": 0.1, "integration_level": 1},
            "limits": low(
                years, elective_deferral=4_321, catch_up=1_000, catch_up_60_to_63=2_000,
                compensation=45_000, annual_additions=8_000, wage_base=30_000,
            ),
        },
        # Who defers a tenth is paid 45,000, the last that count, shortly before 4,600 are met.
        "uncounted": {
            "pay_frequency": "monthly", "behavior": RESTLESS,
            "match": {
                "formula": "tiers", "tiers": [{"up_to": 0.2, "rate": 1}], "true_up": False,
            },
            "limits": low(
                years, elective_deferral=4_600, catch_up=900, catch_up_60_to_63=1_800,
                compensation=45_000,
            ),
        },
        "top_paid": {
            "pay_frequency": "weekly", "highly_compensated": {"top_paid_group": True},
            "deferrals": {"highly_compensated_maximum_rate": 0.04, "catch_up": False},
            "limits": low((2024, *years), highly_compensated=60_000),
            "match": {"formula": "tiers", "true_up": False}, "behavior": RESTLESS,
        },
        "some": {
            "eligibility": {
                "hours_of_service": 1000, "exclude_union": True,
                "excluded_departments": {years[0]: [], years[1]: ["Sales"]}, "excluded_levels": [5],
            },
            "match": {"formula": "tiers"}, "core": {"rate": {years[0]: 0.04, years[1]: 0.02}},
        },
    }  # fmt: skip


LATER = ("monthly", "service", "low_limits", "roth_catch_up", "top_paid")
CASES = [((2025, 2026), name) for name in plans(2025, 2026)]
CASES += [((2027, 2028), name) for name in LATER]


@pytest.fixture(scope="module")
def books(shared_studies: Studies, company: Path) -> dict[tuple[int, int], Books]:
    found = {}
    for years, names in groupby(CASES, lambda case: case[0]):
        designs = {name: plans(*years)[name] for _, name in names}
        run = shared_studies.simulate(
            company,
            census_date=f"{years[0]}-01-01",
            simulation={"start_year": years[0], "end_year": years[1]},
            workforce={
                "promotion_rate": 0.2, "target_growth_rate": 0.1,
                "hiring": {"month_weights": LATE},
            },
            compensation={"promotion_increase": 0.5},
            scenarios={name: {"plan": plan} for name, plan in designs.items()},
        )  # fmt: skip
        found[years] = Books(run, designs, listed(company))
    return found


@pytest.mark.parametrize(("years", "scenario"), CASES, ids=str)
def test_every_amount_is_that_of_the_days_and_pay_periods(
    books: dict[tuple[int, int], Books], years: tuple[int, int], scenario: str
) -> None:
    for year in years:
        rows, cost = books[years].expected(scenario, year)
        assert len(rows) > 200
        wrong = [
            (year, employee, column, found, value)
            for employee, row in rows.items()
            for column, value in row.items()
            if (found := books[years].rows[scenario, year, employee][column]) != value
        ]
        assert not wrong, (len(wrong), wrong[:4])
        assert books[years].costs[scenario, year].items() >= cost.items()


ADDITIONS = "annual_additions > 0 and annual_additions = least(prorated_annual_compensation, {})"
BINDING = {
    "limit_date is not null": 400,
    "limit_date is not null and termination_date is not null": 20,
    "limit_date is null and catch_up_deferral > 0": 50,
    "current_age between 60 and 63 and catch_up_deferral = 11250": 20,
    "scenario_id = 'roth_catch_up' and roth_catch_up_deferral > 0 "
    "and roth_catch_up_deferral = catch_up_deferral": 20,
    "true_up_contribution > 0": 200,
    "scenario_id = 'low_limits' and " + ADDITIONS.format(8_000): 300,
    "plan_compensation > 360000": 50,
    "forfeiture > 0": 100,
    "forfeiture_allocation > 0": 500,
    "forfeiture_allocation > 0 and " + ADDITIONS.format(12_000): 20,
    "vested_match_rate > 0 and vested_match_rate < 1": 300,
    "scenario_id = 'top_paid' and is_highly_compensated": 100,
    "plan_eligibility_date is not null and not is_covered": 5,
    "weekly_hours < 19 and scenario_id = 'some' and pre_tax_deferral > 0": 20,
    "month(hire_date) = 12 and day(hire_date) = 31": 100,
    # Whose years of service are whole on December 31, that day included.
    "month(hire_date) = 1 and day(hire_date) = 1 and vested_match_rate between 0.01 and 0.99": 10,
    "month(birth_date) = 2 and day(birth_date) = 29": 100,
}


@pytest.mark.parametrize(("condition", "least"), BINDING.items())
def test_every_rule_is_met_by_many(
    books: dict[tuple[int, int], Books], condition: str, least: int
) -> None:
    """Or the comparison would not show that it is kept."""
    counts = [
        book.run.sql(f"select count(*) from fct_workforce_snapshot where {condition}").fetchall()
        for book in books.values()
    ]
    assert sum(count for [(count,)] in counts) >= least


def test_part_timers_enter_after_two_years_or_never(books: dict[tuple[int, int], Books]) -> None:
    """Section 401(k)(15): scheduled for 500 hours or more, though not for 1,000."""
    entered = 0
    for (scenario, year, _), row in books[2025, 2026].rows.items():
        if scenario != "some" or row["weekly_hours"] * 52 >= 1000 or row["is_union"]:
            continue
        served = birthday(row["hire_date"], 2)
        ready = max(served, birthday(row["birth_date"], 21), date(2025, 1, 1))
        entry = next(
            day for year in (ready.year, ready.year + 1) for month in (1, 4, 7, 10)
            if (day := date(year, month, 1)) >= ready
        )  # fmt: skip
        last = row["termination_date"] or date(year, 12, 31)
        enters = row["weekly_hours"] * 52 >= 500 and entry <= last
        excluded = row["job_level"] == 5 or row["department"] == "Sales"
        assert (
            row["plan_eligibility_date"] in ({entry, None} if excluded else {entry}) or not enters
        )
        if not enters:
            assert row["plan_eligibility_date"] is None
        elif not excluded:
            assert row["match_contribution"] == row["core_contribution"] == 0
            entered += 1
    assert entered > 20


SOURCES = {
    "pre_tax": "pre_tax_deferral", "roth": "roth_deferral", "catch_up": "catch_up_deferral",
    "match": "match_contribution", "core": "core_contribution",
    "plan_compensation": "plan_compensation",
}  # fmt: skip


def events_of(row: Row, before: Row | None) -> dict[str, tuple[date, Row]]:
    """Return the events, beside those of decisions and work, that a row comes from."""
    end = date(row["simulation_year"], 12, 31)
    found: dict[str, tuple[date, Row]] = {}
    sources = {name: row[column] for name, column in SOURCES.items()}
    amount = sum(sources.values()) - row["plan_compensation"]
    if amount > 0:
        limit = {"limit_date": str(row["limit_date"])} if row["limit_date"] else {}
        last = row["termination_date"] or end
        found["contribution"] = last, {"amount": amount, **sources, **limit}
    for kind, column in (
        ("true_up", "true_up_contribution"),
        ("forfeiture", "forfeiture"),
        ("forfeiture_allocation", "forfeiture_allocation"),
    ):
        if row[column] > 0:
            found[kind] = end, {"amount": row[column]}
    if row["is_highly_compensated"] != bool(before and before["is_highly_compensated"]):
        first = max(row["hire_date"], date(end.year, 1, 1))
        found["hce_status"] = first, {"highly_compensated": row["is_highly_compensated"]}
    return found


def test_events_are_those_of_the_rows(books: dict[tuple[int, int], Books]) -> None:
    for book in books.values():
        for key, row in book.rows.items():
            scenario, year, employee = key
            expected = events_of(row, book.rows.get((scenario, year - 1, employee)))
            found = {event["event_type"]: event for event in book.events[key]}
            kinds = {"contribution", "true_up", "forfeiture", "forfeiture_allocation", "hce_status"}
            assert found.keys() & kinds == expected.keys(), key
            for kind, (day, payload) in expected.items():
                event = found[kind]
                assert event["effective_date"] == day, (key, kind)
                assert event["payload"].items() >= payload.items(), (key, kind)
            if "forfeiture" in found:
                by_source = found["forfeiture"]["payload"]
                assert by_source["match"] + by_source["core"] == row["forfeiture"]


def test_shares_vest_when_a_year_is_whole_or_at_65(books: dict[tuple[int, int], Books]) -> None:
    vested = 0
    for book in books.values():
        for key, row in book.rows.items():
            person = book.year(key)
            sources = ("match", "core")
            shares = {source: row[f"vested_{source}_rate"] for source in sources}
            previous = {
                source: person.vested(source, date(person.year - 1, 12, 31)) for source in sources
            }
            # Without an account there is nothing to vest.
            rises = any(
                shares[source] > previous[source] and row[f"{source}_balance"] > 0
                for source in sources
            )
            events = [event for event in book.events[key] if event["event_type"] == "vesting"]
            assert len(events) == rises, key
            for event in events:
                day, payload = event["effective_date"], event["payload"]
                before = {f"previous_{source}": share for source, share in previous.items()}
                assert payload == {**shares, **before}
                assert person.first <= day <= person.last
                on, eve = (
                    {source: person.vested(source, at) for source in sources}
                    for at in (day, day - timedelta(days=1))
                )
                assert on == shares != eve
                vested += 1
    assert vested > 500


def birthday(born: date, age: int) -> date:
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def test_groups_add_up_to_the_costs(books: dict[tuple[int, int], Books]) -> None:
    for book in books.values():
        shared = "headcount", "covered_headcount", *SOURCES.values(), "true_up_contribution"
        sums = ", ".join(f"sum({column})" for column in shared)
        costs = book.run.sql(
            f"select scenario_id, simulation_year, {sums} from fct_plan_costs "
            "group by all order by all"
        ).fetchall()
        grouped = book.run.sql(
            f"select scenario_id, simulation_year, {sums} from fct_plan_costs_by_group "
            "group by scenario_id, simulation_year, dimension order by all"
        ).fetchall()
        assert grouped == [row for row in costs for _ in range(4)]


def test_a_plan_design_changes_nobodys_work(books: dict[tuple[int, int], Books]) -> None:
    """The same people leave, are hired, promoted and paid, whatever the plan is."""
    for book in books.values():
        for mart in ("fct_financial_summary", "fct_compensation_trends"):
            columns = "scenario_id, plan_eligible_headcount" if "summary" in mart else "scenario_id"
            rows = book.run.sql(
                f"select distinct * exclude ({columns}) from {mart} order by all"
            ).fetchall()
            [(one,)] = book.run.sql(
                f"select count(*) // count(distinct scenario_id) from {mart}"
            ).fetchall()
            assert len(rows) == one


# A day's pay is whole dollars in most: what docs/method/contributions.md shows, and what it says.
EXAMPLES: dict[str, tuple[str, str, int, float, Row]] = {
    # Entered on March 1, raised by a tenth on April 1.
    "raised": ("1985-05-05", "2024-12-01", 60_000, 0.0, {
        "plan_compensation": "54821.92", "core_contribution": "1644.66",
    }),
    # 1,000 a day defer 100 until August 23.
    "stops": ("1985-05-05", "2015-05-05", 365_000, 0.1, {
        "limit_date": date(2025, 8, 23), "match_contribution": "7290",
        "true_up_contribution": "3210",
    }),
    # 3 % of the 350,000 that count are 10,500; of the year 21,900 are deferred, 21,000 matched.
    "counted": ("1985-05-05", "2015-05-05", 730_000, 0.03, {
        "limit_date": None, "match_contribution": "5250", "true_up_contribution": "5250",
    }),
    # 1,000 a day defer 65 until December 28; 350,000, paid by December 16, defer 22,750.
    "beyond": ("1985-05-05", "2015-05-05", 365_000, 0.065, {
        "limit_date": date(2025, 12, 28), "match_contribution": "22750",
        "true_up_contribution": "0",
    }),
    # Of the year all of 23,500 is matched.
    "beyond and made up": ("1985-05-05", "2015-05-05", 365_000, 0.065, {
        "match_contribution": "22750", "true_up_contribution": "750",
    }),
    # 200 a day defer 16, from July 1 on 26: 7,680 of 73,000, of which 10 % are regular.
    "escalated": ("1970-05-05", "2015-05-05", 73_000, 0.08, {
        "limit_date": None, "pre_tax_deferral": "7300", "catch_up_deferral": "380",
    }),
}  # fmt: skip


HALF, DOLLAR = {"up_to": 0.06, "rate": 0.5}, {"up_to": 0.1, "rate": 1}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(shared_studies: Studies, name: str) -> None:
    born, hired, pay, rate, expected = EXAMPLES[name]
    path = shared_studies.new(".parquet")
    duckdb.execute(
        "copy (select 'E1' as employee_id, "
        f"date '{born}' as birth_date, date '{hired}' as hire_date, "
        f"{pay}::decimal(15, 2) as annual_compensation, 2 as job_level, {rate} as deferral_rate) "
        f"to '{path}' (format parquet)"
    )
    run = shared_studies.simulate(
        path,
        simulation={"start_year": 2025, "end_year": 2025},
        workforce={
            "total_termination_rate": 0, "promotion_rate": 0, "target_growth_rate": 0,
        },
        compensation={
            "cola_rate": 0.1 if name == "raised" else 0, "merit_budget": 0,
            "raise_cutoff": "12-31", "raise_months": [0, 0, 0, 1] + [0] * 8,
        },
        plan={
            "eligibility": {"entry_dates": "monthly"}, "core": {"rate": 0.03},
            "pay_frequency": "monthly", "match": {
                "formula": "tiers", "true_up": name != "beyond",
                "tiers": [DOLLAR if name.startswith("beyond") else HALF],
            },
            "behavior": {"change_rate": 0}, "deferrals": {"roth_share": 0, "maximum_rate": 0.1},
            "escalation": {
                "enabled": name == "escalated", "scope": "all", "date": "07-01", "step": 0.05,
                "cap": 0.13, "opt_out_rate": 0,
            },
        },
    )  # fmt: skip
    [row] = table(run, "fct_workforce_snapshot")
    found = {column: row[column] for column in expected}
    assert found == {
        column: Decimal(value) if isinstance(value, str) else value
        for column, value in expected.items()
    }

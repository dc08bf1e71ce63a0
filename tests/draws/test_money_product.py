"""The product in 64-bit integers is the rounded product of decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import jinja2
from hypothesis import example, given
from hypothesis import strategies as st

import planalign

MACROS = Path(planalign.__file__).parent / "dbt" / "macros" / "arithmetic.sql"
CENT = Decimal("0.01")


def product(pay: Decimal, factor: Decimal) -> Decimal:
    macros = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL
    module = macros.from_string(MACROS.read_text()).module
    sql = module.money_product("pay", "factor")
    with duckdb.connect() as connection:
        return connection.execute(
            f"select {sql} from (select ?::decimal(15, 2) as pay, ?::decimal(10, 6) as factor)",
            [pay, factor],
        ).fetchall()[0][0]


@given(
    st.decimals(0, Decimal("9999999999999.99"), places=2),
    st.decimals(0, Decimal("9.999999"), places=6),
)
@example(Decimal("0.01"), Decimal("0.500000"))  # half a cent goes up
@example(Decimal("0.05"), Decimal("1.100000"))
@example(Decimal("99999999.99"), Decimal("1.999999"))
@example(Decimal(0), Decimal(1))
def test_the_product_is_rounded_half_away_from_zero(pay, factor):
    expected = (pay * factor).quantize(CENT, ROUND_HALF_UP)
    if expected < Decimal(10000000000000):
        assert product(pay, factor) == expected

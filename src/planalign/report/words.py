"""Figures as text for readers."""

from __future__ import annotations

UNKNOWN = "-"


def seconds(value: float | None) -> str:
    """Return seconds with as many digits as a reader needs."""
    if value is None:
        return UNKNOWN
    if value < 0.0995:
        return f"{value * 1000:.3g} ms"
    if value < 120:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def size(value: float | None) -> str:
    """Return bytes in decimal units."""
    if value is None:
        return UNKNOWN
    sign, value = ("-", -value) if value < 0 else ("", value)
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return (
                f"{sign}{value / unit:.3g} {name}"
                if value < 1000 * unit
                else (f"{sign}{value / unit:,.0f} {name}")
            )
    return f"{sign}{value:.0f} B"


def percent(value: float | None) -> str:
    """Return a part of 1 in percent."""
    return (
        UNKNOWN
        if value is None
        else f"{100 * value:.1f} %"
        if value < 0.995
        else f"{100 * value:.0f} %"
    )


def count(value: float | None) -> str:
    """Return a whole number."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def decimal(value: float | None) -> str:
    """Return a number with two decimals."""
    return UNKNOWN if value is None else f"{value:,.2f}"

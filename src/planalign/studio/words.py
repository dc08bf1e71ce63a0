"""Figures as a reader wants them: seconds, bytes, counts, instants."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "\N{EN DASH}"


def seconds(value: float | None) -> str:
    """Return a duration: milliseconds, seconds, minutes or hours."""
    if value is None:
        return UNKNOWN
    if value < 0.00995:
        shown = f"{value * 1000:.1f} ms" if value >= 0.00005 else "under 0.1 ms"
        return shown if value else "0 s"
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    if value < 9.95:
        return f"{value:.2f} s"
    if value < 99.5:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def roughly(value: float) -> str:
    """Return an estimated duration, in whole seconds below two minutes."""
    return f"{value:.0f} s" if value < 99.5 else seconds(value)


def size(value: float | None) -> str:
    """Return bytes in decimal units, as limits are given."""
    if value is None:
        return UNKNOWN
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= unit * 0.9995:
            return f"{value / unit:.2f} {name}" if unit == 1e9 else f"{value / unit:.0f} {name}"
    return f"{value:.0f} B"


def count(value: float | None) -> str:
    """Return a whole number with separators."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """Return a part of 1 in percent."""
    return UNKNOWN if value is None else f"{value:.0%}"


def instant(time: float | None) -> str:
    """Return Unix time as date and time of this machine's zone."""
    if time is None:
        return UNKNOWN
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def years(first: int | None, last: int | None) -> str:
    """Return the first and last of some years."""
    if first is None:
        return UNKNOWN
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"

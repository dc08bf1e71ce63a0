"""Text of unknown origin, for people to read."""

from __future__ import annotations


def visible(text: str, keep: str = "") -> str:
    r"""Return a text with every character that does not print as its escape, such as `\x1b`.

    Names, values and paths come from files, and would otherwise command the terminal:
    control characters (also C1), direction marks, zero-width characters, surrogates.

    Args:
        text: what is shown.
        keep: what stays as it is, such as the ends of lines that are ours.
    """
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)

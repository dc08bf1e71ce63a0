"""Write the tables of docs/reference/events.md from the list in macros/events.sql.

Usage: python tools/event_reference.py          write them
       python tools/event_reference.py --check  say whether they differ, with exit code 3
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_common.clients.jinja import get_environment
from dbt_common.exceptions.macros import MacroReturn
from dbt_common.utils.jinja import MACRO_PREFIX

from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "events.md"
BEGIN, END = (
    f"<!-- {word} of what tools/event_reference.py writes -->" for word in ("begin", "end")
)


def macros_of(folder: Path = PACKAGED / "macros") -> dict[str, Any]:
    """Return the macros of a folder by name; one that is put in its place is what the others call.

    What a macro raises is a ValueError.
    """
    context: dict[str, Any] = {"return": _return, "exceptions": _Exceptions}
    for path in sorted(folder.glob("*.sql")):
        template = get_environment().from_string(path.read_text("utf-8"), globals=context)
        for name, macro in vars(template.make_module()).items():
            if name.startswith(MACRO_PREFIX):
                context[name.removeprefix(MACRO_PREFIX)] = _returning(macro)
    return context


def declared_events(macros: Path = PACKAGED / "macros") -> list[dict[str, Any]]:
    """Return what macro `yearly_events` of a folder of macros returns.

    Raises:
        ValueError: the list is faulty.
    """
    events: list[dict[str, Any]] = macros_of(macros)["yearly_events"]()
    return events


def _return(value: object) -> None:
    raise MacroReturn(value)


class _Exceptions:
    @staticmethod
    def raise_compiler_error(message: str) -> None:
        raise ValueError(message)


def _returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return macro(*args, **kwargs)
        except MacroReturn as returned:
            return returned.value

    return call


def tables(events: list[dict[str, Any]]) -> str:
    """Return the Markdown of the table of events and of that of their payloads."""
    return "\n".join([*_events(events), "", *_payloads(events)])


def _events(events: list[dict[str, Any]]) -> Iterator[str]:
    yield "| event type | number | the employee | from |"
    yield "|---|---|---|---|"
    for event in events:
        yield f"| `{event['name']}` | {event['number']} | {event['words']} | `{event['source']}` |"


def _payloads(events: list[dict[str, Any]]) -> Iterator[str]:
    yield "| payload of | key | type | meaning |"
    yield "|---|---|---|---|"
    for event in events:
        first = f"`{event['name']}`"
        for value in event["payload"]:
            meaning = value["words"] + (", if there is one" if value["if_any"] else "")
            yield f"| {first} | `{value['key']}` | {value['type']} | {meaning} |"
            first = ""


def page(text: str, events: list[dict[str, Any]]) -> str:
    """Return a page with the tables between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(events)}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check compare it; return the exit code."""
    text = PAGE.read_text("utf-8")
    wanted = page(text, declared_events())
    if "--check" not in arguments:
        PAGE.write_text(wanted, "utf-8")
    elif text != wanted:
        print(f"{PAGE.relative_to(ROOT)} is not what tools/event_reference.py writes")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

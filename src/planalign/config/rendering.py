"""Write a configuration as YAML: the resolved one, and the one to start from."""

from __future__ import annotations

import datetime
import re
import textwrap
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from planalign.config.document import resolve
from planalign.config.scalars import plain
from planalign.config.sections import Section
from planalign.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.config.models import Config


def to_yaml(config: Config) -> str:
    """Return the configuration with every default, to be loaded with the same result.

    Paths are absolute; a scenario lists what it changes. Equal configurations
    give equal text.
    """
    data = as_data(config)
    data["scenarios"] = {
        name: _changes(settings, config) for name, settings in config.scenarios.items()
    }
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
    return text


def annotated_yaml(data: Mapping[str, Any], comments: Mapping[str, str], lead: str = "") -> str:
    """Return settings as YAML with a comment above some of them.

    Args:
        data: a mapping is on the line of its key if it is neither nested nor explained.
        comments: dotted key -> text, broken at the width of the file.
        lead: a comment at the top.

    """
    lines = [*_comment(lead, ""), *([""] if lead else [])]
    lines += _annotated(data, comments, (), "")
    return "\n".join(lines) + "\n"


def _annotated(
    data: Mapping[str, Any], comments: Mapping[str, str], place: tuple[str, ...], indent: str
) -> Iterator[str]:
    for key, value in data.items():
        here = (*place, str(key))
        yield from _comment(comments.get(".".join(here), ""), indent)
        if isinstance(value, Mapping) and _is_written_out(value, comments, ".".join(here)):
            yield f"{indent}{_flow(key)}:"
            yield from _annotated(value, comments, here, indent + "  ")
        elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            yield f"{indent}{_flow(key)}:"
            yield from (f"{indent}  - {_flow(one)}" for one in value)
        else:
            yield f"{indent}{_flow(key)}: {_flow(value)}"


def _is_written_out(value: Mapping[str, Any], comments: Mapping[str, str], place: str) -> bool:
    """Say whether each key of a mapping has its own line: where one is explained, or nested."""
    return any(isinstance(one, Mapping | list | tuple) for one in value.values()) or any(
        comment.startswith(f"{place}.") for comment in comments
    )


def _flow(value: Any) -> str:
    text: str = yaml.dump(
        as_data(value),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True,
        width=1_000_000,
    )
    return text.removesuffix("\n...\n").rstrip("\n")


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(visible(text), 96 - len(indent))]


def documented_yaml(
    tables: Sequence[str] = (), values: Mapping[str, object] = MappingProxyType({})
) -> str:
    """Return the planalign.yaml to start from: every key, explained, at its default.

    Args:
        tables: names of reference tables for which it names a file in the folder `tables`.
        values: of keys that stand once in it with a single value, such as `start_year`.

    """
    text = resources.files(__package__).joinpath("planalign.yaml").read_text(encoding="utf-8")
    for key, value in values.items():
        text, times = re.subn(rf"(?m)^( *{re.escape(key)}: ).+$", rf"\g<1>{value}", text)
        if times != 1:
            raise ValueError(f"{key} stands {times} times in planalign.yaml")
    if not tables:
        return text
    named = "".join(f"  {name}: tables/{name}.csv\n" for name in tables)
    return text.replace("\ntables: {}\n", f"\ntables:\n{named}")


def _changes(settings: Section, base: Section) -> dict[str, Any]:
    """Return what a scenario changes in the sections it was completed from."""
    changes = {}
    for name in type(settings).model_fields:
        own, shared = getattr(settings, name), getattr(base, name)
        if own == shared:
            continue
        changes[name] = _changes(own, shared) if isinstance(own, Section) else as_data(own)
    return changes


def as_data(value: Any) -> Any:
    """Return settings as dicts, lists and single values."""
    if isinstance(value, Section):
        return {name: as_data(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: as_data(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [as_data(item) for item in value]
    if isinstance(value, (PurePath, datetime.date)):
        return str(value)
    return value


class _Dumper(yaml.SafeDumper):
    """Write decimals as plain numbers, and quote text that would read as something else."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write equal values out: the reader refuses aliases."""
        return True

    def decimal(self, value: Decimal) -> yaml.ScalarNode:
        text = plain(value)
        tag = "float" if "." in text else "int"
        return self.represent_scalar(f"tag:yaml.org,2002:{tag}", text)

    def text(self, value: str) -> yaml.ScalarNode:
        style = None if isinstance(resolve(value), str) else "'"
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(Decimal, _Dumper.decimal)
_Dumper.add_representer(str, _Dumper.text)

"""The marts that the packaged project declares: those of every run that declares none itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from planalign.marts.declaration import Mart, mart_of

PACKAGED = Path(__file__).resolve().parent.parent / "dbt"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def packaged_marts() -> dict[str, Mart]:
    """Return the marts of the packaged project by name, from its YAML."""
    found = {}
    for path in sorted((PACKAGED / "models").glob("*/*.yml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe
        for model in content.get("models", []):
            meta = model.get("config", {}).get("meta", {})
            if "key" in meta:
                columns = {one["name"]: one.get("description") for one in model["columns"]}
                found[model["name"]] = mart_of(
                    model["name"], meta, model.get("description"), columns
                )
    return dict(sorted(found.items()))

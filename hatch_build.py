"""Compile the dbt project into the wheel, so that the first run of an installation is warm."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompilePipeline(BuildHookInterface):  # type: ignore[type-arg]
    """Put the compiled pipeline beside the code that looks for it.

    It is made from the files that go into the wheel and never lies in the source
    tree, where it would outlive the models it was made from.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the installation is to follow the source tree."""
        if version == "editable":
            return
        source = Path(self.root, "src")
        sys.path.insert(0, str(source))
        try:
            from planalign.engine.compiler import SHIPPED, compile_project  # noqa: PLC0415
            from planalign.engine.project import Project  # noqa: PLC0415
        finally:
            sys.path.remove(str(source))
        project = Project(source / "planalign" / "dbt")
        self._scratch = tempfile.TemporaryDirectory(prefix="planalign-build-")
        compiled = Path(self._scratch.name, SHIPPED.name)
        compile_project(project).save(compiled)
        inside = SHIPPED.relative_to(SHIPPED.parents[2]).as_posix()
        build_data["force_include"][str(compiled)] = inside

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the scratch folder."""
        if version != "editable":
            self._scratch.cleanup()

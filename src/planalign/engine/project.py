"""Where the dbt project is, and the fingerprint of everything that can change it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from planalign.errors import UsageError
from planalign.files import require_path
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Mapping

# What dbt reads. Its own target and log folders are not part of the project.
_SOURCES = ("models", "macros", "seeds", "tests", "dbt_project.yml", "profiles.yml", ".dbtignore")


@dataclass(frozen=True)
class Project:
    """A dbt project folder: the packaged one, a user's changed copy of it, or both in one.

    `origins` says of files that were laid over others where they come from, and `base`
    where the others do: what is wrong with one is told of the user's own. `extra_columns`
    are those of the census that a configuration adds, with their SQL types.
    """

    folder: Path
    origins: Mapping[str, Path] = field(default_factory=dict, compare=False)
    base: Path | None = field(default=None, compare=False)
    named: Path | None = field(default=None, compare=False)
    extra_columns: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def at(cls, folder: Path | None) -> Project:
        """Return the project in `folder`, or the packaged one.

        Raises:
            UsageError: the folder holds no dbt project, or dbt cannot read its path.
        """
        project = cls((folder or PACKAGED).resolve())
        require_path(project.folder)
        if not (project.folder / "dbt_project.yml").is_file():
            raise UsageError(
                f"{project.folder} is no dbt project: it has no dbt_project.yml",
                "Copy the packaged project there, or drop the dbt_project setting.",
            )
        return project

    @property
    def name(self) -> Path:
        """Return the folder that a user knows the project by."""
        return self.named or self.folder

    def place(self, path: str) -> Path:
        """Return where a user finds the file at a path of the project."""
        return self.origins.get(path, (self.base or self.folder) / path)

    def told(self, path: str) -> str:
        """Return what a run calls the file at a path of the project: a study's own as it is."""
        return str(self.place(path)) if self.is_laid_over(path) else path

    def is_laid_over(self, path: str) -> bool:
        """Say whether the file at a path of the project is one of a study's own."""
        return self.base is not None and path in self.origins

    @property
    def files(self) -> list[Path]:
        """Return every file that dbt reads, in stable order."""
        found: list[Path] = []
        for name in _SOURCES:
            path = self.folder / name
            if path.is_dir():
                found.extend(file for file in path.rglob("*") if file.is_file())
            elif path.is_file():
                found.append(path)
        return sorted(found)

    @cached_property
    def files_fingerprint(self) -> str:
        """Return the SHA-256 of all files."""
        return fingerprint_of(
            {str(file.relative_to(self.folder)): file.read_bytes() for file in self.files}
        )

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of all files and of the versions that compile them."""
        return with_versions(self.files_fingerprint)

    @cached_property
    def counting_fingerprint(self) -> str:
        """Return the SHA-256 of what of the files can reach the compiled models.

        Takes ten times as long as that of all files: for a project that changed.
        """
        from planalign.engine.templates import reads_descriptions, what_counts

        described = any(reads_descriptions(file) for file in self.files)
        return fingerprint_of(
            {
                str(file.relative_to(self.folder)): what_counts(file, with_descriptions=described)
                for file in self.files
            }
        )


def fingerprint_of(contents: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of the contents of files by their paths in a project."""
    digest = hashlib.sha256()
    for path in sorted(contents, key=Path):
        content = contents[path]
        digest.update(os.fsencode(path) + f" {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def with_versions(fingerprint: str) -> str:
    """Return the SHA-256 of a fingerprint and of the versions that compile models."""
    digest = hashlib.sha256(fingerprint.encode())
    for name, version in sorted(compiler_versions().items()):
        digest.update(f"{name}={version}\n".encode())
    return digest.hexdigest()


def compiler_versions() -> dict[str, str]:
    """Return the versions of what turns models into SQL, without importing it."""
    return {name: metadata.version(name) for name in ("dbt-core", "dbt-adapters", "dbt-duckdb")}

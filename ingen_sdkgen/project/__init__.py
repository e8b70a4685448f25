"""What is to be generated, where it goes, and whether it is up to date.

`file` reads an `ingen-sdkgen.toml`, `generation` makes the contents, `comparison` sets them against what is
on disk and in the lock file (`lock`), `applying` writes, `out_of_date` tells what a check has found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ingen_sdkgen.languages.registry import Language, OptionValue

PROJECT_FILE = "ingen-sdkgen.toml"
LOCK_FILE = "ingen-sdkgen.lock"


class BuildSettings(NamedTuple):
    """How a guest is compiled; see `ingen_sdkgen.building`."""

    output: Path | None = None
    sources: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    target: str | None = None
    component: bool = False
    libraries: tuple[Path, ...] = ()


class Target(NamedTuple):
    """One set of bindings. Paths are as the system takes them."""

    language: Language
    wit: Path
    world: str | None
    """None: the only world of the main package."""
    out: Path
    features: tuple[str, ...] = ()
    all_features: bool = False
    options: Mapping[str, OptionValue] = {}
    templates: Path | None = None
    build: BuildSettings = BuildSettings()


class Project(NamedTuple):
    """All that is generated together, under one lock file."""

    root: Path
    """The folder that the paths in the lock file start from."""
    targets: tuple[Target, ...]
    file: Path | None
    """None where the command line says what to generate."""

    @property
    def lock(self) -> Path:
        """Where the lock file is, or will be."""
        return self.root / LOCK_FILE

    def place(self, path: str) -> Path:
        """Where a path of the lock file is, as messages show it."""
        return Path(os.path.normpath(self.root / path))

    def shown(self, path: Path) -> str:
        """A path of the project as its lock file has it: relative to the root, with `/`."""
        return Path(os.path.relpath(path, self.root)).as_posix()


def find_project_file(start: Path) -> Path | None:
    """The project file in a folder, or in the nearest folder above it."""
    folder = start.absolute()
    for candidate in [folder, *folder.parents]:
        if (candidate / PROJECT_FILE).is_file():
            # As a user would write it, for messages.
            return start / os.path.relpath(candidate / PROJECT_FILE, folder)
    return None

"""Arguments that several verbs have."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

from ingen_sdkgen.project import PROJECT_FILE, find_project_file


def add_gates(group: argparse._ArgumentGroup) -> None:
    """Which gated items count."""
    gates = group.add_mutually_exclusive_group()
    gates.add_argument(
        "--features",
        metavar="A,B",
        action="append",
        default=[],
        help="include items that are gated `@unstable(feature = A)`; may be repeated",
    )
    gates.add_argument("--all-features", action="store_true", help="include all gated items")


def add_running(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """How the verb runs and reports."""
    running = parser.add_argument_group("how")
    running.add_argument(
        "--error-format",
        choices=["text", "json", "github"],
        default="text",
        help="how errors are shown, on standard error (default: text)",
    )
    running.add_argument(
        "--no-cache", action="store_true", help="neither use nor keep results of earlier runs"
    )
    return running


def add_project(group: argparse._ArgumentGroup) -> None:
    """Which project file."""
    group.add_argument(
        "--project",
        metavar="FILE",
        type=Path,
        help="the project file, or its folder (default: ingen-sdkgen.toml in this folder or above it)",
    )


def split_names(given: Iterable[str]) -> list[str]:
    """Names that were given with commas, in repeated arguments, or both."""
    return [name for names in given for name in re.split(r"[\s,]+", names) if name]


def project_file(given: Path | None) -> Path:
    """The project file that the command line means.

    Raises: WitError
    """
    if given is not None:
        return given / PROJECT_FILE if given.is_dir() else given
    found = find_project_file(Path())
    if found is None:
        from ingen_sdkgen.diagnostics import WitError

        raise WitError(
            f"there is no {PROJECT_FILE} in this folder or above it",
            hint="`ingen-sdkgen new NAME --language c` begins a project; "
            "`ingen-sdkgen gen-wasm WIT --language c --out DIR` does without",
        )
    return found

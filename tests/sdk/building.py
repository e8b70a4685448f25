"""The guests with scenarios, one for each language, built once."""

from __future__ import annotations

import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from ingen_runtime.component.component import Component
from ingen_sdkgen import toolchains
from ingen_sdkgen.cli import main
from ingen_sdkgen.toolchains import MissingTool
from tests.conftest import ROOT, absent

LANGUAGES = ("rust", "c", "python")
PROJECT = ROOT / "tests" / "sdk" / "guests"


@cache
def scenarios(language: str) -> Component:
    """The guest of a language, compiled."""
    if not _build():
        pytest.fail("the scenarios do not build", pytrace=False)
    return Component.from_file(PROJECT / "build" / f"{language}.wasm")


@cache
def _build() -> bool:
    try:
        toolchains.zig()
        toolchains.componentize_py()
        toolchains.rust_compiler("wasm32-unknown-unknown")
        toolchains.cargo()
    except MissingTool as missing:
        absent(str(missing))
    # Tests run in several processes, and what is built is in one place.
    with Path(tempfile.gettempdir(), f"ingen-scenarios-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return main(["build", "--quiet", "--project", str(PROJECT)]) == 0

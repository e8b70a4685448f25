"""The text format for tests of components."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def assemble(wasm_tools: Path) -> Callable[[str], bytes]:
    """Turns the text format into bytes."""

    def run(text: str) -> bytes:
        done = subprocess.run(
            [str(wasm_tools), "parse", "-"], input=text.encode(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run

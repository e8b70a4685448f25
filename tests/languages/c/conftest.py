"""What tests of C guests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.languages.c.toolchain import LIBRARY, compile_plainly


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The object of what stands in for a C library."""
    return compile_plainly(LIBRARY, tmp_path_factory.mktemp("library"))

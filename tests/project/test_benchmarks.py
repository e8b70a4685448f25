"""The benchmarks run, and their input has the size that they claim."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_benchmark_of_the_front_end_runs(wasm_tools: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.wit", "--runs", "1", "--sizes", "small"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Input: 33 files, 3313 lines, 180 functions, 2434 lines of comments")
    assert "ours, warm cache" in result.stdout
    assert "nested packages (an error)" in result.stdout


@pytest.mark.slow
def test_the_benchmark_of_generating_runs() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.generate", "--runs", "1", "--without-jco"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for name in ["componentize-py bindings", "gen-wasm c, cold: empty cache", "gen-wasm rust, unchanged"]:
        assert name in result.stdout

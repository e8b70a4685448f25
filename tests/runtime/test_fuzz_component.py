"""Corrupted components are refused, and nothing else; `./justw fuzz-components` tries 100,000."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import fuzz_component
from scripts.fuzz_component import Corpus, Host, fuzz


@pytest.mark.slow
def test_corrupted_components() -> None:
    tally = fuzz(seed=7, count=3000, workers=1)
    assert not tally.findings
    assert tally.outcomes["refused"] > 2000 and tally.outcomes["instantiated"] > 100


def test_inputs_that_are_not_corrupted_are_instantiated() -> None:
    host = Host()
    outcomes = [host.run(seed) for seed in Corpus().seeds]
    # The start function of the first calls an import that nothing implements.
    assert outcomes == ["trapped", "instantiated", "instantiated", "instantiated"]


def test_an_input_is_always_the_same() -> None:
    assert Corpus().input(3, 4) == Corpus().input(3, 4) != Corpus().input(3, 5)


_WORKER = """
import os, sys, time
for index in range(*map(int, sys.argv[-2:])):
    print(index, end=" ", flush=True)
    if index == 3:
        os.abort()
    if index == 5:
        time.sleep(600)
    print("! KeyError: 1" if index == 6 else "refused", flush=True)
"""


def test_crashes_hangs_and_wrong_errors_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_component, "_HANG_S", 1.5)
    worker = tmp_path / "worker.py"
    worker.write_text(_WORKER)
    tally = fuzz(1, 8, 1, (sys.executable, str(worker)))
    crash, hang, wrong = sorted(tally.findings)
    assert crash.startswith("input 3: ends the process with status -6")
    assert hang.startswith("input 5: hangs")
    assert wrong == "input 6: KeyError: 1"
    assert tally.outcomes == {"refused": 5}

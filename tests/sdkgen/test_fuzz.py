"""A small run of the fuzz loop: mutated input is refused or accepted, quickly, and nothing else happens."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scripts import fuzz_wit

SHARES = 8
COUNT = 20_000 // SHARES


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_mutated_input_raises_only_what_it_may(conformance: Path, share: int) -> None:
    seed, first = 2026, share * COUNT
    *_, tally = fuzz_wit.fuzz(conformance, seed, iter(range(first, first + COUNT)))
    shown = [f"--seed {seed} --only {finding.index}\n{finding.what}" for finding in tally.findings]
    assert not shown, f"{len(shown)} findings, the first: python scripts/fuzz_wit.py {shown[0]}"
    assert tally.count == COUNT
    assert tally.accepted > COUNT // 100
    assert tally.refused > COUNT // 2


def test_an_input_can_be_made_again(conformance: Path, tmp_path: Path) -> None:
    corpus = fuzz_wit.Corpus(conformance, tmp_path)
    data = (
        corpus.cases[0].path / corpus.cases[0].files[0] if corpus.cases[0].is_folder else corpus.cases[0].path
    ).read_bytes()
    made = [fuzz_wit.mutate(data, corpus, random.Random(f"1:{at}")) for at in range(50)]
    assert made == [fuzz_wit.mutate(data, corpus, random.Random(f"1:{at}")) for at in range(50)]
    assert len(set(made)) > 25


def test_the_loop_reports_a_crash_and_keeps_the_input(
    conformance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path) -> str | None:
        raise RuntimeError("crash")

    corpus = fuzz_wit.Corpus(conformance, tmp_path / "corpus")
    monkeypatch.setattr(fuzz_wit, "try_input", crash)
    tally = fuzz_wit.Tally()
    fuzz_wit.run_input(corpus, 1, 0, tally, tmp_path / "kept")
    assert [finding.what.splitlines()[-1] for finding in tally.findings] == ["RuntimeError: crash"]
    assert any((tmp_path / "kept" / "1-0").iterdir())

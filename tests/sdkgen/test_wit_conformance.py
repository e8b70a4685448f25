"""The conformance data: inputs that must be accepted with exactly that JSON, or rejected at that place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingen_sdkgen.diagnostics import Location, WitErrors
from ingen_sdkgen.model_json import to_json
from ingen_sdkgen.resolve import load, load_text
from ingen_sdkgen.wit.printer import print_wit
from tests.sdkgen.canonical import canonical
from tests.sdkgen.oracle import ACCEPT, FEATURES, AcceptedCase, accepted_cases, wit_json

REJECT = ACCEPT.parent / "reject"


def _rejected() -> list[str]:
    return sorted(path.name for path in REJECT.iterdir()) if REJECT.is_dir() else []


def _input(folder: Path) -> Path:
    """The input as the expectations name it: relative to its folder."""
    return Path("wit") if (folder / "wit").is_dir() else Path("input.wit")


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted(case: AcceptedCase) -> None:
    assert to_json(load(case.input, features=["active"]).resolve) == case.expected


@pytest.mark.parametrize("case", accepted_cases())
def test_printed_and_read_again(case: AcceptedCase) -> None:
    resolve = load(case.input, features=["active"]).resolve
    printed = print_wit(resolve, dependencies=True)
    again = load_text(printed, features=["active"]).resolve
    assert to_json(again) == wit_json(printed, *FEATURES)
    assert canonical(to_json(again)) == canonical(to_json(resolve))


@pytest.mark.parametrize("name", _rejected())
def test_rejected(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = REJECT / name
    monkeypatch.chdir(folder)
    with pytest.raises(WitErrors) as caught:
        load(_input(folder), features=["active"])
    first, sources = caught.value.errors[0], caught.value.sources
    place = first.span and sources.locate(first.span.file, first.span.start)
    expected = re.search(r"([^\s:]+):(\d+):(\d+)", (folder / "expected.txt").read_text("utf-8"))
    assert place == (expected and Location(expected[1], int(expected[2]), int(expected[3])))


def test_the_data_is_whole(conformance: Path) -> None:
    assert len(accepted_cases()) == 69
    assert len(_rejected()) == 154

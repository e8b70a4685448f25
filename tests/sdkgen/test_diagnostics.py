"""Errors when there are very many of them, and very long lines."""

from __future__ import annotations

import pytest

from ingen_sdkgen.diagnostics import MAX_ERRORS, WitErrors, did_you_mean, render_text
from ingen_sdkgen.resolve import load_text

MANY = 3_000


def errors_of(text: str) -> WitErrors:
    with pytest.raises(WitErrors) as caught:
        load_text(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "interface i { " + "f: func(); " * MANY + "}",
        "interface i { " + "".join(f"fn{i}: func(x: missing-{i}x);" for i in range(MANY)) + "}",
        "".join(f"interface i{i} {{ use missing-{i}x.{{t}}; }}" for i in range(MANY)),
        "".join(f"interface i{i} {{ use c:d/missing-{i}x.{{t}}; }}" for i in range(MANY))
        + "package c:d { interface missing {} }",
    ],
    ids=["duplicates", "types", "interfaces", "foreign interfaces"],
)
def test_a_run_reports_no_more_than_anybody_reads(text: str) -> None:
    caught = errors_of(f"package a:b; {text}")
    assert len(caught.errors) == MAX_ERRORS
    shown = render_text(caught.errors[-1], caught.sources)
    assert max(len(line) for line in shown.splitlines()) < 200


def test_errors_of_several_packages_are_all_reported() -> None:
    parts = [f"package a:b{i} {{ interface i {{ f: func(x: missing); }} }}" for i in range(MAX_ERRORS + 9)]
    assert len(errors_of("package a:b; " + "".join(parts[:9])).errors) == 9
    assert len(errors_of("package a:b; " + "".join(parts)).errors) == MAX_ERRORS


def test_the_nearest_of_many_names() -> None:
    names = [f"name-{number:05}-{word}" for number in range(MANY) for word in ("in", "out")]
    assert did_you_mean("name-01234-ouut", reversed(names)) == "did you mean `name-01234-out`?"
    assert did_you_mean("zzz", names) is None

"""The IR's JSON form, and its inverse for the tests."""

from __future__ import annotations

import json

import pytest

from ingen_sdkgen.model_json import render_json, to_json
from tests.sdkgen.json_ir import from_json
from tests.sdkgen.oracle import FEATURES, AcceptedCase, accepted_cases, wit_json_text
from tests.sdkgen.samples import EVERYTHING


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted_cases_keep_their_json(case: AcceptedCase) -> None:
    assert to_json(from_json(case.expected)) == case.expected


@pytest.mark.parametrize("case", accepted_cases())
def test_the_text_is_that_of_wasm_tools(case: AcceptedCase) -> None:
    text = wit_json_text(case.input, *FEATURES)
    assert render_json(from_json(json.loads(text))) == text


def test_every_construct_keeps_its_json() -> None:
    text = wit_json_text(EVERYTHING, "--all-features")
    assert render_json(from_json(json.loads(text))) == text

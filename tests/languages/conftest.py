"""What tests of languages share: guests in every language, each in everything that runs it."""

from __future__ import annotations

import pytest

from tests.languages.behaviour.guests import LANGUAGES, RUNNERS, Guests


@pytest.fixture(scope="session")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    return Guests(tmp_path_factory.mktemp("behaviour"))


@pytest.fixture(scope="session", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session", params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen

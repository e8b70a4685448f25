"""What is generated, kept for review: one world with a bit of everything, in every language."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ingen_sdkgen.languages import registry
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import verify
from ingen_sdkgen.resolve import load
from tests.languages.worlds import WIT

GOLDEN = Path(__file__).parent / "golden"
OPTIONS: dict[str, dict[str, registry.OptionValue]] = {"rust-guest": {"stubs": True}}


def folder_name(language: registry.Language) -> str:
    return f"{language.name}-{language.side.value}"


@pytest.mark.parametrize("language", registry.OWN_LANGUAGES, ids=folder_name)
def test_a_small_world(language: registry.Language, golden: Callable[[Path, str], None]) -> None:
    folder = GOLDEN / folder_name(language)
    resolve = load(WIT / "small.wit").resolve
    files = registry.generate(language, resolve, WorldId(0), OPTIONS.get(folder.name, {}), None)
    # The headers change with the version, and with every template.
    header = re.compile(r"(?<=ingen-sdkgen )\S+(.*digest )[0-9a-f]+")
    for name, content in files.items():
        golden(folder / f"{name}.golden", header.sub(r"VERSION\1DIGEST", content.decode()))
        assert verify(content) or header.search(content.decode()) is None
    assert {path.name for path in folder.iterdir()} == {f"{name}.golden" for name in files}

"""What no language can have yet is refused by name, and the README says which it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingen_sdkgen.languages import registry
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.features import Feature
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.resolve import load_text

README = Path(__file__).resolve().parents[2] / "README.md"
NEEDS = {
    Feature.ASYNC: "export f: async func();",
    Feature.STREAM: "export f: func() -> stream<u8>;",
    Feature.FUTURE: "export f: func(x: list<future<string>>);",
    Feature.ERROR_CONTEXT: "export f: func(x: option<error-context>);",
    Feature.MAP: "export f: func(x: map<string, u8>);",
    Feature.FIXED_LENGTH_LIST: "export f: func() -> tuple<u8, list<u8, 4>>;",
    Feature.ACCESSOR: "export f: get() -> u8;",
    Feature.LABEL: "export f: i;",
}
"""For each feature the world that needs it and nothing else."""


def title(language: registry.Language) -> str:
    """What messages and the README call the bindings of a language."""
    return f"{language.name.capitalize()} {language.side.value}"


def refusal(language: registry.Language, feature: Feature) -> str | None:
    """Why a language refuses the world that needs a feature; None where it does not."""
    text = f"package a:b;\ninterface i {{ g: func(); }}\nworld w {{ {NEEDS[feature]} }}\n"
    try:
        files = registry.generate(language, load_text(text).resolve, WorldId(0), {}, None)
    except CodegenError as error:
        return str(error)
    assert files
    return None


LANGUAGES = pytest.mark.parametrize("language", registry.OWN_LANGUAGES, ids=title)


@LANGUAGES
@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name.lower())
def test_a_refusal_names_item_language_and_reason(language: registry.Language, feature: Feature) -> None:
    message = refusal(language, feature)
    if message is not None:
        items = {Feature.LABEL: "interface `f`", Feature.ACCESSOR: "function `[get]f`"}
        item = items.get(feature, "function `f`")
        reason = f"{title(language)} bindings cannot have {feature.value} yet"
        assert message == f"{item} of world `a:b/w`: {reason}"


def test_the_readme_has_the_list() -> None:
    section = (
        README.read_text("utf-8").split("## What generated bindings cannot have yet")[1].split("\n## ")[0]
    )
    header, _, *lines = (
        row.strip("| ").split(" | ") for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    )
    assert header == [title(language) for language in registry.OWN_LANGUAGES]
    stated = {name: cells for name, *cells in lines}
    found = {
        feature.value: ["no" if refusal(language, feature) else "yes" for language in registry.OWN_LANGUAGES]
        for feature in Feature
    }
    assert stated == found

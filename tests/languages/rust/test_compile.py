"""What is generated compiles without a warning, whatever the world."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.languages.rust import Options
from ingen_sdkgen.languages.rust.names import identifier
from ingen_sdkgen.resolve import load
from tests.languages.keywords import awkward_world
from tests.languages.rust.names import names_wit
from tests.languages.rust.toolchain import TARGETS, bindings, check, lint
from tests.languages.worlds import WorldCase, conformance_worlds, own_worlds

pytestmark = pytest.mark.slow

NO_STD = """#![no_std]
extern crate alloc;
"""


def library(cases: list[WorldCase], folder: Path) -> Path:
    """A library without the standard library, with every world and a guest that implements it."""
    lines = [NO_STD]
    for number, case in enumerate(cases):
        (name, code), (_, stubs) = bindings(case.resolve, case.world, Options(stubs=True)).items()
        module = identifier(name.removesuffix(".rs"))
        within = folder / f"world{number}"
        within.mkdir()
        (within / name).write_text(code, "utf-8")
        # Elsewhere in the crate than generated code expects of a guest, and without the prelude.
        stubs = stubs.replace(f"use crate::{module};", f"use super::{module};")
        stubs = stubs.replace("export!(Component)", f"export!(Component, in crate::world{number}::{module})")
        prelude = "use alloc::{collections::BTreeMap, string::String, vec::Vec};\n"
        (within / "stubs.rs").write_text(stubs.replace("\nuse ", f"\n{prelude}use ", 1), "utf-8")
        allowed = "#[allow(dead_code, unused_imports)]"
        (within / "mod.rs").write_text(f"pub mod {module};\n{allowed}\nmod stubs;\n", "utf-8")
        lines.append(f"pub mod world{number}; // {case.id}")
    source = folder / "lib.rs"
    source.write_text("\n".join(lines) + "\n", "utf-8")
    return source


@pytest.fixture(scope="module")
def every_world(conformance: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cases = [case for case in (*conformance_worlds(), *own_worlds()) if not case.asynchronous]
    assert len(cases) > 90
    return library(cases, tmp_path_factory.mktemp("worlds"))


@pytest.mark.parametrize(
    ("target", "edition"),
    [(TARGETS[0], "2024"), (TARGETS[1], "2021"), (TARGETS[2], "2021"), (None, "2021")],
)
def test_every_world_compiles(every_world: Path, target: str | None, edition: str) -> None:
    check(every_world, target, edition=edition)


def test_clippy_has_nothing_to_say(every_world: Path) -> None:
    lint(every_world)


def test_asynchronous_worlds_are_refused_by_name(conformance: Path) -> None:
    cases = [case for case in conformance_worlds() if case.asynchronous]
    assert cases
    for case in cases:
        with pytest.raises(CodegenError, match="Rust guest bindings cannot have") as refusal:
            bindings(case.resolve, case.world)
        assert refusal.value.language == "Rust guest"
        assert refusal.value.item


@pytest.mark.parametrize("text", [names_wit(), awkward_world()], ids=["of Rust", "of all languages"])
def test_names_that_someone_has_other_plans_for(text: str, tmp_path: Path) -> None:
    wit = tmp_path / "names.wit"
    wit.write_text(text, "utf-8")
    resolve = load(wit).resolve
    world = find_world(resolve, "names")
    assert world is not None
    lint(library([WorldCase(wit, resolve, world, False)], tmp_path))


def test_every_world_is_the_same_twice() -> None:
    for case in own_worlds():
        assert bindings(case.resolve, case.world) == bindings(case.resolve, case.world)

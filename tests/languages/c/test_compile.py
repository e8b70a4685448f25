"""Generated C compiles without a warning, as C and as C++, and becomes a component of its world."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_sdkgen.languages import c
from ingen_sdkgen.languages.c.view import WorldView, view_world
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates, verify
from ingen_sdkgen.resolve import load_text
from tests.languages.c.toolchain import (
    check_header_as_cpp,
    compile_strictly,
    compile_text,
    componentize,
    link,
)
from tests.languages.keywords import awkward_world
from tests.languages.worlds import WorldCase, conformance_worlds, own_worlds
from tests.sdkgen.oracle import wasm_tools

CASES = conformance_worlds() + own_worlds()
TEMPLATES = Templates()
# wasm-tools component new takes many gigabytes for it, whoever made the module: ten interfaces, each with ten
# types from the one before.
_TOO_MUCH_FOR_THE_ORACLE = {"stress-export-elaborate"}


def _write(resolve: Resolve, world: WorldId, folder: Path) -> tuple[Path, Path]:
    files = c.generate(resolve, world, c.Options(), TEMPLATES)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    header, source = sorted(files, reverse=True, key=lambda name: name.endswith(".h"))
    return folder / header, folder / source


def _traps(view: WorldView) -> str:
    """Definitions of everything that the user of generated code has to define."""
    lines = [f'#include "{view.file}.h"']
    for scope in view.scopes:
        for function in scope.functions:
            if not function.is_import:
                lines.append(f"{function.declaration} {{ __builtin_trap(); }}")
        for resource in scope.resources:
            if resource.is_exported:
                lines.append(
                    f"void {resource.names.destructor}({resource.names.rep} *rep) {{ __builtin_trap(); }}"
                )
    return "\n".join(lines)


def _build(resolve: Resolve, world: WorldId, folder: Path, library: Path, optimization: str = "-O1") -> Path:
    header, source = _write(resolve, world, folder)
    check_header_as_cpp(header)
    view = view_world(plan_world(resolve, world, "C guest"))
    objects = [
        compile_strictly(source, optimization),
        library,
        compile_text(folder / "traps.c", _traps(view)),
    ]
    return link(objects, folder / "module.wasm")


@pytest.mark.parametrize("case", [case for case in CASES if not case.asynchronous], ids=lambda case: case.id)
def test_every_world_becomes_a_component(case: WorldCase, tmp_path: Path, library: Path) -> None:
    module = _build(case.resolve, case.world, tmp_path, library)
    if case.input.parent.name not in _TOO_MUCH_FOR_THE_ORACLE:
        componentize(module)


@pytest.mark.parametrize("case", [case for case in CASES if case.asynchronous], ids=lambda case: case.id)
def test_what_is_asynchronous_is_refused(case: WorldCase) -> None:
    with pytest.raises(CodegenError, match="C guest bindings cannot have"):
        c.generate(case.resolve, case.world, c.Options(), TEMPLATES)


def test_every_awkward_name(tmp_path: Path, library: Path) -> None:
    resolve = load_text(awkward_world()).resolve
    componentize(_build(resolve, WorldId(0), tmp_path, library, "-O0"))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    case = own_worlds()[-1]
    again = Templates()
    first = c.generate(case.resolve, case.world, c.Options("other"), TEMPLATES)
    assert first == c.generate(case.resolve, case.world, c.Options("other"), again)
    assert set(first) == {"other.h", "other.c"}
    assert all(verify(content) for content in first.values())


def test_a_prefix_in_place_of_the_name(tmp_path: Path) -> None:
    loaded = load_text("package a:b;\nworld one { import log: func(x: list<string>) -> option<u8>; }\n")
    options = c.Options(prefix="my_one")
    made = c.generate(loaded.resolve, WorldId(0), options, TEMPLATES)
    header = made["one.h"].decode()
    assert "bool my_one_log(my_one_list_string_t x, uint8_t *ret);" in header
    assert "typedef struct my_one_string_t" in header
    assert " one_" not in header
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    compile_strictly(tmp_path / "one.c")


def test_a_prefix_that_begins_no_name() -> None:
    with pytest.raises(CodegenError, match="`prefix`: cannot be '1-x', which begins no C name"):
        c.Options(prefix="1-x")


def test_two_worlds_link_into_one_module(tmp_path: Path, library: Path) -> None:
    loaded = load_text(
        "package a:b;\n"
        "world one { import log: func(x: string); export f: func() -> string; }\n"
        "world two { import warn: func(x: list<string>); export g: func() -> string; }\n"
    )
    objects = [library]
    for world in (WorldId(0), WorldId(1)):
        _, source = _write(loaded.resolve, world, tmp_path)
        view = view_world(plan_world(loaded.resolve, world, "C guest"))
        objects += [compile_strictly(source), compile_text(tmp_path / f"traps{world}.c", _traps(view))]
    component = componentize(link(objects, tmp_path / "module.wasm"))
    printed = wasm_tools("component", "wit", component).decode()
    assert "export f: func() -> string;" in printed
    assert "export g: func() -> string;" in printed

"""C guests run: on the runtime, and as components in wasmtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import wasmtime
import wasmtime.component
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingen_runtime.canonical import Err, Ok, ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.types import FuncType, ResultType
from ingen_sdkgen.languages import c
from ingen_sdkgen.languages.c.functions import FunctionView
from ingen_sdkgen.languages.c.view import WorldView, view_world
from ingen_sdkgen.languages.planning import find_world, plan_world
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load, load_text
from tests.languages.c.toolchain import STRICT, compile_plainly, compile_strictly, componentize, link, zig
from tests.languages.worlds import WIT
from tests.runtime.canonical.strategies import values

ECHO = "test:values/echo@0.1.0"
NEWER = "test:values/newer@0.1.0"
_INTERFACES = {item.name: item for item in load(WIT / "values.wit").resolve.interfaces}
FUNCTIONS = [(ECHO, name) for name in _INTERFACES["echo"].functions]
FUNCTIONS += [(NEWER, name) for name in _INTERFACES["newer"].functions]
LIVE_BLOCKS = (
    "extern int32_t live_blocks;\nint32_t exports_{world}_live_blocks(void) {{ return live_blocks; }}\n"
)


def build(file: str, world: str, folder: Path, library: Path, user: str) -> Path:
    """The core module of a world, with what its user defines."""
    resolve = load(WIT / file).resolve
    world_id = find_world(resolve, world)
    assert world_id is not None
    for name, content in c.generate(resolve, world_id, c.Options("world"), Templates()).items():
        (folder / name).write_bytes(content)
    objects = [compile_strictly(folder / "world.c"), compile_plainly(folder / "user.c", user), library]
    return link(objects, folder / "module.wasm")


def view(file: str, world: str) -> WorldView:
    """The view of a world, for tests that write code from it."""
    resolve = load(WIT / file).resolve
    world_id = find_world(resolve, world)
    assert world_id is not None
    return view_world(plan_world(resolve, world_id, "C guest"))


def pass_on(exported: FunctionView, imported: FunctionView, frees: set[str]) -> str:
    """A definition of an exported function which calls the imported one of the same name."""

    def parts(declaration: str) -> tuple[str, str, list[tuple[str, str]]]:
        head, _, rest = declaration.partition("(")
        returned, _, name = head.rpartition(" ")
        params = [] if rest == "void)" else rest.removesuffix(")").split(", ")
        split = [re.fullmatch(r"(.*?) ?(\w+)", param) for param in params]
        return returned, name, [(match[1], match[2]) for match in split if match is not None]

    returned, _, params = parts(exported.declaration)
    other_returned, other_name, other_params = parts(imported.declaration)
    arguments = [
        f"({other_type}){name}" if other_type.endswith("*") else f"*({other_type} *)&{name}"
        for (_, name), (other_type, _) in zip(params, other_params, strict=True)
    ]
    call = f"{other_name}({', '.join(arguments)})"
    lines = [f"{exported.declaration} {{"]
    lines.append(f"    {call};" if returned == "void" else f"    {other_returned} made = {call};")
    for type_, name in params:
        free = f"{type_.removesuffix('*').strip().removesuffix('_t')}_free"
        if free in frees and name not in ("ret", "err"):
            lines.append(f"    {free}({name if type_.endswith('*') else '&' + name});")
    if returned != "void":
        lines.append(f"    return *({returned} *)&made;")
    return "\n".join([*lines, "}"])


def through_source(name: str) -> str:
    """A user's code for a world `through`: every function calls the one that is imported."""
    world = view("values.wit", name)
    frees = {helper.declaration.split("(")[0].split()[-1] for helper in world.helpers}
    frees.add(world.string.free)
    functions = [function for scope in world.scopes for function in scope.functions]
    imports = {f"{f.core_module}#{f.core_name}": f for f in functions if f.is_import}
    pairs = [(f, imports[f.core_name]) for f in functions if f.core_name in imports]
    assert len(pairs) == len(imports) == len(functions) - len(imports) - 1
    definitions = [pass_on(exported, imported, frees) for exported, imported in pairs]
    live_blocks = LIVE_BLOCKS.format(world=name.replace("-", "_"))
    return "\n".join(['#include "world.h"', live_blocks, *definitions])


def same(*arguments: Any) -> Any:
    """A host function that returns what it is given, as a function returns it."""
    value = arguments[0] if len(arguments) == 1 else arguments
    match value:
        case Ok(inner):
            return inner
        case Err(inner):
            raise ResultError(inner)
        case _:
            return value


IMPORTS = {
    interface: {name: same for within, name in FUNCTIONS if within == interface}
    for interface in (ECHO, NEWER)
}


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    folder = tmp_path_factory.mktemp("through")
    return build("values.wit", "through", folder, library, through_source("through"))


@pytest.fixture(scope="module", params=["module", "component"])
def echo(request: pytest.FixtureRequest, through: Path) -> Instance:
    component = Component.from_file(through if request.param == "module" else componentize(through))
    return component.instantiate(IMPORTS)


@pytest.mark.parametrize(("interface", "name"), FUNCTIONS)
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_values_pass_through(echo: Instance, interface: str, name: str, data: st.DataObject) -> None:
    function = echo.exports[interface][name]
    type_: FuncType = function.type
    arguments = [data.draw(values(param, echo.classes)) for _, param in type_.params]
    before = echo.call("live-blocks")
    expected: Any = arguments[0] if len(arguments) == 1 else tuple(arguments)
    if isinstance(type_.result, ResultType):
        try:
            found: Any = Ok(function(*arguments))
        except ResultError as error:
            found = Err(error.value)
    else:
        found = function(*arguments)
    assert found == expected
    assert echo.call("live-blocks") == before


def test_memory_stays_level(through: Path) -> None:
    instance = Component.from_file(through).instantiate(IMPORTS)
    echo = instance.exports[ECHO]
    many = [3, "three", 0.5, [1, 2], "x", echo["shape"].Label("l"), 7, "c", True, echo["point"](1.0, 2.0)]
    blocks = set()
    for _ in range(10_000):
        assert echo["many"](*many) == tuple(many)
        blocks.add(instance.call("live-blocks"))
    assert len(blocks) == 1


# --- In wasmtime ----------------------------------------------------------------------------------------


def _record(**fields: Any) -> wasmtime.component.Record:
    record = wasmtime.component.Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


_Variant = wasmtime.component.Variant
ORACLE_VALUES: dict[str, list[Any]] = {
    "bool": [True, False],
    "u8": [255],
    "s8": [-128],
    "u16": [65535],
    "s16": [-32768],
    "u32": [(1 << 32) - 1],
    "s32": [-(1 << 31)],
    "u64": [(1 << 64) - 1],
    "s64": [-(1 << 63)],
    "f32": [0.5],
    "f64": [0.1],
    "char": ["x", "\N{SNOWMAN}"],
    "string": ["", "h\xe9llo \N{SNOWMAN}"],
    "names-of": [[], ["a", "", "c"]],
    "list-u32": [[], [1, 2, 3]],
    "list-list": [[["a"], [], ["b", "c"]]],
    "plain-of": [_Variant("b")],
    "color-of": ["green"],
    "few-of": [{"a", "c"}, set()],
    "some-of": [{"f8"}],
    "all-of": [{"b0", "b31"}],
    "tuple-of": [(1, "two", 3.0)],
    "option-u32": [None, 7],
    "option-string": [None, "seven"],
    "shape-of": [_Variant("none"), _Variant("circle", 1.5), _Variant("square", 2.5), _Variant("label", "l")],
    "wide": [_Variant("b", 0.25), _Variant("d", -0.5), _Variant("e", -1), _Variant("f", (0.5, 1.5))],
}


def test_wasmtime_agrees(tmp_path: Path, library: Path) -> None:
    world = "plainly-through"
    module = build("values.wit", world, tmp_path, library, through_source(world))
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    component = wasmtime.component.Component.from_file(engine, str(componentize(module)))
    linker = wasmtime.component.Linker(engine)
    with linker.root() as root, root.add_instance(ECHO) as echo:
        for interface, name in FUNCTIONS:
            if interface == ECHO:
                echo.add_func(name, lambda _store, *given: given[0] if len(given) == 1 else given)
    instance = linker.instantiate(store, component)
    exported = instance.get_export_index(store, ECHO)
    live_blocks = instance.get_func(store, "live-blocks")
    assert live_blocks is not None

    def call(name: str, *arguments: Any) -> Any:
        index = instance.get_export_index(store, name, exported)
        assert index is not None
        function = instance.get_func(store, index)
        assert function is not None
        result = function(store, *arguments)
        function.post_return(store)
        return result

    for name, several in ORACLE_VALUES.items():
        for value in several:
            assert call(name, value) == value, name
    point = call("point-of", _record(x=0.5, y=2.5))
    assert (point.x, point.y) == (0.5, 2.5)
    assert live_blocks(store) == 0


HELLO = """
#include "world.h"
#include <stdio.h>
plainly_string_t exports_plainly_greet(plainly_string_t name) {
    char text[100];
    int len = snprintf(text, sizeof text, "Hello, %.*s!", (int)name.len, name.ptr);
    plainly_string_free(&name);
    return plainly_string_copy_n(text, (size_t)len);
}
"""


@pytest.mark.slow
def test_with_a_c_library(tmp_path: Path) -> None:
    resolve = load_text(
        "package a:b;\nworld plainly { export greet: func(name: string) -> string; }\n"
    ).resolve
    for name, content in c.generate(resolve, WorldId(0), c.Options("world"), Templates()).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "user.c").write_text(HELLO, "utf-8")
    target = ("-target", "wasm32-wasi", "-mexec-model=reactor")
    zig("cc", *target, *STRICT, "-std=c99", "-O1", "world.c", "user.c", "-o", "hello.wasm", folder=tmp_path)
    instance = Component.from_file(tmp_path / "hello.wasm").instantiate()
    assert instance.call("greet", "you") == "Hello, you!"

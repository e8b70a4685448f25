"""C guests run: on the runtime, and as components in wasmtime."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
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
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load
from tests.languages.c.toolchain import compile_plainly, compile_strictly, componentize, link
from tests.languages.worlds import WIT
from tests.runtime.canonical.strategies import values

ECHO = "test:values/echo@0.1.0"
FUNCTIONS = sorted(load(WIT / "values.wit").resolve.interfaces[0].functions)
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


def through_source() -> str:
    """A user's code for the world `through`: every function calls the one that is imported."""
    world = view("values.wit", "through")
    imports, exports, own = world.scopes
    frees = {helper.declaration.split("(")[0].split()[-1] for helper in world.helpers}
    frees.add(world.string.free)
    named = {function.core_name.split("#")[-1]: function for function in imports.functions}
    definitions = [
        pass_on(function, named[function.core_name.split("#")[-1]], frees) for function in exports.functions
    ]
    assert len(own.functions) == 1
    return "\n".join(['#include "world.h"', LIVE_BLOCKS.format(world="through"), *definitions])


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


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    return build("values.wit", "through", tmp_path_factory.mktemp("through"), library, through_source())


@pytest.fixture(scope="module", params=["module", "component"])
def echo(request: pytest.FixtureRequest, through: Path) -> Instance:
    component = Component.from_file(through if request.param == "module" else componentize(through))
    return component.instantiate({ECHO: dict.fromkeys(FUNCTIONS, same)})


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_values_pass_through(echo: Instance, name: str, data: st.DataObject) -> None:
    function = echo.exports[ECHO][name]
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
    instance = Component.from_file(through).instantiate({ECHO: dict.fromkeys(FUNCTIONS, same)})
    echo = instance.exports[ECHO]
    many = [3, "three", 0.5, [1, 2], "x", echo["shape"].Label("l"), 7, "c", True, echo["point"](1.0, 2.0)]
    blocks = set()
    for _ in range(10_000):
        assert echo["many"](*many) == tuple(many)
        blocks.add(instance.call("live-blocks"))
    assert len(blocks) == 1

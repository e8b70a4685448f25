"""Values of every kind go through a Rust guest and come back the same: into it, out of it, and both again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasmtime import component as oracle

from ingen_runtime.canonical import Err, Ok, ResultError, Some
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.languages.rust import Options
from ingen_sdkgen.resolve import load
from tests.languages.rust.toolchain import TARGETS, bindings, build
from tests.languages.worlds import WIT
from tests.sdkgen.oracle import wasm_tools

pytestmark = pytest.mark.slow

ECHO = "test:values/echo@0.1.0"
NEWER = "test:values/newer@0.1.0"


def guest(folder: Path, target: str, *, plainly: bool = False) -> Path:
    """The guest that passes everything on; `plainly` leaves out what not every host knows."""
    resolve = load(WIT / "values.wit").resolve
    world = find_world(resolve, "plainly-through" if plainly else "through")
    assert world is not None
    flags = ["--check-cfg=cfg(plainly)", *(["--cfg=plainly"] if plainly else [])]
    return build("values", bindings(resolve, world, Options(file="through")), target, folder, *flags)


class Identity(Mapping[str, Callable[..., Any]]):
    """An implementation of the interface that gives back what it is given."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        def function(*arguments: Any) -> Any:
            if not name.startswith("result-") or name == "result-inner":
                return arguments[0] if len(arguments) == 1 else arguments
            (result,) = arguments
            if isinstance(result, Err):
                raise ResultError(result.value)
            return result.value

        return function

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("functions are asked for by name")

    def __len__(self) -> int:
        raise AssertionError("functions are asked for by name")


def samples(echo: Any) -> dict[str, list[Any]]:
    """Arguments for the functions that take one."""
    shape = echo.Shape
    point = echo.Point(1.5, -2.25)
    nested = [
        echo.Nested("näme", [point, echo.Point(0.0, 1e300)], (255, "\U0001f980")),
        echo.Nested("", [], None),
    ]
    shapes = [
        shape.None_(),
        shape.Circle(0.5),
        shape.Square(-1e-300),
        shape.Label("a label"),
        shape.Many(["x", "", "yy"]),
        shape.Small(255),
        shape.Pair((2**64 - 1, 0.25)),
    ]
    of_all = echo.VariantOfAll
    return {
        "bool": [False, True],
        "u8": [0, 255],
        "s8": [-128, 127],
        "u16": [0, 65535],
        "s16": [-32768, 32767],
        "u32": [0, 2**32 - 1],
        "s32": [-(2**31), 2**31 - 1],
        "u64": [0, 2**64 - 1],
        "s64": [-(2**63), 2**63 - 1],
        "f32": [0.5, -math.inf],
        "f64": [1e-308, math.inf],
        "char": ["a", "\U0010ffff"],
        "string": ["", "naïve 🦀", "x" * 70_000],
        "bytes-of": [b"", bytes(range(256)) * 300],
        "names-of": [[], ["a", "", "ccc"]],
        "list-u32": [[], [1, 2**32 - 1]],
        "list-list": [[], [[], ["a"], ["b", "cc"]]],
        "point-of": [point],
        "nested-of": nested,
        "one-of": [echo.One(65535)],
        "shape-of": shapes,
        "shapes": [[], shapes],
        "plain-of": [echo.Plain.A(), echo.Plain.C()],
        "color-of": list(echo.Color),
        "few-of": [echo.Few(0), echo.Few.A | echo.Few.C],
        "some-of": [echo.Some(0), echo.Some.F0 | echo.Some.F8],
        "all-of": [echo.All(0), echo.All.B0 | echo.All.B31, ~echo.All(0)],
        "tuple-of": [(1, "two", 3.0)],
        "option-u32": [None, 0, 7],
        "option-string": [None, "", "s"],
        "option-option": [None, Some(None), Some("s")],
        "result-inner": [[Ok("x"), Err(1.5), Ok("")]],
        "wide": [
            of_all.A(1),
            of_all.B(0.5),
            of_all.C(2**64 - 1),
            of_all.D(-0.25),
            of_all.E(-1),
            of_all.F((1.5, -2.5)),
            of_all.G((1e300, 2**32 - 1)),
            of_all.H((2**32 - 1, -1e300, "h")),
        ],
    }


NEWER_SAMPLES: dict[str, list[Any]] = {
    "fixed": [[1, 2, 3, 65535]],
    "fixed-strings": [["a", "", "ccc"]],
    "map-of": [{}, {"a": 1, "bb": 2**32 - 1}],
    "map-lists": [{}, {1: ["x", "yy"], 255: []}],
}

RESULTS: dict[str, list[Ok[Any] | Err[Any]]] = {
    "result-of": [Ok("fine"), Ok("")],
    "result-ok": [Ok(2**64 - 1), Err(None)],
    "result-err": [Ok(None), Err("wrong")],
    "result-none": [Ok(None), Err(None)],
}


def pass_everything(instance: Instance) -> None:
    newer = instance.exports[NEWER]
    for name in newer:
        for argument in NEWER_SAMPLES[name]:
            assert newer[name](argument) == argument, name
    echo = instance.exports[ECHO]
    for name, arguments in samples(echo).items():
        for argument in arguments:
            assert echo[name](argument) == argument, name
    results = {**RESULTS, "result-of": [*RESULTS["result-of"], Err(echo.Color.BLUE)]}
    for name, result in ((name, result) for name, given in results.items() for result in given):
        if isinstance(result, Ok):
            assert echo[name](result) == result.value, name
        else:
            with pytest.raises(ResultError) as error:
                echo[name](result)
            assert error.value.value == result.value, name
    shape = echo.Shape.Many(["f"])
    many = (1, "b", 2.5, [3], "e", shape, 2**64 - 1, "h", True, echo.Point(0.5, 1.5))
    assert echo["many"](*many) == many
    assert math.isnan(echo["f32"](math.nan))
    assert len(samples(echo)) + len(RESULTS) + 1 == sum(_functions(echo))


def _functions(echo: Any) -> list[bool]:
    return [not isinstance(echo[name], type) and callable(echo[name]) for name in echo]


def instance_of(made: Path) -> Instance:
    return Component.from_file(made).instantiate({ECHO: Identity(), NEWER: Identity()})


@pytest.mark.parametrize("target", TARGETS)
def test_every_kind_of_value_comes_back(target: str, tmp_path: Path) -> None:
    """What each target makes runs as it is, and as a component that wasm-tools has made of it."""
    made = guest(tmp_path, target)
    if target != "wasm32-wasip2":
        wrapped = made.with_suffix(".component.wasm")
        wrapped.write_bytes(wasm_tools("component", "new", made))
        wasm_tools("validate", "--features", "all", wrapped)
        pass_everything(instance_of(wrapped))
    instance = instance_of(made)
    pass_everything(instance)
    assert instance.exports["live-blocks"]() == 0


def test_wasmtime_sees_the_same(tmp_path: Path) -> None:
    config = wasmtime.Config()
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    component = oracle.Component.from_file(engine, str(guest(tmp_path, "wasm32-wasip2", plainly=True)))
    linker = oracle.Linker(engine)
    record = oracle.Record()
    vars(record).update(x=1.5, y=-2.25)
    arguments: dict[str, list[Any]] = {
        "bool": [True],
        "s8": [-128],
        "u64": [2**64 - 1],
        "f64": [0.1],
        "char": ["🦀"],
        "string": ["", "naïve 🦀"],
        "bytes-of": [b"\0\xff"],
        "list-list": [[[], ["a", "bb"]]],
        "point-of": [record],
        "color-of": ["green"],
        "all-of": [{"b0", "b31"}],
        "tuple-of": [(1, "two", 3.0)],
        "option-string": [None, "s"],
        "shape-of": [oracle.Variant("many", ["x", "yy"]), oracle.Variant("none", None)],
        "wide": [oracle.Variant("h", (1, 0.5, "s")), oracle.Variant("b", 0.5)],
    }
    with linker.root() as root, root.add_instance(ECHO) as echo:
        for name in re.findall(
            r"^  %?([a-z0-9-]+): func", (WIT / "values.wit").read_text("utf-8"), re.MULTILINE
        ):
            echo.add_func(name, lambda _, *values: values[0] if len(values) == 1 else values)
    instance = linker.instantiate(store, component)
    within = instance.get_export_index(store, ECHO)
    for name, values in arguments.items():
        index = instance.get_export_index(store, name, within)
        assert index is not None
        function = instance.get_func(store, index)
        assert function is not None
        for value in values:
            found = function(store, value)
            assert vars(found) == vars(value) if value is record else found == value, name
            function.post_return(store)

"""Compiling, and what a module tells of itself."""

from __future__ import annotations

import pytest

from ingen_runtime.core_types import RefType
from ingen_runtime.engine import (
    CoreFuncType,
    CoreGlobalType,
    CoreLimits,
    CoreMemoryType,
    CoreModule,
    CoreTableType,
    CoreTagType,
    Engine,
    wat_to_wasm,
)
from ingen_runtime.errors import ComponentFormatError

EVERYTHING = """
(module
  (type $point (struct (field i32) (field (mut i8))))
  (rec (type $list (array i64)) (type $callback (func (param (ref null $point)) (result (ref $list)))))
  (import "host" "log" (func $log (param i32 i64 f32 f64)))
  (import "host" "memory" (memory 1 2))
  (import "host" "table" (table 3 funcref))
  (import "host" "global" (global i32))
  (import "host" "tag" (tag (param i32)))
  (table $own 1 9 externref)
  (table $initialised 2 funcref (ref.func $log))
  (table $last 4 funcref)
  (memory $big i64 5)
  (global $a i32 (i32.const -100000))
  (global $b (mut f64) (f64.const 1.5))
  (global $c v128 (v128.const i64x2 11 11))
  (global $d i64 (i64.add (i64.const 11) (i64.mul (i64.const 3) (i64.const 4))))
  (global $e (ref null func) (ref.null func))
  (global $f (ref $point) (struct.new $point (i32.const 11) (i32.const 11)))
  (global $g (ref null i31) (ref.i31 (i32.const 11)))
  (global $h (mut f32) (f32.const 11))
  (tag $own_tag (param i32 f64))
  (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func $refs (type $callback) (array.new_fixed $list 0))
  (export "log" (func $log))
  (export "swap" (func $swap))
  (export "refs" (func $refs))
  (export "imported memory" (memory 0))
  (export "memory" (memory $big))
  (export "imported table" (table 0))
  (export "table" (table $own))
  (export "last table" (table $last))
  (export "imported global" (global 0))
  (export "a" (global $a)) (export "b" (global $b)) (export "c" (global $c)) (export "d" (global $d))
  (export "e" (global $e)) (export "f" (global $f)) (export "g" (global $g)) (export "h" (global $h))
  (export "imported tag" (tag 0))
  (export "tag" (tag $own_tag)))
"""

LOG = CoreFuncType(("i32", "i64", "f32", "f64"), ())


def test_imports_come_in_order_with_types(engine: Engine) -> None:
    module = CoreModule(engine, wat_to_wasm(EVERYTHING))
    assert [(item.module, item.name, item.type) for item in module.imports] == [
        ("host", "log", LOG),
        ("host", "memory", CoreMemoryType(CoreLimits(1, 2))),
        ("host", "table", CoreTableType(RefType("func"), CoreLimits(3, None))),
        ("host", "global", CoreGlobalType("i32", mutable=False)),
        ("host", "tag", CoreTagType(CoreFuncType(("i32",), ()))),
    ]


def test_exports_have_types(engine: Engine) -> None:
    module = CoreModule(engine, wat_to_wasm(EVERYTHING))
    assert {name: module.export_type(name) for name in module.export_names} == {
        "log": LOG,
        "swap": CoreFuncType(("i32", "i64"), ("i64", "i32")),
        "refs": CoreFuncType((RefType(0),), (RefType(1, nullable=False),)),
        "imported memory": CoreMemoryType(CoreLimits(1, 2)),
        "memory": CoreMemoryType(CoreLimits(5, None, is_64=True)),
        "imported table": CoreTableType(RefType("func"), CoreLimits(3, None)),
        "table": CoreTableType(RefType("extern"), CoreLimits(1, 9)),
        "last table": CoreTableType(RefType("func"), CoreLimits(4, None)),
        "imported global": CoreGlobalType("i32", mutable=False),
        "a": CoreGlobalType("i32", mutable=False),
        "b": CoreGlobalType("f64", mutable=True),
        "c": CoreGlobalType("v128", mutable=False),
        "d": CoreGlobalType("i64", mutable=False),
        "e": CoreGlobalType(RefType("func"), mutable=False),
        "f": CoreGlobalType(RefType(0, nullable=False), mutable=False),
        "g": CoreGlobalType(RefType("i31"), mutable=False),
        "h": CoreGlobalType("f32", mutable=True),
        "imported tag": CoreTagType(CoreFuncType(("i32",), ())),
        "tag": CoreTagType(CoreFuncType(("i32", "f64"), ())),
    }


def test_functions_of_a_module_with_many_types(engine: Engine) -> None:
    count = 300
    funcs = "".join(
        f'(func (export "f{index}") (type $t{index}) (i64.const {index}))' for index in range(count)
    )
    types = "".join(
        f"(type $t{index} (func {'(param i32)' * (index % 7)} (result i64)))" for index in range(count)
    )
    module = CoreModule(engine, wat_to_wasm(f"(module (rec {types}) {funcs})"))
    for index in range(count):
        assert module.export_type(f"f{index}") == CoreFuncType(("i32",) * (index % 7), ("i64",))


def test_start_functions_and_garbage_collection_are_told(engine: Engine) -> None:
    plain = CoreModule(engine, wat_to_wasm("(module)"))
    started = CoreModule(engine, wat_to_wasm("(module (start 0) (func))"))
    throwing = CoreModule(engine, wat_to_wasm("(module (tag))"))
    structured = CoreModule(engine, wat_to_wasm("(module (type (struct)))"))
    assert [module.has_start for module in (plain, started)] == [False, True]
    assert [module.uses_gc for module in (plain, throwing, structured)] == [False, True, True]


def test_an_unknown_export_is_a_key_error(engine: Engine) -> None:
    with pytest.raises(KeyError):
        CoreModule(engine, wat_to_wasm("(module)")).export_type("nothing")


@pytest.mark.parametrize(
    ("wasm", "message", "offset"),
    [
        (b"", "no core module", 0),
        (b"(module)", "no core module", 0),
        (b"\0asm\x0d\0\x01\0", "no core module", 0),
        (b"\0asm\x01\0\0\0\x99", "malformed section id", 8),
        (b"\0asm\x01\0\0\0\x01\x05\x01\x60\x00\x01\x01", "invalid", 14),
    ],
)
def test_what_is_no_module_is_refused_with_the_place(
    engine: Engine, wasm: bytes, message: str, offset: int
) -> None:
    with pytest.raises(ComponentFormatError, match=message) as caught:
        CoreModule(engine, wasm)
    assert caught.value.offset == offset


def test_a_mistake_in_the_text_format_is_refused() -> None:
    with pytest.raises(ComponentFormatError, match="unknown func"):
        wat_to_wasm("(module (start $nothing))")

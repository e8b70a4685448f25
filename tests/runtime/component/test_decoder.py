"""The binary decoder: what it reads, and that broken bytes give one kind of error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingen_runtime.component.binary import (
    BinaryKind,
    Component,
    binary_kind,
    decode_component,
    read_core_module,
)
from ingen_runtime.component.binary.core_module import TagType
from ingen_runtime.component.binary.core_types import GlobalType, Limits, MemoryType, TableType
from ingen_runtime.component.binary.syntax import (
    AliasDef,
    CanonBuiltin,
    CanonDef,
    CanonLift,
    CanonOptions,
    CoreExportAlias,
    CoreModuleDef,
    ExportDef,
    ExternName,
    FuncDef,
    ImportDef,
    NestedComponentDef,
    OuterAlias,
    Sort,
    SortDesc,
    TypeDef,
)
from ingen_runtime.component.types import PrimitiveType, StringEncoding
from ingen_runtime.core_types import CoreFuncType, NumberType, RefType
from ingen_runtime.errors import ComponentFormatError

Assemble = Callable[[str], bytes]

GREETER = """
(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func (export "f") (param i32 i32) (result i32) (i32.const 8)))
  (core instance $i (instantiate $m))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $realloc))
      string-encoding=utf16))
  (component $inner (alias outer 1 $m (core module)) (import "x" (func)))
  (@custom "note" "hello")
)
"""

BUILTINS = {
    "(canon task.return (result u32))": CanonBuiltin("task.return", result=PrimitiveType.U32),
    "(canon task.cancel)": CanonBuiltin("task.cancel"),
    "(canon context.get i32 0)": CanonBuiltin("context.get", number_type=NumberType.I32, slot=0),
    "(canon context.set i32 1)": CanonBuiltin("context.set", number_type=NumberType.I32, slot=1),
    "(canon backpressure.inc)": CanonBuiltin("backpressure.inc"),
    "(canon backpressure.dec)": CanonBuiltin("backpressure.dec"),
    "(canon thread.yield)": CanonBuiltin("thread.yield"),
    "(canon subtask.drop)": CanonBuiltin("subtask.drop"),
    "(canon subtask.cancel async)": CanonBuiltin("subtask.cancel", is_async=True),
    "(canon waitable-set.new)": CanonBuiltin("waitable-set.new"),
    "(canon waitable-set.wait (memory 3))": CanonBuiltin("waitable-set.wait", memory=3),
    "(canon waitable-set.poll (memory 3))": CanonBuiltin("waitable-set.poll", memory=3),
    "(canon waitable-set.drop)": CanonBuiltin("waitable-set.drop"),
    "(canon waitable.join)": CanonBuiltin("waitable.join"),
    "(canon stream.new 5)": CanonBuiltin("stream.new", type=5),
    "(canon stream.read 5 async (memory 3))": CanonBuiltin(
        "stream.read", type=5, options=CanonOptions(memory=3, is_async=True)
    ),
    "(canon stream.write 5 (memory 3))": CanonBuiltin("stream.write", type=5, options=CanonOptions(memory=3)),
    "(canon stream.cancel-read 5 async)": CanonBuiltin("stream.cancel-read", type=5, is_async=True),
    "(canon stream.cancel-write 5)": CanonBuiltin("stream.cancel-write", type=5),
    "(canon stream.drop-readable 5)": CanonBuiltin("stream.drop-readable", type=5),
    "(canon stream.drop-writable 5)": CanonBuiltin("stream.drop-writable", type=5),
    "(canon stream.forward 5)": CanonBuiltin("stream.forward", type=5),
    "(canon future.new 5)": CanonBuiltin("future.new", type=5),
    "(canon future.read 5 (memory 3))": CanonBuiltin("future.read", type=5, options=CanonOptions(memory=3)),
    "(canon future.write 5 (memory 3))": CanonBuiltin("future.write", type=5, options=CanonOptions(memory=3)),
    "(canon future.cancel-read 5)": CanonBuiltin("future.cancel-read", type=5),
    "(canon future.cancel-write 5 async)": CanonBuiltin("future.cancel-write", type=5, is_async=True),
    "(canon future.drop-readable 5)": CanonBuiltin("future.drop-readable", type=5),
    "(canon future.drop-writable 5)": CanonBuiltin("future.drop-writable", type=5),
    "(canon future.forward 5)": CanonBuiltin("future.forward", type=5),
    "(canon error-context.new (memory 3))": CanonBuiltin("error-context.new", options=CanonOptions(memory=3)),
    "(canon error-context.debug-message (memory 3) (realloc 4))": CanonBuiltin(
        "error-context.debug-message", options=CanonOptions(memory=3, realloc=4)
    ),
    "(canon error-context.drop)": CanonBuiltin("error-context.drop"),
    "(canon thread.spawn-ref 2)": CanonBuiltin("thread.spawn-ref", core_type=2),
    "(canon thread.spawn-indirect 2 (core table 1))": CanonBuiltin(
        "thread.spawn-indirect", core_type=2, table=1
    ),
    "(canon thread.available_parallelism)": CanonBuiltin("thread.available-parallelism"),
    "(canon thread.index)": CanonBuiltin("thread.index"),
    "(canon thread.new-indirect 2 (core table 1))": CanonBuiltin("thread.new-indirect", core_type=2, table=1),
    "(canon thread.resume-later)": CanonBuiltin("thread.resume-later"),
    "(canon thread.suspend)": CanonBuiltin("thread.suspend"),
    "(canon thread.suspend-then-resume)": CanonBuiltin("thread.suspend-then-resume"),
    "(canon thread.yield-then-resume)": CanonBuiltin("thread.yield-then-resume"),
    "(canon thread.suspend-then-promote)": CanonBuiltin("thread.suspend-then-promote"),
    "(canon thread.yield-then-promote)": CanonBuiltin("thread.yield-then-promote"),
    "(canon resource.new 7)": CanonBuiltin("resource.new", type=7),
    "(canon resource.drop 7)": CanonBuiltin("resource.drop", type=7),
    "(canon resource.rep 7)": CanonBuiltin("resource.rep", type=7),
}


def definitions(component: Component, kind: type) -> list[object]:
    return [definition for definition in component.definitions if isinstance(definition, kind)]


def test_greeter(assemble: Assemble) -> None:
    data = assemble(GREETER)
    assert binary_kind(data) is BinaryKind.COMPONENT
    component = decode_component(data)

    (module,) = definitions(component, CoreModuleDef)
    assert isinstance(module, CoreModuleDef)
    assert module.data.obj is data
    assert data[module.start : module.start + len(module.data)] == module.data
    assert set(read_core_module(module.data).exports) == {"mem", "realloc", "f"}

    canon = component.definitions[[type(d) for d in component.definitions].index(CanonDef)]
    assert isinstance(canon, CanonDef) and isinstance(canon.canon, CanonLift)
    assert canon.canon.options.string_encoding is StringEncoding.UTF16
    assert canon.canon.options.memory == 0

    aliases = definitions(component, AliasDef)
    assert [alias.target for alias in aliases if isinstance(alias, AliasDef)] == [
        CoreExportAlias(0, "realloc"),
        CoreExportAlias(0, "f"),
        CoreExportAlias(0, "mem"),
    ]
    (export,) = definitions(component, ExportDef)
    assert isinstance(export, ExportDef)
    assert (export.name, export.sort, export.index) == (ExternName("greet"), Sort.FUNC, 0)

    (nested,) = definitions(component, NestedComponentDef)
    assert isinstance(nested, NestedComponentDef)
    inner = nested.component.definitions
    assert isinstance(inner[0], AliasDef) and inner[0].target == OuterAlias(1, 0)
    assert isinstance(inner[1], TypeDef) and inner[1].type == FuncDef((), None)
    assert isinstance(inner[2], ImportDef) and inner[2].desc == SortDesc(Sort.FUNC, 0)

    (note,) = component.custom_sections("note")
    assert bytes(note.data) == b"hello"


@pytest.mark.parametrize("text", BUILTINS)
def test_builtin(assemble: Assemble, text: str) -> None:
    component = decode_component(assemble(f"(component (core func {text}))"))
    (canon,) = definitions(component, CanonDef)
    assert isinstance(canon, CanonDef)
    assert canon.canon == BUILTINS[text]


def test_name_attributes(assemble: Assemble) -> None:
    component = decode_component(
        assemble(
            """(component
              (import "primary" (implements "wasi:keyvalue/store") (external-id "one") (instance))
              (import "a:b/c" (version-suffix ".1") (instance))
              (import "plain" (instance)))"""
        )
    )
    assert [item.name for item in component.definitions if isinstance(item, ImportDef)] == [
        ExternName("primary", implements="wasi:keyvalue/store", external_id="one"),
        ExternName("a:b/c", version_suffix=".1"),
        ExternName("plain"),
    ]


def test_core_module(assemble: Assemble) -> None:
    data = assemble(
        """(module
          (import "env" "f" (func (param i64 (ref null extern)) (result f32 v128)))
          (import "env" "t" (tag (param i32)))
          (global $g (import "env" "g") i32)
          (memory (export "m") 1 2)
          (table (export "t") 3 funcref)
          (table $t2 4 funcref (ref.null func))
          (global (export "c") (mut i64) (i64.add (i64.const -5) (i64.const 7)))
          (global (export "v") v128 (v128.const i64x2 1 2))
          (export "f" (func 0))
          (export "tag" (tag 0))
          (@custom "component-type:x" "abc"))"""
    )
    assert binary_kind(data) is BinaryKind.CORE_MODULE
    module = read_core_module(data)
    func = CoreFuncType((NumberType.I64, RefType("extern")), (NumberType.F32, NumberType.V128))
    assert module.imports[0] == ("env", "f", func)
    assert module.imports[1] == ("env", "t", TagType(CoreFuncType((NumberType.I32,), ())))
    assert module.exports == {
        "m": MemoryType(Limits(1, 2)),
        "t": TableType(RefType("func"), Limits(3, None)),
        "c": GlobalType(NumberType.I64, mutable=True),
        "v": GlobalType(NumberType.V128, mutable=False),
        "f": func,
        "tag": TagType(CoreFuncType((NumberType.I32,), ())),
    }
    (section,) = module.custom_sections("component-type")
    assert (section.name, bytes(section.data)) == ("component-type:x", b"abc")


@pytest.mark.parametrize(
    ("data", "offset", "message"),
    [
        (b"", 0, "magic bytes"),
        (b"\0asm", 4, "end of the section or file"),
        (b"\0asm\x0d\0\x02\0", 4, "unknown binary version"),
        (b"(component)", 0, "text format"),
        (b"\0asm\x0d\0\x01\0\x0d\0", 8, "section id"),
        (b"\0asm\x0d\0\x01\0\x07\x03\0", 10, "end of the file"),
        (b"\0asm\x0d\0\x01\0\x07\x02\0\0", 11, "longer than its content"),
        (b"\0asm\x0d\0\x01\0\x07\x81\x80\x80\x80\x70\0", 13, "too large"),
        (b"\0asm\x0d\0\x01\0\x07\x05\xff\xff\xff\xff\x0f", 15, "4294967295 elements"),
        (b"\0asm\x0d\0\x01\0\0\x03\x02\xff\xfe", 11, "UTF-8"),
    ],
)
def test_malformed(data: bytes, offset: int, message: str) -> None:
    with pytest.raises(ComponentFormatError, match=message) as caught:
        decode_component(data)
    assert caught.value.offset == offset


def test_nesting_is_limited() -> None:
    data = b"\0asm\x0d\0\x01\0"
    for _ in range(300):
        size = len(data)
        leb = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        data = b"\0asm\x0d\0\x01\0\x04" + leb + data
    with pytest.raises(ComponentFormatError, match="nest deeper than 100"):
        decode_component(data)
    types = b"\x42\x01\x01" * 5000 + b"\x73"
    size = len(types) + 1
    section = bytes([7, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + b"\x01" + types
    with pytest.raises(ComponentFormatError, match="nest deeper than 100"):
        decode_component(b"\0asm\x0d\0\x01\0" + section)


def test_the_decoder_loads_no_engine() -> None:
    code = (
        "import sys, ingen_runtime.component.binary; "
        "sys.exit('wasmtime' in sys.modules or 'asyncio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def greeter(assemble: Assemble) -> bytes:
    return assemble(GREETER)


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_corrupted(greeter: bytes, edits: list[tuple[int, int]]) -> None:
    data = bytearray(greeter)
    for place, byte in edits:
        data[place % len(data)] = byte
    try:
        component = decode_component(bytes(data))
        for definition in component.definitions:
            if isinstance(definition, CoreModuleDef):
                read_core_module(definition.data)
    except ComponentFormatError as error:
        assert error.offset is not None and 0 <= error.offset <= len(data)


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, 10_000))
def test_truncated(greeter: bytes, length: int) -> None:
    cut = greeter[: length % len(greeter)]
    try:
        decode_component(cut)
    except ComponentFormatError as error:
        assert error.offset is not None and error.offset <= len(cut)

"""Decodes canonical definitions.

Source: component-model Binary.md, "Canonical Definitions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingen_runtime.component.binary.reader import Reader
from ingen_runtime.component.binary.syntax import (
    CanonBuiltin,
    CanonDef,
    CanonLift,
    CanonLower,
    CanonOptions,
)
from ingen_runtime.component.binary.type_decoder import read_result
from ingen_runtime.component.types import StringEncoding
from ingen_runtime.core_types import NumberType

_STRING_ENCODINGS = {
    0x00: StringEncoding.UTF8,
    0x01: StringEncoding.UTF16,
    0x02: StringEncoding.LATIN1_UTF16,
}

_INDEX_OPTIONS = {
    0x03: "memory",
    0x04: "realloc",
    0x05: "post_return",
    0x07: "callback",
    0x08: "core_type",
}


def read_options(reader: Reader) -> CanonOptions:
    """Read the options of a canonical definition; each may be given once."""
    options: dict[str, Any] = {}
    for _ in range(reader.count()):
        start = reader.position
        byte = reader.u8()
        value: StringEncoding | int | bool
        if byte in _STRING_ENCODINGS:
            name, value = "string_encoding", _STRING_ENCODINGS[byte]
        elif byte in _INDEX_OPTIONS:
            name, value = _INDEX_OPTIONS[byte], reader.u32()
        elif byte == 0x06:
            name, value = "is_async", True
        elif byte == 0x09:
            name, value = "gc", True
        else:
            raise reader.invalid_byte(byte, "canonical option")
        if name in options:
            keyword = {"is_async": "async"}.get(name, name.replace("_", "-"))
            raise reader.error(f"the canonical option `{keyword}` is given twice", start)
        options[name] = value
    return CanonOptions(**options)


def _type(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, type=reader.u32())


def _plain(_reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name)


def _async(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, is_async=reader.boolean())


def _cancellable(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, cancellable=reader.boolean())


def _type_options(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, type=reader.u32(), options=read_options(reader))


def _type_async(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, type=reader.u32(), is_async=reader.boolean())


def _options(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, options=read_options(reader))


def _wait(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, cancellable=reader.boolean(), memory=reader.u32())


def _core_type(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, core_type=reader.u32())


def _core_type_table(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, core_type=reader.u32(), table=reader.u32())


def _context(reader: Reader, name: str) -> CanonBuiltin:
    byte = reader.u8()
    if byte not in (0x7F, 0x7E):
        raise reader.invalid_byte(byte, f"the type of `{name}`")
    number_type = NumberType.I32 if byte == 0x7F else NumberType.I64
    return CanonBuiltin(name, number_type=number_type, slot=reader.u32())


def _task_return(reader: Reader, name: str) -> CanonBuiltin:
    return CanonBuiltin(name, result=read_result(reader), options=read_options(reader))


_BUILTINS: dict[int, tuple[str, Callable[[Reader, str], CanonBuiltin]]] = {
    0x02: ("resource.new", _type),
    0x03: ("resource.drop", _type),
    0x04: ("resource.rep", _type),
    0x05: ("task.cancel", _plain),
    0x06: ("subtask.cancel", _async),
    0x09: ("task.return", _task_return),
    0x0A: ("context.get", _context),
    0x0B: ("context.set", _context),
    0x0C: ("thread.yield", _cancellable),
    0x0D: ("subtask.drop", _plain),
    0x0E: ("stream.new", _type),
    0x0F: ("stream.read", _type_options),
    0x10: ("stream.write", _type_options),
    0x11: ("stream.cancel-read", _type_async),
    0x12: ("stream.cancel-write", _type_async),
    0x13: ("stream.drop-readable", _type),
    0x14: ("stream.drop-writable", _type),
    0x15: ("future.new", _type),
    0x16: ("future.read", _type_options),
    0x17: ("future.write", _type_options),
    0x18: ("future.cancel-read", _type_async),
    0x19: ("future.cancel-write", _type_async),
    0x1A: ("future.drop-readable", _type),
    0x1B: ("future.drop-writable", _type),
    0x1C: ("error-context.new", _options),
    0x1D: ("error-context.debug-message", _options),
    0x1E: ("error-context.drop", _plain),
    0x1F: ("waitable-set.new", _plain),
    0x20: ("waitable-set.wait", _wait),
    0x21: ("waitable-set.poll", _wait),
    0x22: ("waitable-set.drop", _plain),
    0x23: ("waitable.join", _plain),
    0x24: ("backpressure.inc", _plain),
    0x25: ("backpressure.dec", _plain),
    0x26: ("thread.index", _plain),
    0x27: ("thread.new-indirect", _core_type_table),
    0x28: ("thread.resume-later", _plain),
    0x29: ("thread.suspend", _cancellable),
    0x2A: ("thread.suspend-then-resume", _cancellable),
    0x2B: ("thread.yield-then-resume", _cancellable),
    0x2C: ("thread.suspend-then-promote", _cancellable),
    0x2D: ("thread.yield-then-promote", _cancellable),
    0x2E: ("stream.forward", _type),
    0x2F: ("future.forward", _type),
    0x40: ("thread.spawn-ref", _core_type),
    0x41: ("thread.spawn-indirect", _core_type_table),
    0x42: ("thread.available-parallelism", _plain),
}


def read_canon(reader: Reader) -> CanonDef:
    """Read a canonical definition."""
    start = reader.position
    byte = reader.u8()
    if byte == 0x00 or byte == 0x01:
        second = reader.u8()
        if second != 0x00:
            raise reader.invalid_byte(second, f"canonical function {'lower' if byte else 'lift'}")
        if byte == 0x00:
            return CanonDef(start, CanonLift(reader.u32(), read_options(reader), reader.u32()))
        return CanonDef(start, CanonLower(reader.u32(), read_options(reader)))
    builtin = _BUILTINS.get(byte)
    if builtin is None:
        raise reader.invalid_byte(byte, "canonical function")
    name, read = builtin
    return CanonDef(start, read(reader, name))

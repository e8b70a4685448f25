"""Core functions that the host gives to core modules: programs for preview 1 of WASI."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingen_runtime import Component, Linker
from ingen_runtime.engine import CoreFunc, CoreFuncType, CoreMemory, CoreStore, wat_to_wasm
from ingen_runtime.errors import ComponentFormatError, LinkError, Trap

PROGRAM = """
    (module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 16) "hello")
      (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 5) (i32.const 0)))))
    """


class _Preview1:
    """Writes down the bytes that it is told to write, by address and length."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []

    def core_function(
        self, store: CoreStore, name: str, type_: CoreFuncType, memory: Callable[[], CoreMemory]
    ) -> CoreFunc:
        assert name == "fd_write"

        def write(descriptor: int, at: int, length: int, _: int) -> int:
            self.written.append((descriptor, bytes(memory().view()[at : at + length])))
            return 0

        return CoreFunc.from_python(store, type_, write)


def test_a_program_for_preview_1_runs() -> None:
    preview1 = _Preview1()
    instance = Component.from_bytes(wat_to_wasm(PROGRAM)).instantiate({"wasi_snapshot_preview1": preview1})
    instance.exports["_start"]()
    assert preview1.written == [(1, b"hello")]


def test_what_is_missing_is_named_or_traps() -> None:
    component = Component.from_bytes(wat_to_wasm(PROGRAM))
    with pytest.raises(LinkError, match="wasi_snapshot_preview1"):
        component.instantiate({})
    instance = Linker().trap_missing().instantiate(component)
    with pytest.raises(Trap, match="wasi_snapshot_preview1#fd_write"):
        instance.exports["_start"]()


def test_other_core_imports_are_refused() -> None:
    other = PROGRAM.replace("wasi_snapshot_preview1", "env")
    with pytest.raises(LinkError, match="imports `env` `fd_write`"):
        Component.from_bytes(wat_to_wasm(other))
    with pytest.raises(ComponentFormatError, match="component-type"):
        Component.from_bytes(wat_to_wasm(other.replace("_start", "start")))

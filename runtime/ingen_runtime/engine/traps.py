"""From wasmtime's traps and errors to our exceptions."""

from __future__ import annotations

import ctypes
from typing import Final

from ingen_runtime.engine import bindings as c
from ingen_runtime.errors import InternalError, LinkError, Trap, TrapKind, WasmFrame

_KINDS: Final = {
    0: TrapKind.STACK_OVERFLOW,
    1: TrapKind.OUT_OF_BOUNDS_MEMORY,
    2: TrapKind.UNALIGNED_ATOMIC,
    3: TrapKind.OUT_OF_BOUNDS_TABLE,
    4: TrapKind.INDIRECT_CALL_TO_NULL,
    5: TrapKind.BAD_SIGNATURE,
    6: TrapKind.INTEGER_OVERFLOW,
    7: TrapKind.INTEGER_DIVISION_BY_ZERO,
    8: TrapKind.BAD_CONVERSION_TO_INTEGER,
    9: TrapKind.UNREACHABLE,
    10: TrapKind.INTERRUPTED,
    11: TrapKind.OUT_OF_FUEL,
    12: TrapKind.ATOMIC_WAIT_NON_SHARED_MEMORY,
    13: TrapKind.NULL_REFERENCE,
    14: TrapKind.OUT_OF_BOUNDS_ARRAY,
    15: TrapKind.ALLOCATION_TOO_LARGE,
    16: TrapKind.CAST_FAILURE,
    49: TrapKind.UNCAUGHT_EXCEPTION,
}
"""Source: `wasmtime_trap_code_enum`. Codes of wasmtime's own component model do not occur here."""


def take_error_message(error: int) -> str:
    """The message of a wasmtime error; frees it."""
    vec = c.ByteVec()
    c.error_message(error, ctypes.byref(vec))
    c.error_delete(error)
    return c.take_bytes(vec).decode(errors="replace")


def exception_from_trap(trap: int) -> Trap:
    """The exception for a wasmtime trap; frees it."""
    code = ctypes.c_uint8()
    has_code = c.trap_code(trap, ctypes.byref(code))
    message = c.ByteVec()
    c.trap_message(trap, ctypes.byref(message))
    text = c.take_bytes(message).rstrip(b"\0").decode(errors="replace")
    vec = c.PointerVec()
    c.trap_trace(trap, ctypes.byref(vec))
    frames = _take_frames(vec)
    c.trap_delete(trap)
    cause = _cause(text)
    if has_code:
        kind = _KINDS.get(code.value, TrapKind.OTHER)
    else:
        kind = TrapKind.UNCAUGHT_EXCEPTION if cause == "thrown Wasm exception" else TrapKind.OTHER
    if kind is not TrapKind.OTHER:
        cause = _beyond_the_kind(cause)
    return Trap(kind, cause, frames=frames)


def drop_exception(context: int) -> None:
    """Free the WebAssembly exception that nothing caught, which the store keeps for its host."""
    exception = ctypes.create_string_buffer(c.EXNREF_SIZE)
    if c.context_take_exception(context, exception):
        c.exnref_unroot(exception)


def exception_from_error(error: int, doing: str) -> Exception:
    """The exception for a wasmtime error that came while `doing` something; frees it."""
    vec = c.PointerVec()
    c.error_wasm_trace(error, ctypes.byref(vec))
    frames = _take_frames(vec)
    text = _cause(take_error_message(error))
    if "exceeds memory limits" in text or "exceeds table limits" in text or "limit exceeded" in text:
        return Trap(TrapKind.LIMIT_EXCEEDED, text, frames=frames)
    if "(os error " in text:
        return Trap(
            TrapKind.LIMIT_EXCEEDED, f"{text}; EngineConfig(memory_reservation=0) takes less", frames=frames
        )
    if "stack overflow" in text or "call stack exhausted" in text:
        return Trap(TrapKind.STACK_OVERFLOW, text, frames=frames)
    if "incompatible import type" in text or "types incompatible" in text:
        return LinkError(text)
    if "shared memory support is disabled" in text:
        return LinkError("the module has a shared memory, for threads, which are not supported")
    if frames:
        return Trap(TrapKind.OTHER, text, frames=frames)
    return InternalError(f"{doing}: {text}")


def _cause(text: str) -> str:
    """What went wrong, without the backtrace that wasmtime puts before it."""
    cause = text.split("Caused by:")[-1].strip()
    return cause.removeprefix("wasm trap: ")


def _beyond_the_kind(cause: str) -> str:
    """What a cause adds to the kind of the trap: where a memory fault was."""
    _, fault, where = cause.partition("memory fault at ")
    return fault + where.partition("\n")[0]


def _take_frames(vec: c.PointerVec) -> tuple[WasmFrame, ...]:
    frames = tuple([_frame(vec.data[index]) for index in range(vec.size)])
    c.frame_vec_delete(ctypes.byref(vec))
    return frames


def _frame(ptr: int) -> WasmFrame:
    return WasmFrame(
        func_index=c.frame_func_index(ptr),
        func_name=_name(c.frame_func_name(ptr)),
        module_name=_name(c.frame_module_name(ptr)),
        func_offset=c.frame_func_offset(ptr),
        module_offset=c.frame_module_offset(ptr),
    )


def _name(vec: ctypes._Pointer[c.ByteVec]) -> str | None:
    if not vec:
        return None
    contents = vec.contents
    return ctypes.string_at(contents.data, contents.size).decode(errors="replace") if contents.data else ""

"""The one core function that suspends a fiber, and the adapter around it that waiting host functions need.

wasmtime ends the process when a guest that was not started on a fiber calls a function that may suspend. So
no guest gets to see the suspending function: it imports an adapter, itself WebAssembly, that calls

    note(arguments...) -> (results..., i64)    a host function: begins the call. 0 says that the results are
                                               there; else the guest has to wait. Traps where it cannot
    wait(i64)                                  the suspending function
    take() -> (results...)                     a host function: the results, or a trap if there is an
                                               exception instead

`wait` fills in a continuation and returns; wasmtime then asks the continuation whether to go on, suspends the
fiber where not, and asks again when the fiber is polled. The continuation is a byte in memory, whose address
`note` gave.
"""

from __future__ import annotations

import ctypes
from typing import Final

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.calls import cover_entry


class _Late:
    """An exception that came where it could not be raised: a signal handler's, in the callback below."""

    __slots__ = ("exception",)

    def __init__(self) -> None:
        self.exception: BaseException | None = None


LATE: Final = _Late()


def _wait(
    environment: int,
    caller: int,
    arguments: int,
    argument_count: int,
    results: int,
    result_count: int,
    trap: int,
    continuation: int,
) -> None:
    # As in `calls`: whatever happens, the continuation has to be there, or wasmtime ends the process.
    try:
        target = _continuation_at(continuation)
        target.callback = _CALLBACK
        target.env = _value_at(arguments + c.VAL_OF_OFFSET).value
    except BaseException as exception:
        target = _continuation_at(continuation)
        target.callback = _CALLBACK
        target.env = _value_at(arguments + c.VAL_OF_OFFSET).value
        LATE.exception = exception


_continuation_at: Final = c.AsyncContinuation.from_address
_value_at: Final = ctypes.c_uint64.from_address


_wait.__code__ = cover_entry(_wait.__code__)
_WAIT: Final = c.AsyncCallback(_wait)
_CALLBACK: Final = c.is_nonzero_byte
WAIT_TYPE: Final = CoreFuncType(("i64",), ())


def new_wait_linker(engine_ptr: int, functype: int) -> int:
    """A linker of the engine that defines `wait`, whose type is `functype`."""
    linker: int = c.linker_new(engine_ptr)
    error = c.linker_define_async_func(linker, b"", 0, b"wait", 4, functype, _WAIT, 0, None)
    assert not error, "a fresh linker accepts every name"
    return linker


NOTE, WAIT, TAKE = "note", "wait", "take"


def adapter_text(type_: CoreFuncType) -> str:
    """The adapter of a function type, in the text format; imports `note`, `wait` and `take` in this order."""
    params = "".join([f" (param {value})" for value in type_.params])
    results = "".join([f" (result {value})" for value in type_.results])
    arguments = "".join([f" (local.get {index})" for index in range(len(type_.params))])
    return f"""
        (module $ingen
          (import "" "{NOTE}" (func $note{params}{results} (result i64)))
          (import "" "{WAIT}" (func $wait (param i64)))
          (import "" "{TAKE}" (func $take{results}))
          (func $call (export "call"){params}{results} (local $go i64)
            (call $note{arguments})
            (local.set $go)
            (br_if 0 (i64.eqz (local.get $go)))
            {"drop " * len(type_.results)}
            (call $wait (local.get $go))
            (call $take)))
        """


def note_type(type_: CoreFuncType) -> CoreFuncType:
    return CoreFuncType(type_.params, (*type_.results, "i64"))


def take_type(type_: CoreFuncType) -> CoreFuncType:
    return CoreFuncType((), type_.results)

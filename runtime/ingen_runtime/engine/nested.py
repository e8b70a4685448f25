"""Guest calls made by host functions on a fiber, for guests that use garbage collection.

On a fiber, wasmtime's collector suspends the guest between its steps. With a Python frame on the fiber's
stack, that of the host function, this must not happen; so the guest function that the host function calls
gets a fiber of its own, which is polled until the call has ended.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ingen_runtime.engine import bindings as c

_KINDS = {0: c.VAL_I32, 1: c.VAL_I64, 2: c.VAL_F32, 3: c.VAL_F64}
"""From `wasm_valkind_t` to `wasmtime_valkind_t`."""


def call_on_own_fiber(context: Any, function: Any, raw_at: Any, slots: int, trap_at: Any) -> int:
    """Stands in for `bindings.func_call_unchecked`: same parameters, same result, same effect."""
    params, results = _kinds(c.address_of(context), c.address_of(function))
    raw_address = c.address_of(raw_at)
    arguments = b"".join(
        [
            _value(kind, ctypes.string_at(raw_address + index * c.RAW_SLOT_SIZE, c.RAW_SLOT_SIZE))
            for index, kind in enumerate(params)
        ]
    )
    returned = ctypes.create_string_buffer(max(len(results), 1) * c.VAL_SIZE)
    error = ctypes.c_void_p()
    future = c.func_call_async(
        c.address_of(context),
        c.address_of(function),
        arguments,
        len(params),
        returned,
        len(results),
        c.address_of(trap_at),
        ctypes.byref(error),
    )
    future_ref = c.by_address(future)
    try:
        while not c.call_future_poll(future_ref):
            pass
    finally:
        c.call_future_delete(future)
    for index in range(len(results)):
        value_address = ctypes.addressof(returned) + index * c.VAL_SIZE + c.VAL_OF_OFFSET
        ctypes.memmove(raw_address + index * c.RAW_SLOT_SIZE, value_address, c.RAW_SLOT_SIZE)
    return error.value or 0


def _value(kind: int, slot: bytes) -> bytes:
    head = bytes([kind]) + bytes(c.VAL_OF_OFFSET - 1)
    return head + slot + bytes(c.VAL_SIZE - len(head) - len(slot))


def _kinds(context: int, function: int) -> tuple[list[int], list[int]]:
    """The kinds of a function's parameters and results."""
    type_ = c.func_type(context, function)
    try:
        params, results = (
            [_KINDS[c.valtype_kind(vec.contents.data[index])] for index in range(vec.contents.size)]
            for vec in (c.functype_params(type_), c.functype_results(type_))
        )
    finally:
        c.functype_delete(type_)
    return params, results

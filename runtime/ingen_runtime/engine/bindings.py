"""Every C function and structure of wasmtime that the engine uses, and nothing else of it.

The shared library is loaded from the installed `wasmtime` package without importing that package: its
declarations of the whole C API would cost more than the rest of our start-up. The layouts and signatures here
are those of wasmtime 50, so importing this module fails with a clear ImportError for any other major version,
and where a symbol is missing.

Pointers are plain integers here (`c_void_p` in, an integer or None out).

Source: the headers `wasmtime/*.h` and `wasm.h` of wasmtime's C API, version 50.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from ctypes import POINTER, c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WASMTIME_MAJOR = 50
"""The only major version of wasmtime whose C layouts this module knows."""


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform  # slow to import, and needed on Windows only

    return platform.machine()


MACHINE = _machine()
"""The CPU's architecture, as the operating system calls it."""


def _locate() -> tuple[Path, str]:
    """The path of the shared library and the version of the installed package."""
    needed = f"ingen_runtime needs the package wasmtime {WASMTIME_MAJOR}"
    spec = importlib.util.find_spec("wasmtime")
    if spec is None or spec.origin is None:
        raise ImportError(f'{needed}, which is not installed: pip install "wasmtime=={WASMTIME_MAJOR}.*"')
    package = Path(spec.origin).parent
    # The folder's name tells the version; importlib.metadata would take longer than all else here.
    infos = sorted(package.parent.glob("wasmtime-*.dist-info"))
    version = infos[-1].name.removeprefix("wasmtime-").removesuffix(".dist-info") if infos else _version()
    if version.split(".")[0] != str(WASMTIME_MAJOR):
        raise ImportError(f'{needed}, but {version} is installed: pip install "wasmtime=={WASMTIME_MAJOR}.*"')
    machine = {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}.get(MACHINE, MACHINE)
    system = "android" if hasattr(sys, "getandroidapilevel") else sys.platform
    names = {"win32": "_wasmtime.dll", "darwin": "_libwasmtime.dylib"}
    library = package / f"{system}-{machine}" / names.get(system, "_libwasmtime.so")
    if not library.exists():
        raise ImportError(f"wasmtime {version} has no library for this platform ({system}-{machine})")
    return library, version


def _version() -> str:
    from importlib.metadata import version  # slow to import, and rarely needed

    return version("wasmtime")


_library, WASMTIME_VERSION = _locate()
_dll = ctypes.CDLL(str(_library))


def _function(name: str, restype: Any, *argtypes: Any) -> Any:
    try:
        function = _dll[name]
    except AttributeError:
        raise ImportError(
            f"wasmtime {WASMTIME_VERSION} lacks {name}, which ingen_runtime needs: "
            f'pip install --force-reinstall "wasmtime=={WASMTIME_MAJOR}.*"'
        ) from None
    function.restype = restype
    function.argtypes = argtypes
    return function


# Functions that are called so often that ctypes' checks count: without declared argument types, a call with
# arguments prepared by `byref` takes half the time.

_HotFunction = ctypes.CFUNCTYPE(c_size_t)
_HotFunctionHoldingGil = ctypes.PYFUNCTYPE(c_size_t)
"""For functions that return at once and run no guest code."""


def _address(function: Any) -> int:
    address = ctypes.cast(function, c_void_p).value
    assert address is not None
    return address


# Structures.


class ByteVec(ctypes.Structure):
    """`wasm_byte_vec_t`, also `wasm_name_t` and `wasm_message_t`."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("size", c_size_t), ("data", c_void_p)]
    size: int
    data: int | None


class PointerVec(ctypes.Structure):
    """`wasm_valtype_vec_t`, `wasm_frame_vec_t`: a vector of owned pointers."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("size", c_size_t), ("data", POINTER(c_void_p))]
    size: int
    data: Any


class Extern(ctypes.Structure):
    """`wasmtime_extern_t`: a kind, and 24 bytes whose meaning the kind tells."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("kind", c_uint8), ("of", c_uint64 * 3)]
    kind: int


EXTERN_SIZE = 32
EXTERN_OF_OFFSET = 8
EXTERN_FUNC, EXTERN_GLOBAL, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_SHAREDMEMORY, EXTERN_TAG = range(6)


class Func(ctypes.Structure):
    """`wasmtime_func_t`."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("store_id", c_uint64), ("private", c_void_p)]


class Instance(ctypes.Structure):
    """`wasmtime_instance_t`."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("store_id", c_uint64), ("private", c_size_t)]


RAW_SLOT_SIZE = 16
"""Bytes of a `wasmtime_val_raw_t`: one argument or result of an unchecked call."""

VAL_SIZE = 32
VAL_OF_OFFSET = 8
VAL_I32, VAL_I64, VAL_F32, VAL_F64, VAL_V128, VAL_FUNCREF = range(6)


EXNREF_SIZE = 24
"""Bytes of a `wasmtime_exnref_t`."""


class AsyncContinuation(ctypes.Structure):
    """`wasmtime_async_continuation_t`: how the engine asks whether an async host function has finished."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [
        ("callback", c_void_p),
        ("env", c_void_p),
        ("finalizer", c_void_p),
    ]
    callback: int | None
    env: int | None
    finalizer: int | None


# Callback types. A callback may declare fewer parameters than C passes (all travel in registers, and the
# caller cleans up), which saves the conversion of those that nobody reads.

UncheckedCallback = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t)
"""(environment, caller, address of the raw slots) to the address of a trap, or 0."""

AsyncCallback = ctypes.CFUNCTYPE(None, *[c_size_t] * 8)
"""(environment, caller, arguments, count, results, count, where to put a trap, the continuation to fill
in); addresses as integers, which convert fastest."""

is_nonzero_byte = _address(ctypes.CDLL("msvcrt" if sys.platform == "win32" else None).strlen)
"""A C function that serves as `wasmtime_func_async_continuation_callback_t`: whether the byte at the address
that it gets is set, where the next byte is zero. It is `strlen`: what would be a callback into Python costs
nothing."""

EpochCallback = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, POINTER(c_uint64), POINTER(c_uint8))
"""(context, environment, where to put the next deadline in ticks, where to put the kind) to an error, or
0."""

EPOCH_CONTINUE, EPOCH_YIELD = 0, 1

# Configuration and engine.

config_new = _function("wasm_config_new", c_void_p)


def _config_flag(name: str) -> Callable[[int, bool], None]:
    setter: Callable[[int, bool], None] = _function(f"wasmtime_config_{name}_set", None, c_void_p, c_bool)
    return setter


def _config_number(name: str) -> Callable[[int, int], None]:
    setter: Callable[[int, int], None] = _function(f"wasmtime_config_{name}_set", None, c_void_p, c_uint64)
    return setter


config_flags = {
    name: _config_flag(name)
    for name in (
        "consume_fuel",
        "cranelift_nan_canonicalization",
        "epoch_interruption",
        "memory_may_move",
        "parallel_compilation",
        "wasm_bulk_memory",
        "wasm_compact_imports",
        "wasm_exceptions",
        "wasm_function_references",
        "wasm_gc",
        "wasm_memory64",
        "wasm_multi_memory",
        "wasm_multi_value",
        "wasm_reference_types",
        "wasm_relaxed_simd",
        "wasm_relaxed_simd_deterministic",
        "wasm_simd",
        "wasm_stack_switching",
        "wasm_tail_call",
        "wasm_wide_arithmetic",
    )
}
config_numbers = {
    name: _config_number(name)
    for name in (
        "async_stack_size",
        "max_wasm_stack",
        "memory_guard_size",
        "memory_reservation",
        "memory_reservation_for_growth",
    )
}
config_opt_level_set = _function("wasmtime_config_cranelift_opt_level_set", None, c_void_p, c_uint8)
engine_new_with_config = _function("wasm_engine_new_with_config", c_void_p, c_void_p)
engine_delete = _function("wasm_engine_delete", None, c_void_p)
engine_increment_epoch = _function("wasmtime_engine_increment_epoch", None, c_void_p)

# Modules.

module_new = _function("wasmtime_module_new", c_void_p, c_void_p, c_char_p, c_size_t, POINTER(c_void_p))
module_delete = _function("wasmtime_module_delete", None, c_void_p)
module_serialize = _function("wasmtime_module_serialize", c_void_p, c_void_p, POINTER(ByteVec))
module_deserialize = _function(
    "wasmtime_module_deserialize", c_void_p, c_void_p, c_void_p, c_size_t, POINTER(c_void_p)
)
module_deserialize_file = _function(
    "wasmtime_module_deserialize_file", c_void_p, c_void_p, c_char_p, POINTER(c_void_p)
)
wat2wasm = _function("wasmtime_wat2wasm", c_void_p, c_char_p, c_size_t, POINTER(ByteVec))
byte_vec_delete = _function("wasm_byte_vec_delete", None, POINTER(ByteVec))

# Stores.

store_new = _function("wasmtime_store_new", c_void_p, c_void_p, c_void_p, c_void_p)
store_context = _function("wasmtime_store_context", c_void_p, c_void_p)
store_delete = _function("wasmtime_store_delete", None, c_void_p)
store_limiter = _function(
    "wasmtime_store_limiter", None, c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64
)
store_epoch_deadline_callback = _function(
    "wasmtime_store_epoch_deadline_callback", None, c_void_p, EpochCallback, c_size_t, c_void_p
)
context_set_epoch_deadline = _HotFunctionHoldingGil(
    _address(_function("wasmtime_context_set_epoch_deadline", c_size_t))
)
"""(context as `byref`, ticks from now)"""
context_set_fuel = _function("wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64)
context_get_fuel = _function("wasmtime_context_get_fuel", c_void_p, c_void_p, POINTER(c_uint64))
context_take_exception = _function("wasmtime_context_take_exception", c_bool, c_void_p, c_void_p)
exnref_unroot = _function("wasmtime_exnref_unroot", None, c_void_p)

# Instances and what they export.

instance_new = _function(
    "wasmtime_instance_new",
    c_void_p,
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    POINTER(Instance),
    POINTER(c_void_p),
)
instance_export_get = _function(
    "wasmtime_instance_export_get", c_bool, c_void_p, POINTER(Instance), c_char_p, c_size_t, POINTER(Extern)
)
func_new_unchecked = _function(
    "wasmtime_func_new_unchecked",
    None,
    c_void_p,
    c_void_p,
    UncheckedCallback,
    c_size_t,
    c_void_p,
    POINTER(Func),
)
func_call_unchecked = _HotFunction(_address(_function("wasmtime_func_call_unchecked", c_size_t)))
"""(context, function, raw slots, slot count, where to put a trap) to an error, or 0; all pointers as
`byref`."""
memory_data = _function("wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
memory_data_size = _HotFunctionHoldingGil(_address(_function("wasmtime_memory_data_size", c_size_t)))
"""(context, memory) to its size in bytes; both as `byref`."""
memory_grow = _function("wasmtime_memory_grow", c_void_p, c_void_p, c_void_p, c_uint64, POINTER(c_uint64))
memory_type = _function("wasmtime_memory_type", c_void_p, c_void_p, c_void_p)
table_size = _function("wasmtime_table_size", c_uint64, c_void_p, c_void_p)
table_get = _function("wasmtime_table_get", c_bool, c_void_p, c_void_p, c_uint64, c_void_p)
global_get = _function("wasmtime_global_get", None, c_void_p, c_void_p, c_void_p)
global_set = _function("wasmtime_global_set", c_void_p, c_void_p, c_void_p, c_void_p)

# Function types.

valtype_new = _function("wasm_valtype_new", c_void_p, c_uint8)
valtype_vec_new = _function("wasm_valtype_vec_new", None, POINTER(PointerVec), c_size_t, POINTER(c_void_p))
functype_new = _function("wasm_functype_new", c_void_p, POINTER(PointerVec), POINTER(PointerVec))
func_type = _function("wasmtime_func_type", c_void_p, c_void_p, c_void_p)
functype_params = _function("wasm_functype_params", POINTER(PointerVec), c_void_p)
functype_results = _function("wasm_functype_results", POINTER(PointerVec), c_void_p)
valtype_kind = _function("wasm_valtype_kind", c_uint8, c_void_p)
functype_delete = _function("wasm_functype_delete", None, c_void_p)

# Errors and traps.

error_new = _function("wasmtime_error_new", c_void_p, c_char_p)
error_message = _function("wasmtime_error_message", None, c_void_p, POINTER(ByteVec))
error_wasm_trace = _function("wasmtime_error_wasm_trace", None, c_void_p, POINTER(PointerVec))
error_delete = _function("wasmtime_error_delete", None, c_void_p)
trap_new = _function("wasmtime_trap_new", c_void_p, c_char_p, c_size_t)
trap_message = _function("wasm_trap_message", None, c_void_p, POINTER(ByteVec))
trap_code = _function("wasmtime_trap_code", c_bool, c_void_p, POINTER(c_uint8))
trap_trace = _function("wasm_trap_trace", None, c_void_p, POINTER(PointerVec))
trap_delete = _function("wasm_trap_delete", None, c_void_p)
frame_vec_delete = _function("wasm_frame_vec_delete", None, POINTER(PointerVec))
frame_func_index = _function("wasm_frame_func_index", c_uint32, c_void_p)
frame_func_offset = _function("wasm_frame_func_offset", c_size_t, c_void_p)
frame_module_offset = _function("wasm_frame_module_offset", c_size_t, c_void_p)
frame_func_name = _function("wasmtime_frame_func_name", POINTER(ByteVec), c_void_p)
frame_module_name = _function("wasmtime_frame_module_name", POINTER(ByteVec), c_void_p)

# Linker and fibers.

linker_new = _function("wasmtime_linker_new", c_void_p, c_void_p)
linker_delete = _function("wasmtime_linker_delete", None, c_void_p)
linker_define = _function(
    "wasmtime_linker_define",
    c_void_p,
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_char_p,
    c_size_t,
    c_void_p,
)
linker_get = _function(
    "wasmtime_linker_get",
    c_bool,
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_char_p,
    c_size_t,
    POINTER(Extern),
)
linker_define_async_func = _function(
    "wasmtime_linker_define_async_func",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_char_p,
    c_size_t,
    c_void_p,
    AsyncCallback,
    c_size_t,
    c_void_p,
)
linker_instantiate_async = _function(
    "wasmtime_linker_instantiate_async",
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)
func_call_async = _function(
    "wasmtime_func_call_async",
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_size_t,
    c_void_p,
    c_size_t,
    c_void_p,
    c_void_p,
)
call_future_poll = ctypes.CFUNCTYPE(c_bool)(_address(_function("wasmtime_call_future_poll", c_bool)))
"""(future as `byref`) to whether the call has ended. Runs the guest until it ends or waits."""
call_future_delete = _function("wasmtime_call_future_delete", None, c_void_p)


def take_bytes(vec: ByteVec) -> bytes:
    """The bytes of a vector that C filled in; frees it."""
    data = ctypes.string_at(vec.data, vec.size) if vec.data else b""
    byte_vec_delete(ctypes.byref(vec))
    return data


class _Anything(ctypes.Structure):
    """What an address points to when nobody looks."""

    _fields_: ClassVar[Sequence[tuple[str, Any]]] = [("byte", c_uint8)]


def by_address(address: int) -> Any:
    """A prepared argument that passes `address` to a hot function."""
    return ctypes.byref(_Anything.from_address(address))


def by_buffer(buffer: bytearray) -> Any:
    """A prepared argument that passes the address of `buffer`, which must not be resized."""
    return ctypes.byref(_Anything.from_buffer(buffer))


def address_of(prepared: Any) -> int:
    """The address that a prepared argument passes."""
    return ctypes.addressof(prepared._obj)

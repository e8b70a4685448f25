"""The compiler and what all stores share."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import ClassVar, Final

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.cache import CodeCache
from ingen_runtime.engine.config import EngineConfig
from ingen_runtime.engine.signature import new_functype
from ingen_runtime.engine.suspend import WAIT_TYPE, new_wait_linker
from ingen_runtime.errors import InternalError

_OPT_LEVELS = {"none": 0, "speed": 1, "speed_and_size": 2}

TICK_S: Final = 0.01
"""How often a running guest is asked whether it has to yield or stop, in seconds."""


class Engine:
    """Compiles modules under one configuration; stores and modules of one engine go together.

    Safe to share between threads. `cache` is where compiled code is kept, None for nowhere.
    """

    __slots__ = ("__weakref__", "_functypes", "_open_stores", "_wait_linker", "cache", "config", "ptr")

    _process_forked: ClassVar[bool] = False
    """Whether this process is the child of a fork: then wasmtime's compiler threads are gone."""

    def __init__(self, config: EngineConfig | None = None, cache: CodeCache | None = None) -> None:
        self.ptr: int = 0  # for __del__, if what follows fails
        self.config = config or EngineConfig()
        self.cache = cache
        self.ptr = c.engine_new_with_config(_c_config(self.config))
        # A set: adding and discarding are atomic, whatever thread or collection a store goes in.
        self._open_stores: set[int] = set()
        self._wait_linker: int = 0
        self._functypes: dict[CoreFuncType, int] = {}

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter ends, what this needs is gone already, and the process frees everything.
        if self.ptr and not _is_finalizing():
            for functype in self._functypes.values():
                c.functype_delete(functype)
            if self._wait_linker:
                c.linker_delete(self._wait_linker)
            c.engine_delete(self.ptr)
            self.ptr = 0

    def increment_epoch(self) -> None:
        """Let one tick pass for every store of this engine. Safe from any thread."""
        c.engine_increment_epoch(self.ptr)

    def compile(self, wasm: bytes) -> tuple[int, int]:
        """Compile a module: returns the module, or 0, and the error, or 0."""
        if self.config.parallel_compilation and Engine._process_forked:
            return self._compile_alone(wasm)
        module = ctypes.c_void_p()
        error = c.module_new(self.ptr, wasm, len(wasm), ctypes.byref(module))
        return module.value or 0, error or 0

    def _compile_alone(self, wasm: bytes) -> tuple[int, int]:
        """The same on this thread only, by way of an engine that does so."""
        alone = Engine(self.config.compiling_alone())
        ptr, error = alone.compile(wasm)
        if error:
            return 0, error
        code, module = c.ByteVec(), ctypes.c_void_p()
        error = c.module_serialize(ptr, ctypes.byref(code))
        c.module_delete(ptr)
        if not error:
            error = c.module_deserialize(self.ptr, code.data, code.size, ctypes.byref(module))
            c.byte_vec_delete(ctypes.byref(code))
        return module.value or 0, error or 0

    @classmethod
    def after_fork(cls) -> None:
        """This process is the child of a fork."""
        cls._process_forked = True
        _TICKER.forget_thread()

    def functype(self, type_: CoreFuncType) -> int:
        """The `wasm_functype_t` of a type of numbers, which lives as long as the engine."""
        try:
            return self._functypes[type_]
        except KeyError:
            functype = self._functypes[type_] = new_functype(type_)
            return functype

    def wait_function(self, context: int) -> bytes:
        """The extern, in the store of `context`, of the function with which a fiber waits."""
        if not self._wait_linker:
            self._wait_linker = new_wait_linker(self.ptr, self.functype(WAIT_TYPE))
        extern = c.Extern()
        if not c.linker_get(self._wait_linker, context, b"", 0, b"wait", 4, ctypes.byref(extern)):
            raise InternalError("the function that waits is not defined")
        return bytes(extern)

    def store_opened(self, number: int) -> None:
        """A store that can be interrupted exists: time has to pass for it."""
        self._open_stores.add(number)
        if self.config.epoch_interruption:
            _TICKER.watch(self)

    def store_closed(self, number: int) -> None:
        self._open_stores.discard(number)

    @property
    def has_stores(self) -> bool:
        return bool(self._open_stores)


def _c_config(config: EngineConfig) -> int:
    ptr: int = c.config_new()
    flags = {
        "consume_fuel": config.consume_fuel,
        "cranelift_nan_canonicalization": config.nan_canonicalization,
        "epoch_interruption": config.epoch_interruption,
        "memory_may_move": True,
        "parallel_compilation": config.parallel_compilation,
        "wasm_bulk_memory": True,
        "wasm_compact_imports": False,
        "wasm_exceptions": config.exceptions,
        "wasm_function_references": config.function_references,
        "wasm_gc": config.gc,
        "wasm_memory64": config.memory64,
        "wasm_multi_memory": config.multi_memory,
        "wasm_multi_value": True,
        "wasm_reference_types": True,
        "wasm_relaxed_simd": config.relaxed_simd,
        "wasm_relaxed_simd_deterministic": config.relaxed_simd_deterministic,
        "wasm_simd": config.simd,
        "wasm_stack_switching": False,
        "wasm_tail_call": config.tail_call,
        "wasm_wide_arithmetic": config.wide_arithmetic,
    }
    for name, value in flags.items():
        c.config_flags[name](ptr, value)
    for name, number in {
        "async_stack_size": config.async_stack_size,
        "max_wasm_stack": config.max_wasm_stack,
        "memory_guard_size": config.memory_guard_size,
        "memory_reservation": config.memory_reservation,
        "memory_reservation_for_growth": config.memory_reservation_for_growth,
    }.items():
        c.config_numbers[name](ptr, number)
    c.config_opt_level_set(ptr, _OPT_LEVELS[config.opt_level])
    return ptr


class _Ticker:
    """A daemon thread that lets time pass for engines that have open stores.

    A busy guest holds its thread, so another one has to tick; with no store open the thread sleeps.
    """

    def __init__(self) -> None:
        self._engines: weakref.WeakSet[Engine] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, engine: Engine) -> None:
        if self._wake.is_set() and engine in self._engines:
            return
        with self._lock:
            self._engines.add(engine)
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ingen-epoch", daemon=True)
                self._thread.start()

    def forget_thread(self) -> None:
        """In the child of a fork there is no such thread any more, and the lock may be held for ever."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = None
        self._engines = weakref.WeakSet()

    def _run(self) -> None:
        wake = self._wake
        while True:
            wake.wait()
            time.sleep(TICK_S)
            with self._lock:
                busy = [engine for engine in self._engines if engine.has_stores]
                if not busy:
                    wake.clear()
            # No variable may keep an engine alive while the thread sleeps.
            while busy:
                busy.pop().increment_epoch()


_TICKER = _Ticker()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Engine.after_fork)


@functools.cache
def default_engine() -> Engine:
    """The engine with the default configuration and the default cache, made on first use."""
    return Engine(EngineConfig(), CodeCache.default())

"""Core WebAssembly on wasmtime; the only package that touches it.

    engine = default_engine()                              # or Engine(EngineConfig(...), CodeCache(folder))
    module = CoreModule(engine, wasm)                      # compiled, or loaded from the code cache
    store = CoreStore(engine, StoreLimits(memory_bytes=64 << 20))
    log = CoreFunc.from_python(store, CoreFuncType(("i32", "i32"), ()), log_bytes)
    instance = CoreInstance(store, module, [log])          # imports in the order of `module.imports`
    add = instance.export("add").bind()                    # the fastest callable
    add(1, 2)                                              # 3

Values. `i32` and `i64` are unsigned Python integers both ways, `f32` and `f64` are floats. A bound function
takes its arguments by position and returns None, the only result, or a tuple; a host function does the same
the other way round. An argument out of range raises struct.error before the guest is entered.

Externs. `CoreFunc`, `CoreMemory`, `CoreTable`, `CoreGlobal`, `CoreTag` come out of
`CoreInstance.export(name)` and go into another instance of the same store as imports, whatever their types.

Memory. `CoreMemory.view()` is a writable memoryview of the whole memory, valid until guest code runs again;
it costs a fifth of a call.

Failures. A call raises `Trap(kind, detail, frames=...)`, or the very exception that a host function raised. A
store that is closed, or whose call was cancelled, raises `StoreUnusableError`.

Fibers. `await call_async(func, *arguments)` runs a guest that may wait in host functions made by
`async_host_function(store, type, function)`, where `function` is an `async def`, or by
`may_wait_host_function(store, type, function)`, where it is a `def` that may return an awaitable; `await
instantiate_async(...)` is the same for start functions. While it waits a guest holds no thread and no Python
frame: see `fibers`.

Threads. Engines and modules may be shared; a store belongs to one thread at a time.
"""

from ingen_runtime.core_types import CoreFuncType, CoreValType
from ingen_runtime.engine.async_host import async_host_function, may_wait_host_function
from ingen_runtime.engine.cache import CodeCache
from ingen_runtime.engine.config import EngineConfig
from ingen_runtime.engine.core_types import (
    CoreExternType,
    CoreGlobalType,
    CoreImport,
    CoreLimits,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
)
from ingen_runtime.engine.engine import Engine, default_engine
from ingen_runtime.engine.externs import (
    CoreExtern,
    CoreFunc,
    CoreGlobal,
    CoreInstance,
    CoreMemory,
    CoreTable,
    CoreTag,
)
from ingen_runtime.engine.fibers import call_async, instantiate_async
from ingen_runtime.engine.limits import StoreLimits
from ingen_runtime.engine.module import CoreModule
from ingen_runtime.engine.store import CoreStore
from ingen_runtime.engine.text import wat_to_wasm

__all__ = [
    "CodeCache",
    "CoreExtern",
    "CoreExternType",
    "CoreFunc",
    "CoreFuncType",
    "CoreGlobal",
    "CoreGlobalType",
    "CoreImport",
    "CoreInstance",
    "CoreLimits",
    "CoreMemory",
    "CoreMemoryType",
    "CoreModule",
    "CoreStore",
    "CoreTable",
    "CoreTableType",
    "CoreTag",
    "CoreTagType",
    "CoreValType",
    "Engine",
    "EngineConfig",
    "StoreLimits",
    "async_host_function",
    "call_async",
    "default_engine",
    "instantiate_async",
    "may_wait_host_function",
    "wat_to_wasm",
]

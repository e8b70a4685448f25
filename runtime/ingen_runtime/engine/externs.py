"""What core instances import and export."""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeAlias

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.core_types import (
    NUMBER_TYPES,
    CoreExternType,
    CoreGlobalType,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
)
from ingen_runtime.engine.signature import pack_value, unpack_value
from ingen_runtime.engine.traps import exception_from_error
from ingen_runtime.errors import InternalError, LinkError, StoreUnusableError, Trap, TrapKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Buffer

    from ingen_runtime.engine.module import CoreModule
    from ingen_runtime.engine.store import CoreStore


class _CoreExtern:
    """A thing in a store that an instance exports, or may import; `raw` is its `wasmtime_extern_t`."""

    __slots__ = ("__weakref__", "raw", "store", "type")

    KIND: ClassVar[int]
    type: CoreExternType

    def __init__(self, store: CoreStore, type_: CoreExternType, raw: bytes) -> None:
        if raw[0] != self.KIND:
            raise InternalError(f"an extern of kind {raw[0]} is no {type(self).__name__}")
        self.store = store
        self.type = type_
        self.raw = raw

    def _buffer(self) -> ctypes.Array[ctypes.c_char]:
        """A copy of the handle proper, for functions that take its address."""
        return ctypes.create_string_buffer(self.raw[c.EXTERN_OF_OFFSET :], c.EXTERN_SIZE - c.EXTERN_OF_OFFSET)


class CoreFunc(_CoreExtern):
    """A core function."""

    __slots__ = ("_bound",)

    KIND: ClassVar[int] = c.EXTERN_FUNC
    type: CoreFuncType

    def __init__(self, store: CoreStore, type_: CoreFuncType, raw: bytes) -> None:
        super().__init__(store, type_, raw)
        self._bound: Callable[..., Any] | None = None

    @classmethod
    def from_python(cls, store: CoreStore, type_: CoreFuncType, function: Callable[..., Any]) -> CoreFunc:
        """A host function: see `CoreStore.define_host_function`."""
        return cls(store, type_, store.define_host_function(type_, function))

    def bind(self) -> Callable[..., Any]:
        """The function as the fastest Python callable there is: see `CoreStore.bind`. It keeps the store
        alive."""
        if self._bound is None:
            self._bound = self.store.bind(self.type, self.raw)
        return self._bound

    def __call__(self, *arguments: int | float) -> Any:
        return self.bind()(*arguments)


class CoreMemory(_CoreExtern):
    """A linear memory."""

    __slots__ = ("_handle", "_length", "_old_views", "_size", "_view", "measured", "stays")

    KIND: ClassVar[int] = c.EXTERN_MEMORY
    type: CoreMemoryType

    def __init__(self, store: CoreStore, type_: CoreMemoryType, raw: bytes) -> None:
        super().__init__(store, type_, raw)
        store.check_usable()
        self._handle = self._buffer()
        self.measured: Final[tuple[Any, Any]] = (c.by_address(store.context), ctypes.byref(self._handle))
        self._size: Callable[[Any, Any], int] = c.memory_data_size
        self._length = -1
        self._view = memoryview(b"")
        self._old_views: list[memoryview] = []
        self.stays: Final = not type_.limits.is_64 and store.engine.config.memory_reservation >= _ALL_32_BITS
        """Whether it never moves: then a view stays valid, of what was there, when the memory grows."""
        store.watch_memory(self)

    @property
    def measure(self) -> Callable[[Any, Any], int]:
        """Gives the length in bytes, called with `measured`: `len` without its cost and checks.

        To be used only while a call of the guest is under way.
        """
        measure: Callable[[Any, Any], int] = c.memory_data_size
        return measure

    def view(self) -> memoryview:
        """All of the memory as it is now: bytes, writable.

        Ask again after everything that runs guest code, which may grow the memory and so move it, unless it
        `stays`; then the old view raises ValueError. Slices of a view know nothing of that: they must be gone
        before guest code runs.
        """
        # A memory moves only when it grows, and never shrinks: the same size means the same place.
        if self._size(*self.measured) != self._length:
            self._renew()
        return self._view

    def __len__(self) -> int:
        return self._size(*self.measured)

    def read(self, ptr: int, byte_length: int) -> bytes:
        """A copy of a range. Raises Trap(OUT_OF_BOUNDS_MEMORY)."""
        view = self.view()
        if not 0 <= ptr <= ptr + byte_length <= len(view):
            raise self._out_of_bounds(ptr, byte_length)
        return view[ptr : ptr + byte_length].tobytes()

    def write(self, ptr: int, data: Buffer) -> None:
        """Copy bytes into the memory. Raises Trap(OUT_OF_BOUNDS_MEMORY)."""
        view = self.view()
        with memoryview(data) as source:
            if not 0 <= ptr <= ptr + source.nbytes <= len(view):
                raise self._out_of_bounds(ptr, source.nbytes)
            view[ptr : ptr + source.nbytes] = source.cast("B") if source.c_contiguous else source.tobytes()

    def grow(self, pages: int) -> int:
        """Grow the memory; returns its size before, in pages. Raises Trap(LIMIT_EXCEEDED)."""
        self.store.check_usable()
        before = ctypes.c_uint64()
        error = c.memory_grow(self.store.context, self._handle, pages, ctypes.byref(before))
        if error:
            c.error_delete(error)
            raise Trap(TrapKind.LIMIT_EXCEEDED, f"a memory of {len(self)} bytes cannot grow by {pages} pages")
        return before.value

    def detach(self) -> None:
        """The store is about to go: let go of the view, and refuse new ones."""
        self._size = _refuse_view
        self._length = -1
        for view in (self._view, *self._old_views):
            view.release()

    def _renew(self) -> None:
        if self.stays:
            self._old_views.append(self._view)
        else:
            self._view.release()
        length = self._size(*self.measured)
        address = c.memory_data(self.store.context, self._handle)
        self._view = _view_of(address, length, _WRITABLE)
        self._length = length

    def _out_of_bounds(self, ptr: int, byte_length: int) -> Trap:
        return Trap(
            TrapKind.OUT_OF_BOUNDS_MEMORY,
            f"{byte_length} bytes at 0x{ptr:x} in a memory of 0x{len(self):x} bytes",
        )


_ALL_32_BITS: Final = 1 << 32
_WRITABLE: Final = 0x200
_view_of = ctypes.pythonapi.PyMemoryView_FromMemory
_view_of.restype = ctypes.py_object
_view_of.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)


def _refuse_view(*_: object) -> NoReturn:
    raise StoreUnusableError("this memory is gone: its store is closed")


class CoreTable(_CoreExtern):
    """A table."""

    __slots__ = ()

    KIND: ClassVar[int] = c.EXTERN_TABLE
    type: CoreTableType

    def __len__(self) -> int:
        self.store.check_usable()
        size: int = c.table_size(self.store.context, self._buffer())
        return size

    def func(self, index: int, type_: CoreFuncType) -> CoreFunc | None:
        """The function at `index`, which must have the signature `type_`; None where the element is null.

        Raises Trap(OUT_OF_BOUNDS_TABLE).
        """
        self.store.check_usable()
        value = bytearray(c.VAL_SIZE)
        address = (ctypes.c_char * c.VAL_SIZE).from_buffer(value)
        if not c.table_get(self.store.context, self._buffer(), index, address):
            raise Trap(TrapKind.OUT_OF_BOUNDS_TABLE, f"element {index} of a table of {len(self)}")
        if value[0] != c.VAL_FUNCREF:
            raise InternalError("the table holds no functions")
        store_id, _ = struct.unpack_from("<QQ", value, c.VAL_OF_OFFSET)
        if not store_id:
            return None
        return CoreFunc(
            self.store, type_, bytes([c.EXTERN_FUNC]) + bytes(7) + bytes(value[c.VAL_OF_OFFSET :])
        )


class CoreGlobal(_CoreExtern):
    """A global variable."""

    __slots__ = ()

    KIND: ClassVar[int] = c.EXTERN_GLOBAL
    type: CoreGlobalType

    @property
    def value(self) -> int | float:
        """The value of a global of a number type; integers are unsigned."""
        packed = self._value_buffer()
        address = (ctypes.c_char * c.VAL_SIZE).from_buffer(packed)
        c.global_get(self.store.context, self._buffer(), address)
        return unpack_value(packed, 0, self.type.value)

    @value.setter
    def value(self, value: int | float) -> None:
        packed = self._value_buffer()
        if not self.type.mutable:
            raise ValueError("this global is constant")
        pack_value(packed, 0, self.type.value, value)
        address = (ctypes.c_char * c.VAL_SIZE).from_buffer(packed)
        error = c.global_set(self.store.context, self._buffer(), address)
        if error:
            raise exception_from_error(error, "setting a global")

    def _value_buffer(self) -> bytearray:
        self.store.check_usable()
        if self.type.value not in NUMBER_TYPES:
            raise InternalError(f"a global of type {self.type.value} has no value in Python")
        return bytearray(c.VAL_SIZE)


class CoreTag(_CoreExtern):
    """An exception tag."""

    __slots__ = ()

    KIND: ClassVar[int] = c.EXTERN_TAG
    type: CoreTagType


CoreExtern: TypeAlias = CoreFunc | CoreTable | CoreMemory | CoreGlobal | CoreTag


class CoreInstance:
    """An instance of a core module in a store.

    `imports` are in the order of `module.imports` and of the same store. Raises LinkError where they do not
    fit, and Trap where a segment is out of bounds, the start function traps or a limit is exceeded.
    """

    __slots__ = ("_handle", "module", "store")

    def __init__(self, store: CoreStore, module: CoreModule, imports: Sequence[CoreExtern] = ()) -> None:
        self.store = store
        self.module = module
        packed = pack_imports(store, module, imports)
        store.prepare_for(module)
        self._handle = c.Instance()
        trap = ctypes.c_void_p()
        store.enter()
        try:
            error = c.instance_new(
                store.context,
                module.ptr,
                packed,
                len(imports),
                ctypes.byref(self._handle),
                ctypes.byref(trap),
            )
        finally:
            store.leave()
        if error or trap:
            store.raise_failure(trap.value or 0, error or 0, "instantiating")

    @classmethod
    def from_handle(cls, store: CoreStore, module: CoreModule, handle: c.Instance) -> CoreInstance:
        """The instance that wasmtime made under `handle`."""
        instance = cls.__new__(cls)
        instance.store = store
        instance.module = module
        instance._handle = handle
        return instance

    def export(self, name: str) -> CoreExtern:
        """The export `name`. Raises KeyError where the module has none."""
        type_ = self.module.export_type(name)
        self.store.check_usable()
        encoded = name.encode()
        extern = c.Extern()
        if not c.instance_export_get(
            self.store.context, ctypes.byref(self._handle), encoded, len(encoded), ctypes.byref(extern)
        ):
            raise InternalError(f"wasmtime does not know the export {name!r}")
        return make_extern(self.store, type_, bytes(extern))

    @property
    def exports(self) -> dict[str, CoreExtern]:
        """All exports by name, in the module's order."""
        return {name: self.export(name) for name in self.module.export_names}


def make_extern(store: CoreStore, type_: CoreExternType, raw: bytes) -> CoreExtern:
    """The wrapper for an extern of a known type."""
    match type_:
        case CoreFuncType():
            return CoreFunc(store, type_, raw)
        case CoreMemoryType():
            return CoreMemory(store, type_, raw)
        case CoreTableType():
            return CoreTable(store, type_, raw)
        case CoreGlobalType():
            return CoreGlobal(store, type_, raw)
        case CoreTagType():
            return CoreTag(store, type_, raw)


def pack_imports(store: CoreStore, module: CoreModule, imports: Sequence[CoreExtern]) -> bytes:
    """The imports as an array of `wasmtime_extern_t`. Raises LinkError where number or kinds do not fit."""
    store.check_usable()
    if store.engine is not module.engine:
        raise InternalError("the module was compiled by another engine than the store's")
    if len(imports) != len(module.imports):
        raise LinkError(f"the core module needs {len(module.imports)} imports, not {len(imports)}")
    for wanted, given in zip(module.imports, imports, strict=True):
        if given.store is not store:
            raise InternalError(f"the import {wanted.module}.{wanted.name} comes from another store")
        if type(given.type) is not type(wanted.type):
            name = f"{wanted.module}.{wanted.name}"
            raise LinkError(f"the core import {name} needs {wanted.type}, not {given.type}", name)
    return b"".join([given.raw for given in imports])

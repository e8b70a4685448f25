"""Compiled core modules."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.cache import FileStatus, file_status
from ingen_runtime.engine.engine import Engine
from ingen_runtime.engine.introspect import KnownInterface, ModuleInterface
from ingen_runtime.engine.traps import take_error_message
from ingen_runtime.errors import ComponentFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from ingen_runtime.engine.core_types import CoreExternType, CoreImport


class SavedModule(NamedTuple):
    """Where the compiled code of a module is kept, and what its binary says."""

    file: str
    status: FileStatus
    interface: KnownInterface


_PREAMBLE = b"\0asm\x01\0\0\0"
_OFFSET = re.compile(r"\s*\(at offset 0x([0-9a-f]+)\)")


class CoreModule:
    """A core module, compiled for `engine`, which any number of its stores can instantiate.

    `wasm` is the binary format. Raises ComponentFormatError where it is no valid module.
    """

    __slots__ = ("_code", "_export_types", "_interface", "engine", "from_cache", "ptr")

    def __init__(self, engine: Engine, wasm: bytes) -> None:
        self.ptr: int = 0  # for __del__, if what follows fails
        self.engine = engine
        self.from_cache = False
        """Whether the code came from the cache and was not compiled now."""
        self._code: Path | None = None
        self.ptr = self._load(wasm)
        self._interface: ModuleInterface | KnownInterface = ModuleInterface(wasm)
        self._export_types: dict[str, CoreExternType] = {}

    @classmethod
    def restore(cls, engine: Engine, saved: SavedModule) -> CoreModule | None:
        """The module of `save`; None where its compiled code is gone or was touched."""
        cache = engine.cache
        assert cache is not None
        code = cache.folder / saved.file
        ptr = cache.load(engine.ptr, code, saved.status)
        if ptr is None:
            return None
        module = cls.__new__(cls)
        module.ptr = ptr
        module.engine = engine
        module.from_cache = True
        module._code = code
        module._interface = saved.interface
        module._export_types = saved.interface.exports
        return module

    def save(self) -> SavedModule | None:
        """What `restore` makes this module of in another process; None where its code is not in the cache."""
        status = None if self._code is None else file_status(self._code)
        if self._code is None or status is None:
            return None
        interface = self._interface
        known = interface if isinstance(interface, KnownInterface) else interface.known()
        return SavedModule(self._code.name, status, known)

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter ends, what this needs is gone already, and the process frees everything.
        if self.ptr and not _is_finalizing():
            c.module_delete(self.ptr)
            self.ptr = 0

    @property
    def imports(self) -> tuple[CoreImport, ...]:
        """What instantiation needs, in order."""
        return self._interface.imports

    @property
    def export_names(self) -> tuple[str, ...]:
        return tuple(self._interface.exports)

    @property
    def has_start(self) -> bool:
        """Whether instantiation runs a start function."""
        return self._interface.has_start

    @property
    def memory_count(self) -> int:
        """How many memories each instance makes."""
        return self._interface.memory_count

    @property
    def uses_gc(self) -> bool:
        """Whether its code can make objects that wasmtime collects: structures, arrays, exceptions."""
        return self._interface.uses_gc

    def export_type(self, name: str) -> CoreExternType:
        """The type of an export. Raises KeyError where there is none."""
        try:
            return self._export_types[name]
        except KeyError:
            type_ = self._interface.export_type(name)
        self._export_types[name] = type_
        return type_

    def _load(self, wasm: bytes) -> int:
        cache = self.engine.cache
        if cache is None:
            return _compile(self.engine, wasm)
        self._code = path = cache.path(wasm, self.engine.config.fingerprint())
        cached = cache.load(self.engine.ptr, path)
        if cached is not None:
            self.from_cache = True
            return cached
        ptr = _compile(self.engine, wasm)
        cache.save(ptr, path)
        return ptr


def _compile(engine: Engine, wasm: bytes) -> int:
    if wasm[:8] != _PREAMBLE:  # wasmtime would take the text format as well
        raise ComponentFormatError("no core module: it does not begin with the magic number and version 1", 0)
    module, error = engine.compile(wasm)
    if error:
        message = take_error_message(error)
        # The first line says only that compiling failed; the cause follows.
        message = message.split("Caused by:")[-1].strip()
        place = _OFFSET.search(message)
        offset = None if place is None else int(place[1], 16)
        raise ComponentFormatError(f"invalid core module: {_OFFSET.sub('', message)}", offset)
    return module

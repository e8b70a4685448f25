"""A guest that does what a test tells it: each function of preview 1 can be called from Python."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Coroutine
from functools import cache
from typing import Any

from ingen_runtime.component.plan import PREVIEW_1
from ingen_runtime.engine import (
    CoreFunc,
    CoreFuncType,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    call_async,
    default_engine,
    wat_to_wasm,
)
from ingen_runtime.kernel.process import Process
from ingen_runtime.wasi.p1 import Preview1
from ingen_runtime.wasi.p1.abi import EVENT, FDSTAT, FILESTAT, SUBSCRIPTION, TYPES, Errno

MEMORY_SIZE = 1 << 16
FAR = MEMORY_SIZE - 2
"""A pointer behind which nearly everything is out of memory."""


@cache
def module_wasm() -> bytes:
    """A module that exports what it imports."""
    imports: list[str] = []
    lines = ['(memory (export "memory") 1 8)']
    for name, type_ in TYPES.items():
        params = " ".join(map(str, type_.params))
        results = " ".join(map(str, type_.results))
        signature = f"(param {params}) (result {results})"
        imports.append(f'(import "{PREVIEW_1}" "{name}" (func ${name} {signature}))')
        arguments = " ".join([f"(local.get {index})" for index in range(len(type_.params))])
        lines.append(f'(func (export "{name}") {signature} (call ${name} {arguments}))')
    lines.append('(func (export "grow") (drop (memory.grow (i32.const 1))))')
    return wat_to_wasm("\n".join(["(module", *imports, *lines, ")"]))


class BareGuest:
    """An instance with functions that take what C would pass, apart from memory for the results."""

    def __init__(self, process: Process) -> None:
        module = CoreModule(default_engine(), module_wasm())
        self.process = process
        self.store = CoreStore(module.engine)
        preview1 = Preview1(process)
        imports: list[CoreFunc] = []
        for wanted in module.imports:
            assert isinstance(wanted.type, CoreFuncType)
            imports.append(preview1.core_function(self.store, wanted.name, wanted.type, lambda: self.memory))
        self._instance = CoreInstance(self.store, module, imports)
        memory = self._instance.export("memory")
        assert isinstance(memory, CoreMemory)
        self.memory = memory

    def function(self, name: str) -> CoreFunc:
        function = self._instance.export(name)
        assert isinstance(function, CoreFunc)
        return function

    async def acall(self, name: str, *arguments: int) -> Errno:
        """What a function returns, from inside a running event loop."""
        masked = [
            argument & ((1 << (64 if type_ == "i64" else 32)) - 1)
            for argument, type_ in zip(arguments, TYPES[name].params, strict=True)
        ]
        return Errno(await call_async(self.function(name), *masked))

    def call(self, name: str, *arguments: int) -> Errno:
        """What a function returns."""
        return asyncio.run(self.acall(name, *arguments))

    def succeed(self, name: str, *arguments: int) -> None:
        assert self.call(name, *arguments) is Errno.SUCCESS

    # Memory: paths at 1000, iovecs at 3000, data from 4096 on, results at 64.

    def put(self, data: bytes, at: int = 4096) -> int:
        self.memory.write(at, data)
        return at

    def path(self, text: str | bytes, at: int = 1000) -> tuple[int, int]:
        """Pointer and length."""
        data = text.encode() if isinstance(text, str) else text
        return self.put(data, at), len(data)

    def iovecs(self, *lengths: int) -> tuple[int, int]:
        """Pointer and count of buffers in a row."""
        at = 4096
        for index, length in enumerate(lengths):
            self.memory.write(3000 + index * 8, struct.pack("<II", at, length))
            at += length
        return 3000, len(lengths)

    def u32(self, at: int = 64) -> int:
        return int.from_bytes(self.memory.read(at, 4), "little")

    def u64(self, at: int = 64) -> int:
        return int.from_bytes(self.memory.read(at, 8), "little")

    def unpack(self, layout: struct.Struct, at: int = 64) -> tuple[int, ...]:
        return layout.unpack(self.memory.read(at, layout.size))

    # Shorter ways to call the most used functions.

    def open(
        self,
        path: str,
        *,
        oflags: int = 0,
        rights: int = 0x1FFFFFFF,
        fdflags: int = 0,
        fd: int = 3,
        follow: int = 1,
    ) -> int:
        self.succeed("path_open", fd, follow, *self.path(path), oflags, rights, rights, fdflags, 64)
        return self.u32()

    def write(self, fd: int, data: bytes) -> int:
        self.put(data)
        self.succeed("fd_write", fd, *self.iovecs(len(data)), 64)
        return self.u32()

    def read(self, fd: int, length: int) -> bytes:
        self.succeed("fd_read", fd, *self.iovecs(length), 64)
        return self.memory.read(4096, self.u32())

    def fdstat(self, fd: int) -> tuple[int, ...]:
        """Type, flags, rights, rights of what is opened through it."""
        self.succeed("fd_fdstat_get", fd, 64)
        return self.unpack(FDSTAT)

    def filestat(self, path: str, follow: int = 1) -> tuple[int, ...]:
        """Device, inode, type, links, size, three times."""
        self.succeed("path_filestat_get", 3, follow, *self.path(path), 64)
        return self.unpack(FILESTAT)

    def poll(self, *subscriptions: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The events: user data, errno, tag, size, flags."""
        return asyncio.run(self.apoll(*subscriptions))

    async def apoll(self, *subscriptions: tuple[int, ...]) -> list[tuple[int, ...]]:
        self.put(b"".join([SUBSCRIPTION.pack(*one) for one in subscriptions]), 8192)
        assert await self.acall("poll_oneoff", 8192, 16384, len(subscriptions), 64) is Errno.SUCCESS
        data = self.memory.read(16384, self.u32() * EVENT.size)
        return list(EVENT.iter_unpack(data))


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def wait_for(user_data: int, tag: int, fd: int) -> tuple[int, ...]:
    """A subscription to a descriptor."""
    return user_data, tag, fd, 0, 0, 0


def timer(user_data: int, time_ns: int, *, clock: int = 1, absolute: bool = False) -> tuple[int, ...]:
    """A subscription to a clock."""
    return user_data, 0, clock, time_ns, 0, int(absolute)

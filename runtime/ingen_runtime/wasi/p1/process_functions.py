"""The functions of preview 1 that have to do with the process: arguments, clocks, randomness, its end."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.wasi.p1.abi import MONOTONIC, REALTIME, Errno, ErrnoError
from ingen_runtime.wasi.p1.memory import GuestMemory

_SIGNAL_COUNT = 31
_IGNORED_SIGNALS = frozenset({0, 13, 16, 17, 22, 27})
"""None, and those that the specification ignores: pipe, chld, cont (nothing is stopped), urg, winch."""
_STOPPING_SIGNALS = frozenset({18, 19, 20, 21})
"""stop, tstp, ttin, ttou"""


class ProcessFunctions:
    """`args_…`, `environ_…`, `clock_…`, `random_…`, `proc_…`, `sched_…`"""

    def __init__(self, process: Process, memory: GuestMemory) -> None:
        self._process = process
        self._memory = memory
        self._monotonic_ns = process.clock.monotonic_ns
        self._secure = process.randomness.secure
        self._arguments = [argument.encode() + b"\0" for argument in process.arguments]
        self._environment = [
            f"{name}={value}".encode() + b"\0" for name, value in process.environment.items()
        ]

    # Arguments and variables.

    def args_get(self, pointers: int, ptr: int) -> int:
        self._write_strings(self._arguments, pointers, ptr)
        return 0

    def args_sizes_get(self, count: int, size: int) -> int:
        self._write_sizes(self._arguments, count, size)
        return 0

    def environ_get(self, pointers: int, ptr: int) -> int:
        self._write_strings(self._environment, pointers, ptr)
        return 0

    def environ_sizes_get(self, count: int, size: int) -> int:
        self._write_sizes(self._environment, count, size)
        return 0

    def _write_strings(self, strings: Sequence[bytes], pointers: int, ptr: int) -> None:
        for string in strings:
            self._memory.write_u32(pointers, ptr)
            self._memory.write(ptr, string)
            pointers += 4
            ptr += len(string)

    def _write_sizes(self, strings: Sequence[bytes], count: int, size: int) -> None:
        self._memory.write_u32(count, len(strings))
        self._memory.write_u32(size, sum([len(string) for string in strings]))

    # Clocks and randomness.

    def clock_res_get(self, clock: int, result: int) -> int:
        if clock == MONOTONIC:
            resolution = self._process.clock.monotonic_resolution_ns
        elif clock == REALTIME:
            resolution = self._process.clock.wall_resolution_ns
        else:
            raise ErrnoError(Errno.INVAL)
        self._memory.write_u64(result, resolution)
        return 0

    def clock_time_get(self, clock: int, precision: int, result: int) -> int:
        if clock == MONOTONIC:
            now = self._monotonic_ns()
        elif clock == REALTIME:
            now = self._process.clock.wall_ns()
        else:
            raise ErrnoError(Errno.INVAL)
        self._memory.write_u64(result, now)
        return 0

    def random_get(self, ptr: int, length: int) -> int | Generator[None, None, int]:
        memory = self._memory
        if length <= memory.transfer_bytes:
            memory.slice(ptr, length)[:] = self._secure(length)
            return 0
        return self._random_in_parts(ptr, length)

    def _random_in_parts(self, ptr: int, length: int) -> Generator[None, None, int]:
        memory = self._memory
        memory.slice(ptr, length)
        end = ptr + length
        while ptr < end:
            count = min(end - ptr, memory.transfer_bytes)
            memory.write(ptr, self._secure(count))
            ptr += count
            yield
        return 0

    # The end, and letting others run.

    def proc_exit(self, status: int) -> None:
        raise ProcessExit(status)

    def proc_raise(self, signal: int) -> int:
        if signal in _IGNORED_SIGNALS:
            return 0
        if signal >= _SIGNAL_COUNT:
            raise ErrnoError(Errno.INVAL)
        if signal in _STOPPING_SIGNALS:
            raise ErrnoError(Errno.NOTSUP)
        raise ProcessExit(128 + signal)

    def sched_yield(self) -> Generator[None, None, int]:
        yield
        return 0

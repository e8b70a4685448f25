"""The ends of streams and futures that the host has.

Copies are asked for with `await`; while one waits, the guests of the store run. An end may be closed from
anywhere, also by the garbage collector: that runs no guest code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ingen_runtime.component.concurrency.buffers import Buffer, HostSource, HostTarget, is_number
from ingen_runtime.component.concurrency.copies import CopyResult, Shared, SharedStream
from ingen_runtime.component.types import PrimitiveType, ValType
from ingen_runtime.errors import HostValueError, Trap, TrapKind

if TYPE_CHECKING:
    from typing import Self

    from ingen_runtime.component.concurrency.tasks import InstanceTasks

T = TypeVar("T")

_CHUNK: Final = 1 << 16
"""How many elements are read at most where nobody says."""
_UNREAD: Final = object()


class HostEnd:
    """An end in the host's hands. Leaving it as a context manager closes it, as forgetting it does."""

    _what = "stream"

    def __init__(self, shared: Shared, element: ValType | None) -> None:
        self.shared = shared
        self._element = element
        self._tasks: InstanceTasks | None = None
        self._is_open = True
        self._is_copying = False

    def _connect(self, tasks: InstanceTasks) -> None:
        """The other end is in a guest, or comes from there."""
        self._tasks = tasks
        tasks.scheduler.host_ends += 1

    def _disconnect(self) -> None:
        if self._tasks is not None:
            self._tasks.scheduler.host_ends -= 1
            self._tasks.scheduler.wake()

    def close(self) -> None:
        """Let go of the end. Whoever has the other one learns of it; a copy that is under way ends."""
        if self._is_open:
            self._is_open = False
            if self.shared.is_waiting(self):
                self.shared.cancel()
            self.shared.drop()
            self._disconnect()

    @property
    def closed(self) -> bool:
        """Whether the end was closed or passed on."""
        return not self._is_open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if getattr(self, "_is_open", False) and not _is_finalizing():
            self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{'' if self._is_open else ', closed'}>"

    def _check(self) -> None:
        if not self._is_open:
            raise HostValueError(self._what, "an end that is open", "one that was closed or passed on")
        if self._is_copying:
            raise HostValueError(self._what, "an end that nobody else waits for", "one in use")

    async def _copy(self, buffer: Buffer, writes: bool) -> CopyResult:
        """Copy until something was read, or everything written.

        Raises: HostValueError, what stops a guest meanwhile, PoisonedError where one was stopped.
        """
        self._check()
        assert self._tasks is not None
        scheduler, root = self._tasks.scheduler, self._tasks.state.root
        outcome: list[CopyResult] = []

        def on_done(result: CopyResult) -> None:
            outcome.append(result)
            scheduler.wake()

        def on_copy(give_back: Callable[[], None]) -> None:
            if not writes or not buffer.remaining:
                give_back()
                on_done(CopyResult.COMPLETED)

        self._is_copying = True
        try:
            with scheduler.asyncio_call():
                await scheduler.settle()
                if self._is_open:
                    self.shared.copy(self, self, buffer, writes, on_copy, on_done)
                    await scheduler.run_until_async(lambda: bool(outcome), root)
        finally:
            self._is_copying = False
            if self.shared.is_waiting(self):
                self.shared.cancel()
        return outcome[0] if outcome else CopyResult.CANCELLED


class ReadableEnd(HostEnd):
    """A readable end that a guest has given the host."""

    def __init__(self, shared: Shared, element: ValType | None, tasks: InstanceTasks) -> None:
        super().__init__(shared, element)
        shared.read_by(self)
        self._connect(tasks)

    @property
    def _is_untouched(self) -> bool:
        """Whether nothing that was read is kept here."""
        return True

    def give(self, element: ValType | None, tasks: InstanceTasks) -> Shared | None:
        """The middle, where the end may go to a guest as it is; None where what is read has to be passed on.

        Raises: HostValueError.
        """
        self._check()
        is_same = element == self._element
        if not is_same and (is_number(element) or is_number(self._element)):
            raise HostValueError(self._what, f"a {self._what} of this type", f"{self!r} of another one")
        assert self._tasks is not None
        if not is_same or self._tasks.scheduler is not tasks.scheduler or not self._is_untouched:
            return None
        self._is_open = False
        self._disconnect()
        return self.shared

    def take_back(self) -> None:
        """Undo `give`: the call was refused."""
        assert self._tasks is not None
        self._is_open = True
        self._connect(self._tasks)


class StreamReader(ReadableEnd, Generic[T]):
    """The readable end of a stream that a guest has given the host.

    `async for` gives the elements, and of a `stream<u8>` chunks of `bytes`; `read` gives several at once.
    Passed to a guest, it moves there.
    """

    def __init__(self, shared: Shared, element: ValType | None, tasks: InstanceTasks) -> None:
        super().__init__(shared, element, tasks)
        self._kept: Any = None
        self._has_ended = False

    @property
    def _is_untouched(self) -> bool:
        return not self._kept

    async def read(self, n: int = _CHUNK) -> Any:
        """From 1 to `n` elements as soon as there are some, none where the stream has ended.

        They are a list, and `bytes` for a `stream<u8>`.

        Raises: HostValueError for an end that is closed or in use, ValueError, what stops a guest meanwhile.
        """
        if n < 1:
            raise ValueError("at least one element is to be read")
        self._check()
        if self._kept:
            values, self._kept = self._kept[:n], self._kept[n:]
            return values
        target = HostTarget(self._element, n)
        if not self._has_ended:
            try:
                self._has_ended = await self._copy(target, writes=False) is CopyResult.DROPPED
            except BaseException:
                if target.progress:
                    self._kept = target.values()  # it came just when the task was cancelled
                raise
        return target.values()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        is_bytes = self._element is PrimitiveType.U8
        values: Any = await self.read(_CHUNK if is_bytes else 1)
        if not values:
            raise StopAsyncIteration
        element: T = values if is_bytes else values[0]
        return element

    async def aclose(self) -> None:
        """The same as `close`."""
        self.close()


class FutureReader(ReadableEnd, Generic[T]):
    """The readable end of a future that a guest has given the host: `await` gives the value, each time.

    Passed to a guest before that, it moves there.
    """

    _what = "future"

    def __init__(self, shared: Shared, element: ValType | None, tasks: InstanceTasks) -> None:
        super().__init__(shared, element, tasks)
        self._value: Any = _UNREAD

    def __await__(self) -> Generator[Any, Any, T]:
        return self._read().__await__()

    async def _read(self) -> T:
        if self._value is _UNREAD:
            target = HostTarget(self._element, 1)
            try:
                await self._copy(target, writes=False)
            finally:
                if target.progress:
                    self._value = target.values()[0]
            if self._value is _UNREAD:
                raise Trap(TrapKind.OTHER, "the future was closed before it had a value")
            self.close()
        value: T = self._value
        return value


class StreamWriter(HostEnd, Generic[T]):
    """A stream that the host writes to step by step: what stands for the stream is the writer itself.

    It is passed to a guest, once; what is written then comes out there. The call that it is given to holds
    it until it returns: close it, rather than forget it.
    """

    def __init__(self) -> None:
        import asyncio  # slow to import, and whoever writes has it already

        super().__init__(SharedStream(), None)
        self._given = asyncio.Event()

    async def write(self, values: Sequence[T] | bytes | bytearray | memoryview) -> None:
        """Write all elements; of a `stream<u8>`, bytes. Waits until a guest has read them.

        Raises: BrokenPipeError where the other end is gone, HostValueError, what stops a guest meanwhile.
        """
        await self._given.wait()
        self._check()
        source = HostSource(self._element, values)
        while source.remaining:
            match await self._copy(source, writes=True):
                case CopyResult.DROPPED:
                    raise BrokenPipeError("the readable end of the stream is gone")
                case CopyResult.CANCELLED:
                    raise BrokenPipeError("the stream was closed while it was written to")
                case CopyResult.COMPLETED:
                    pass

    def begin(self, element: ValType | None, tasks: InstanceTasks) -> Shared:
        """The stream, whose readable end goes to a guest.

        Raises: HostValueError where it was passed on before.
        """
        if self._given.is_set():
            raise HostValueError("stream", "a writer that no guest has", "one that was passed on")
        self._element = element
        if self._is_open:
            self._connect(tasks)
        self._given.set()
        return self.shared

    def take_back(self) -> None:
        """Undo `begin`: the call was refused."""
        self._given.clear()
        if self._is_open:
            self._disconnect()
        self._tasks = None

"""Runs the threads of all guests in a store, one at a time, each until it waits.

A thread is a coroutine. It gives way by awaiting `PARK`, after it has noted what it waits for; an asyncio
future that comes up through it (a host function awaits something) is waited for, too, where the scheduler
itself runs on asyncio.

Source: CanonicalABI.md, "Thread State".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ingen_runtime.engine import CoreStore
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    import asyncio

    from ingen_runtime.canonical import InstanceState
    from ingen_runtime.component.concurrency.tasks import InstanceTasks, Task

_TURNS_AT_ONCE: Final = 64
"""How many turns threads get before other asyncio tasks run."""


class _Park:
    """What a thread awaits to give way."""

    def __await__(self) -> Generator[_Park, None, None]:
        yield self


PARK: Final = _Park()


class _Done:
    """What a thread awaits until a future is done, however it ends."""

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future

    def __await__(self) -> Generator[asyncio.Future[Any], None, None]:
        if not self._future.done():
            yield self._future


def always() -> bool:
    """What a thread waits for that only gives way."""
    return True


class GuestThread:
    """A thread of a task.

    `body` makes the coroutine when the thread runs for the first time. `ready` says whether it can go on;
    None where it is suspended until another thread resumes it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.body: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.coroutine: Coroutine[Any, Any, None] | None = None
        self.ready: Callable[[], bool] | None = None
        self.running = False
        self.cancellable = False
        self.cancelled = False
        self.index = 0
        self.storage = [0, 0]

    @property
    def suspended(self) -> bool:
        """Whether it is neither running nor waiting."""
        return not self.running and self.ready is None

    async def suspend(self, cancellable: bool) -> bool:
        """Give way until another thread resumes this one; whether by cancellation."""
        if self.task.deliver_pending_cancel(cancellable):
            return True
        self.cancellable = cancellable
        await PARK
        cancelled, self.cancelled = self.cancelled, False
        self.cancellable = False
        return cancelled

    async def wait_until(self, ready: Callable[[], bool], cancellable: bool = False) -> bool:
        """Give way until `ready()`, if it is not now; whether it ended by cancellation."""
        if self.task.deliver_pending_cancel(cancellable):
            return True
        if ready():
            return False
        return await self.yield_until(ready, cancellable)

    async def yield_until(self, ready: Callable[[], bool], cancellable: bool) -> bool:
        """Give way once and until `ready()`; whether it ended by cancellation."""
        self.ready = ready
        self.task.scheduler.waiting.append(self)
        return await self.suspend(cancellable)

    async def give_way(self, cancellable: bool) -> bool:
        """Let others run, where the task may block; whether it was cancelled."""
        if not self.task.may_block:
            return False
        return await self.yield_until(always, cancellable)

    def resume_later(self) -> None:
        """Let a suspended thread go on when it is its turn."""
        self.ready = always
        self.task.scheduler.waiting.append(self)


class Scheduler:
    """The threads of one store. `current` is the one that runs, None while the host does.

    `pinned` are calls of sync functions under way, the innermost last: only threads of its component instance
    may run before it has returned. `host_ends` counts the ends of streams and futures that the host has: what
    a guest waits for may come from there.

    Whoever waits for a guest runs all threads in turn until what it waits for is there. Several asyncio tasks
    may do so at a time; one that finds nothing to run pauses until `wake`, which says that something has
    happened outside of the threads that it has run itself.
    """

    def __init__(self) -> None:
        self.waiting: list[GuestThread] = []
        self.current: GuestThread | None = None
        self.pinned: list[Task] = []
        self.futures: set[asyncio.Future[Any]] = set()
        self._ending: set[asyncio.Future[Any]] = set()
        self.host_ends = 0
        self._wakers: set[asyncio.Future[None]] = set()
        self._asyncio_depth = 0
        self._busy: GuestThread | None = None

    def start(self, thread: GuestThread, body: Coroutine[Any, Any, None]) -> None:
        """Run a new thread until it gives way for the first time."""
        thread.coroutine = body
        self.resume(thread)

    def resume(self, thread: GuestThread, cancelled: bool = False) -> None:
        """Let a thread run until it gives way or ends.

        Raises: what stopped the guest.
        """
        if thread.ready is not None:
            self.waiting.remove(thread)
            thread.ready = None
        thread.cancelled = cancelled
        self._step(thread)

    def _step(self, thread: GuestThread) -> None:
        if thread.coroutine is None:
            assert thread.body is not None
            thread.coroutine = thread.body()
        previous, self.current = self.current, thread
        thread.running = True
        request: Any = None
        try:
            while request is None:
                request = thread.coroutine.send(None)
                if request is None and previous is None and self.on_asyncio:
                    # The guest is busy. Other asyncio tasks may run, but no other guest thread.
                    self._busy = thread
                    return
        except StopIteration:
            thread.running = False
            return
        except BaseException as error:
            thread.running = False
            thread.task.instance.state.poison(error)
            self.forget(thread.task.instance.state.root)
            raise
        finally:
            self.current = previous
        thread.running = False
        if request is not PARK:
            self._await_future(thread, request)

    def _await_future(self, thread: GuestThread, future: asyncio.Future[Any]) -> None:
        if not self.on_asyncio:
            raise Trap(
                TrapKind.CANNOT_BLOCK,
                "a host function waits, and the guest was called synchronously: use `call_async`",
            )
        # As asyncio's own tasks do: the future was yielded by its `__await__`.
        future._asyncio_future_blocking = False
        thread.ready = future.done
        self.waiting.append(thread)
        self.watch(future)

    async def apart(self, awaitable: Awaitable[Any]) -> Any:
        """Await something of the host's in a task of its own, if on asyncio: it may ask for its task.

        Raises: what it raises.
        """
        if not self.on_asyncio:
            return await awaitable
        return (await self.finished(self.begin(awaitable))).result()

    def begin(self, awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
        """Begin something of the host's, on asyncio."""
        import asyncio  # slow to import: only where a call on asyncio is under way, it is there already

        future = asyncio.ensure_future(awaitable)
        self.watch(future)
        return future

    async def finished(self, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """The future, when it is done; cancelled where the thread that waits is ended before."""
        try:
            await _Done(future)
        finally:
            if future.cancel():
                self._ending.add(future)
                future.add_done_callback(self._ending.discard)
        return future

    async def ended(self) -> None:
        """Wait until what the host did for threads that were ended has ended, too: it may clean up."""
        import asyncio  # as above

        loop = asyncio.get_running_loop()
        ending = [future for future in self._ending if future.get_loop() is loop]
        if ending:
            await asyncio.wait(ending)

    def watch(self, future: asyncio.Future[Any]) -> None:
        """Wait for a future when no thread can run."""
        self.futures.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self.futures.discard(future)
        self.wake()

    def tick(self) -> bool:
        """Let the thread run that has been ready longest; whether there was one."""
        instance = self.pinned[-1].instance if self.pinned else None
        for thread in self.waiting:
            if instance is not None and thread.task.instance is not instance:
                continue
            if thread.ready is not None and thread.ready():
                self.resume(thread)
                return True
        return False

    def run_if_ready(self, thread: GuestThread | None) -> bool:
        """Let a thread run if it is ready; whether it was."""
        if thread is None or thread.ready is None or not thread.ready():
            return False
        self.resume(thread)
        return True

    def can_run_in(self, instance: InstanceTasks) -> bool:
        """Whether a thread of a component instance is ready."""
        return any(
            thread.task.instance is instance and thread.ready is not None and thread.ready()
            for thread in self.waiting
        )

    def run_until(self, done: Callable[[], bool]) -> None:
        """Let threads run until `done()`.

        Raises: Trap where none can run, and what stops a guest.
        """
        while not done():
            if not self.tick():
                raise self._deadlock()
        self.wake()

    async def run_until_async(self, done: Callable[[], bool], root: InstanceState) -> None:
        """The same on asyncio, where host functions may wait, for a caller of an instance under `root`.

        Raises: Trap where nothing can ever go on, what stops a guest, and PoisonedError where `root` has been
            stopped.
        """
        import asyncio  # as above

        turns = 0
        try:
            await self.settle()
            while not done():
                if root.cause is not None:
                    raise root.refusal()
                if self.tick():
                    turns += 1
                    if turns % _TURNS_AT_ONCE == 0:
                        await asyncio.sleep(0)
                    if self._busy is not None:
                        await self.settle()
                elif self.futures or self.host_ends:
                    await self._pause()
                else:
                    raise self._deadlock()
        finally:
            self.wake()

    async def settle(self) -> None:
        """Let a guest that was busy when it last gave way come to where another thread may run."""
        import asyncio  # as above

        while self._busy is not None:
            await asyncio.sleep(0)
            self._go_on()

    def settle_now(self) -> None:
        """The same without giving way."""
        while self._busy is not None:
            self._go_on()

    def _go_on(self) -> None:
        busy, self._busy = self._busy, None
        if busy is not None:
            self._step(busy)

    async def _pause(self) -> None:
        import asyncio  # as above

        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wakers.add(waker)
        try:
            if self.current is None:
                await waker
            else:  # a thread waits for other threads; as a future, the waker would wake itself again
                await self.current.yield_until(waker.done, cancellable=False)
        finally:
            self._wakers.discard(waker)

    def wake(self) -> None:
        """Let those who pause look again."""
        for waker in self._wakers:
            if not waker.done():
                waker.set_result(None)

    @property
    def on_asyncio(self) -> bool:
        """Whether host functions may wait now."""
        return self._asyncio_depth > 0

    @contextmanager
    def asyncio_call(self) -> Iterator[None]:
        """Let host functions wait: a call from asyncio is under way."""
        self._asyncio_depth += 1
        try:
            yield
        finally:
            self._asyncio_depth -= 1

    def _deadlock(self) -> Trap:
        return Trap(TrapKind.DEADLOCK, f"{len(self.waiting)} threads wait, and nothing can wake one")

    def promote(self, thread: GuestThread) -> None:
        """Let a thread that is ready run next."""
        self.waiting.remove(thread)
        self.waiting.insert(0, thread)

    def forget(self, root: InstanceState) -> None:
        """End the threads of all instances under `root`; their guests will not run again."""
        self.wake()
        if self._busy is not None and self._busy.task.instance.state.root is root:
            self._busy = None
        self.pinned = [task for task in self.pinned if task.instance.state.root is not root]
        ended = [thread for thread in self.waiting if thread.task.instance.state.root is root]
        self.waiting = [thread for thread in self.waiting if thread not in ended]
        for thread in ended:
            if thread.coroutine is not None:
                thread.coroutine.close()


_schedulers: WeakKeyDictionary[CoreStore, Scheduler] = WeakKeyDictionary()


def scheduler_of(store: CoreStore) -> Scheduler:
    """The scheduler of a store."""
    scheduler = _schedulers.get(store)
    if scheduler is None:
        scheduler = _schedulers[store] = Scheduler()
    return scheduler

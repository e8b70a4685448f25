"""`wasi:io/poll`: waiting for the first of several things."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import cast, final

from ingen_runtime import readiness
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.readiness import Readiness
from ingen_runtime.waiting import may_wait
from ingen_runtime.wasi.p2.bindings import poll as bindings
from ingen_runtime.wasi.p2.bindings.poll import AsyncPollImports
from ingen_runtime.wasi.p2.resources import Resource


@final
class Pollable(Resource):
    """Something that a guest can wait for."""

    __slots__ = ("readiness",)

    def __init__(self, readiness: Readiness, parent: Resource | None = None) -> None:
        super().__init__(parent)
        self.readiness = readiness

    def ready(self) -> bool:
        return self.readiness.ready()

    @may_wait
    def block(self) -> Awaitable[None] | None:
        return None if self.readiness.ready() else readiness.wait(self.readiness)


class Poll(AsyncPollImports):
    """Implements `wasi:io/poll`."""

    pollable = Pollable

    @may_wait
    def poll(self, in_: Sequence[bindings.AsyncPollable]) -> Sequence[int] | Awaitable[Sequence[int]]:
        if not in_:
            raise Trap(TrapKind.OTHER, "a poll for nothing would never end")
        conditions = [pollable.readiness for pollable in cast("Sequence[Pollable]", in_)]
        ready = [index for index, condition in enumerate(conditions) if condition.ready()]
        return ready or readiness.wait_any(conditions)

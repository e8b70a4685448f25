"""Destructors of resources in component instances that run tasks: each run is a task of its own.

Source: CanonicalABI.md, "canon resource.drop".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from ingen_runtime.canonical import Resource, ValueClasses, take_for_drop
from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.concurrency.guest_calls import GuestCallee, current_thread
from ingen_runtime.component.concurrency.host_calls import HostCaller
from ingen_runtime.component.items import CanonSide, ComponentContext, LiftedFunc
from ingen_runtime.component.types import FuncType, PrimitiveType
from ingen_runtime.engine import CoreFunc, CoreFuncType, CoreStore, async_host_function, call_async

_TYPE: Final = FuncType((("rep", PrimitiveType.U32),), None)


class TaskDestructor:
    """Destroys the resources of one type; called, it does so for the host. `find` finds the core function."""

    def __init__(self, find: Callable[[], CoreFunc], side: CanonSide, classes: ValueClasses) -> None:
        self._find = find
        self._side = side
        self._state = side.context.state
        self._classes = classes

    @cached_property
    def _lifted(self) -> LiftedFunc:
        return LiftedFunc(_TYPE, self._find(), self._side, CanonOptions(), None, None)

    @cached_property
    def _caller(self) -> HostCaller:
        return HostCaller(self._lifted, _TYPE, self._side.endpoint(), self._classes)

    @cached_property
    def _callee(self) -> GuestCallee:
        return GuestCallee(self._lifted, _TYPE, self._side.endpoint(), self._classes, None)

    def __call__(self, rep: int) -> None:
        root = self._state.root
        if root.cause is not None:
            return
        if root.busy:  # a host function drops what the guest that called it has given away
            self._lifted.core(rep)
        else:
            self._caller.call(rep)

    async def run(self, caller: ComponentContext, rep: int) -> None:
        """Destroy a resource that a component instance has dropped."""
        if caller.state is self._state:
            await call_async(self._lifted.core, rep)
            return
        ended: list[Any] = []
        self._callee.start(lambda: (rep,), ended.append)
        if not ended:
            await current_thread(caller).wait_until(lambda: bool(ended))

    def make_drop(
        self, store: CoreStore, type_: CoreFuncType, context: ComponentContext, resource: Resource
    ) -> CoreFunc:
        """`canon resource.drop` of the resource in a component instance."""

        async def drop(index: int) -> None:
            handle = take_for_drop(context.state, resource, index)
            if handle is not None:
                await self.run(context, handle.rep)

        # Whoever calls has to be able to wait.
        context.is_async = True
        return async_host_function(store, type_, drop)

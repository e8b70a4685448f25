"""What index spaces hold at run time, and the state of a component instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ingen_runtime.canonical import Endpoint, InstanceState, Resource, ValueClasses
from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.types import FuncType, ResourceType, StringEncoding
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreExtern, CoreFunc, CoreMemory, CoreStore
from ingen_runtime.engine.raw import RawFunction
from ingen_runtime.errors import InternalError, Trap, TrapKind
from ingen_runtime.frozen import frozen
from ingen_runtime.waiting import Waits

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.tasks import InstanceTasks
    from ingen_runtime.component.concurrency.values import InstanceAsyncValues
    from ingen_runtime.component.plan import ComponentPlan
    from ingen_runtime.engine import CoreModule


class ComponentContext:
    """A component instance while it is made and afterwards: what its definitions refer to.

    `is_async` says that its functions run as tasks, because one of them may wait. `resources` has the
    run-time resource for every resource type that the component's types mention;
    `modules` and `components` are index spaces that nested components may alias.
    """

    __slots__ = ("_tasks", "components", "enclosing", "is_async", "modules", "resources", "state", "store")

    def __init__(
        self, store: CoreStore, state: InstanceState, enclosing: ComponentContext | None, is_async: bool
    ) -> None:
        self.store = store
        self.state = state
        self.enclosing = enclosing
        self._tasks: InstanceTasks | None = None
        self.is_async = is_async
        self.resources: dict[ResourceType, Resource] = {}
        self.modules: list[CoreModule] = []
        self.components: list[ComponentItem] = []

    @property
    def tasks(self) -> InstanceTasks:
        """What the instance keeps about its tasks, if it has any."""
        if self._tasks is None:
            # Late: slow to import, and most components have no tasks.
            from ingen_runtime.component.concurrency.scheduler import scheduler_of
            from ingen_runtime.component.concurrency.tasks import InstanceTasks

            self._tasks = InstanceTasks(scheduler_of(self.store), self.state)
        return self._tasks


class CanonSide:
    """One side of a call: the component instance with its canonical options.

    Their indices are looked up when the first call is bound, so a memory may come after what needs it.
    """

    def __init__(
        self,
        context: ComponentContext,
        options: CanonOptions,
        memories: Sequence[CoreExtern],
        funcs: Sequence[CoreExtern],
    ) -> None:
        self.context = context
        self.encoding = options.string_encoding or StringEncoding.UTF8
        self._options = options
        self._memories = memories
        self._funcs = funcs

    def lifts_like(self, options: CanonOptions) -> bool:
        """Whether values are lifted from here as with `options` of the same component instance."""
        if self.encoding is not (options.string_encoding or StringEncoding.UTF8):
            return False
        mine, other = self._options.memory, options.memory
        if mine is None or other is None:
            # Without a memory there is nothing in it, so the other side's does not matter.
            return mine is None
        return core_member(self._memories, mine).raw == core_member(self._memories, other).raw

    def endpoint(self, resources: Mapping[ResourceType, Resource] | None = None) -> Endpoint:
        """The side for functions whose resource types `resources` knows; by default its own component's."""
        memory, realloc = self._options.memory, self._options.realloc
        core_memory = None if memory is None else core_member(self._memories, memory)
        core_realloc = None if realloc is None else core_member(self._funcs, realloc)
        assert core_memory is None or isinstance(core_memory, CoreMemory)
        assert core_realloc is None or isinstance(core_realloc, CoreFunc)
        limits = None if core_memory is None else core_memory.store.limits
        return Endpoint(
            instance=self.context.state,
            max_string_bytes=None if limits is None else limits.string_bytes,
            max_list_bytes=None if limits is None else limits.list_bytes,
            memory=core_memory,
            realloc=None if core_realloc is None else RawFunction(core_realloc),
            make_async_values=self._make_async_values,
            resources=self.context.resources if resources is None else resources,
        )

    def _make_async_values(self) -> InstanceAsyncValues:
        from ingen_runtime.component.concurrency.values import InstanceAsyncValues  # late, as tasks

        return InstanceAsyncValues(self.context.tasks)


def core_member(space: Sequence[CoreExtern], index: int) -> CoreExtern:
    """A member of an index space of core definitions. Raises: Trap where it is not there yet."""
    if index >= len(space):
        raise Trap(TrapKind.OTHER, "an import was called by a start function, before the memory was there")
    return space[index]


class LiftedFunc:
    """A function that a core function implements: `canon lift`."""

    __slots__ = (
        "_raw_call",
        "_raw_post_return",
        "callback",
        "core",
        "options",
        "post_return",
        "side",
        "type",
    )

    def __init__(
        self,
        type_: FuncType,
        core: CoreFunc,
        side: CanonSide,
        options: CanonOptions,
        post_return: CoreFunc | None,
        callback: CoreFunc | None,
    ) -> None:
        self.type = type_
        self.core = core
        self.side = side
        self.options = options
        self.post_return = post_return
        self.callback = callback
        self._raw_call: RawFunction | None = None
        self._raw_post_return: RawFunction | None = None

    @property
    def raw_call(self) -> RawFunction:
        """The core function with a raw buffer."""
        if self._raw_call is None:
            self._raw_call = RawFunction(self.core)
        return self._raw_call

    @property
    def raw_post_return(self) -> RawFunction | None:
        """The post-return function with a raw buffer."""
        if self._raw_post_return is None and self.post_return is not None:
            self._raw_post_return = RawFunction(self.post_return)
        return self._raw_post_return


class HostFunc:
    """A function that the host implements.

    `type` and `resources` are those of the import through which it came in; `call` takes Python values, and
    returns one or, as `waits` says, an awaitable of one. `classes` are those of the values, where the
    implementation brings its own.
    """

    __slots__ = ("call", "classes", "name", "resources", "type", "waits")

    def __init__(
        self,
        name: str,
        type_: FuncType,
        call: Callable[..., Any],
        resources: Mapping[ResourceType, Resource],
        waits: Waits,
        classes: ValueClasses | None = None,
    ) -> None:
        self.classes = classes
        self.name = name
        self.type = type_
        self.call = call
        self.resources = resources
        self.waits = waits


class CoreImports(Protocol):
    """What the host gives to core modules under one import module name."""

    def core_function(
        self, store: CoreStore, name: str, type_: CoreFuncType, memory: Callable[[], CoreMemory]
    ) -> CoreFunc:
        """The core function of that name and type.

        `memory` gives the memory that the module exports, once it has been instantiated.

        Raises: LinkError where there is none.
        """


@frozen
class InstanceItem:
    """An instance: its exports by name; None stands for a type that is no resource."""

    exports: Mapping[str, Item]


@frozen
class ComponentItem:
    """A component with the instance that it was defined in."""

    plan: ComponentPlan
    enclosing: ComponentContext | None


@frozen
class ModuleItem:
    """A core module."""

    module: CoreModule


Item: TypeAlias = LiftedFunc | HostFunc | InstanceItem | ComponentItem | ModuleItem | Resource | None


def resource_at(item: Item, path: tuple[str, ...]) -> Resource:
    """The resource that a chain of export names leads to."""
    for name in path:
        if not isinstance(item, InstanceItem):
            raise InternalError(f"an instance was expected on the way to {'/'.join(path)}")
        item = item.exports[name]
    if not isinstance(item, Resource):
        raise InternalError(f"a resource was expected at {'/'.join(path)}")
    return item

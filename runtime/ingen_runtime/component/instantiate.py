"""Carries out a component's plan: makes core instances, resources and functions, and links them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeAlias, cast

from ingen_runtime.canonical import GuestResource, InstanceState, ValueClasses
from ingen_runtime.component.binary.syntax import CanonOptions, CoreModuleDef, Sort
from ingen_runtime.component.items import (
    CanonSide,
    ComponentContext,
    ComponentItem,
    CoreImports,
    HostFunc,
    InstanceItem,
    Item,
    LiftedFunc,
    ModuleItem,
    core_member,
    resource_at,
)
from ingen_runtime.component.lowering import lower, resource_builtin
from ingen_runtime.component.plan import (
    AliasStep,
    BagStep,
    BuiltinStep,
    ComponentPlan,
    ComponentStep,
    CoreAliasStep,
    CoreBagStep,
    CoreCallStep,
    CoreImportStep,
    CoreInstantiateStep,
    ExportStep,
    ImportStep,
    InstantiateStep,
    ItemRef,
    LiftStep,
    LowerStep,
    ModuleStep,
    OuterAliasStep,
    ResourcePath,
    ResourceStep,
)
from ingen_runtime.engine import (
    CoreExtern,
    CoreFunc,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    instantiate_async,
)
from ingen_runtime.errors import InternalError
from ingen_runtime.frozen import frozen


class Program(Protocol):
    """What all instances of one component share."""

    classes: ValueClasses

    def module(self, definition: CoreModuleDef) -> CoreModule:
        """The compiled module of a definition."""

    def is_async(self, plan: ComponentPlan) -> bool:
        """Whether a plan of this program, or of another one, brings in something that may wait."""


@frozen
class WantedInstance:
    """A core instance to be made, its imports in the module's order."""

    module: CoreModule
    imports: list[CoreExtern]


Steps: TypeAlias = "Generator[WantedInstance, CoreInstance | None, InstanceItem]"
"""Asks for core instances, is sent each one, and returns the instance. It is sent None to begin with."""


class CoreExports:
    """The exports of a core instance, looked up once each."""

    __slots__ = ("_found", "_instance")

    def __init__(self, instance: CoreInstance | None, found: dict[str, CoreExtern] | None = None) -> None:
        self._instance = instance
        self._found = {} if found is None else found

    def __getitem__(self, name: str) -> CoreExtern:
        extern = self._found.get(name)
        if extern is None:
            if self._instance is None:
                raise KeyError(name)
            extern = self._found[name] = self._instance.export(name)
        return extern


class Instantiation:
    """One run of a plan: the index spaces as they fill."""

    def __init__(
        self,
        store: CoreStore,
        program: Program,
        plan: ComponentPlan,
        arguments: Mapping[str, Item],
        context: ComponentContext,
        core_imports: Mapping[str, CoreImports] | None = None,
    ) -> None:
        self.store = store
        self.program = program
        self.plan = plan
        self.arguments = arguments
        self.core_imports = core_imports or {}
        self.context = context
        self.exports: dict[str, Item] = {}
        self._funcs: list[LiftedFunc | HostFunc] = []
        self._instances: list[InstanceItem] = []
        self._core_instances: list[CoreExports] = []
        self._core: dict[Sort, list[CoreExtern]] = {sort: [] for sort in _CORE_SORTS}

    def steps(self) -> Steps:
        """Carry out all steps, but leave it to the caller to make core instances: a start function may have
        to wait.
        """
        for step in self.plan.steps:
            match step:
                case CoreInstantiateStep():
                    yield from self._core_instantiate(step)
                case InstantiateStep():
                    yield from self._instantiate(step)
                case _:
                    _CARRY_OUT[type(step)](self, step)
        return InstanceItem(self.exports)

    # Core definitions.

    def _module(self, step: ModuleStep) -> None:
        self.context.modules.append(self.program.module(step.definition))

    def _core_instantiate(
        self, step: CoreInstantiateStep
    ) -> Generator[WantedInstance, CoreInstance | None, None]:
        module = self.context.modules[step.module]
        imports = [self._core_instances[step.args[wanted.module]][wanted.name] for wanted in module.imports]
        made = yield WantedInstance(module, imports)
        self._core_instances.append(CoreExports(made))

    def _core_bag(self, step: CoreBagStep) -> None:
        found = {name: self._core[item.sort][item.index] for name, item in step.exports.items()}
        self._core_instances.append(CoreExports(None, found))

    def _core_import(self, step: CoreImportStep) -> None:
        imports = self.core_imports[step.module]
        func = imports.core_function(self.store, step.name, step.type, self._memory)
        self._core[Sort.CORE_FUNC].append(func)

    def _memory(self) -> CoreMemory:
        memory = core_member(self._core[Sort.CORE_MEMORY], 0)
        assert isinstance(memory, CoreMemory)
        return memory

    def _core_alias(self, step: CoreAliasStep) -> None:
        self._core[step.sort].append(self._core_instances[step.instance][step.name])

    def _core_func(self, index: int | None) -> CoreFunc | None:
        if index is None:
            return None
        func = self._core[Sort.CORE_FUNC][index]
        assert isinstance(func, CoreFunc)
        return func

    def _side(self, options: CanonOptions) -> CanonSide:
        return CanonSide(self.context, options, self._core[Sort.CORE_MEMORY], self._core[Sort.CORE_FUNC])

    def _core_call(self, step: CoreCallStep) -> None:
        func = self._core_func(step.core_func)
        assert func is not None
        func()

    # Canonical definitions.

    def _lift(self, step: LiftStep) -> None:
        core = self._core_func(step.core_func)
        assert core is not None
        options = step.options
        self._funcs.append(
            LiftedFunc(
                step.type,
                core,
                self._side(options),
                options,
                self._core_func(options.post_return),
                self._core_func(options.callback),
            )
        )

    def _lower(self, step: LowerStep) -> None:
        func = lower(self.store, self.program.classes, step, self._funcs[step.func], self._side(step.options))
        self._core[Sort.CORE_FUNC].append(func)

    def _builtin(self, step: BuiltinStep) -> None:
        if step.resource is not None:
            func = resource_builtin(self.store, self.context, step)
        else:
            # Late: slow to import, and most components have no tasks.
            from ingen_runtime.component.concurrency.builtin_scope import BuiltinScope
            from ingen_runtime.component.concurrency.builtins import make_builtin

            scope = BuiltinScope(self.store, self.program.classes, self.context, self._core)
            type_ = step.core_type
            func = make_builtin(scope, step, type_, self._side(step.builtin.options))
        self._core[Sort.CORE_FUNC].append(func)

    def _resource(self, step: ResourceStep) -> None:
        name, state = step.resource.name, self.context.state
        funcs, index = self._core[Sort.CORE_FUNC], step.destructor
        destructor: Callable[[Any], object] | None = None
        if index is not None:
            # Late: a core module's comes after what it imports.
            if self.context.is_async:
                from ingen_runtime.component.concurrency.destructors import TaskDestructor  # late, as above

                side, classes = self._side(CanonOptions()), self.program.classes
                destructor = TaskDestructor(lambda: cast(CoreFunc, funcs[index]), side, classes)
            else:
                destructor = _destroyer(state, lambda rep: cast(CoreFunc, funcs[index])(rep))
        resource = GuestResource(name, state, destructor)
        self.context.resources[step.resource] = resource

    # Components and instances.

    def _component(self, step: ComponentStep) -> None:
        self.context.components.append(ComponentItem(step.component, self.context))

    def _instantiate(self, step: InstantiateStep) -> Generator[WantedInstance, CoreInstance | None, None]:
        component = self.context.components[step.component]
        arguments = {name: self._item(item) for name, item in step.args.items()}
        state = InstanceState(f"{self.context.state.name}/{len(self._instances)}", parent=self.context.state)
        context = new_context(self.store, self.program, state, component.enclosing, component.plan)
        inner = Instantiation(self.store, self.program, component.plan, arguments, context)
        instance = yield from inner.steps()
        self._learn(instance, step.resources)
        self._instances.append(instance)

    def _bag(self, step: BagStep) -> None:
        exports = {name: self._item(item) for name, item in step.exports.items()}
        self._instances.append(InstanceItem(exports))

    def _alias(self, step: AliasStep) -> None:
        self._add(step.sort, self._instances[step.instance].exports[step.name])

    def _outer_alias(self, step: OuterAliasStep) -> None:
        context = self.context
        for _ in range(step.count):
            assert context.enclosing is not None
            context = context.enclosing
        if step.sort is Sort.CORE_MODULE:
            self.context.modules.append(context.modules[step.index])
        else:
            self.context.components.append(context.components[step.index])

    # Imports and exports.

    def _import(self, step: ImportStep) -> None:
        item = self.arguments.get(step.name.name)
        self._learn(item, step.resources)
        self._add(step.sort, item)

    def _export(self, step: ExportStep) -> None:
        item = self._item(step.item)
        self._learn(item, step.resources)
        self.exports[step.name.name] = item
        self._add(step.item.sort, item)

    def _item(self, ref: ItemRef) -> Item:
        match ref.sort:
            case Sort.FUNC:
                return self._funcs[ref.index]
            case Sort.INSTANCE:
                return self._instances[ref.index]
            case Sort.COMPONENT:
                return self.context.components[ref.index]
            case Sort.CORE_MODULE:
                return ModuleItem(self.context.modules[ref.index])
            case _:
                return None if ref.resource is None else self.context.resources[ref.resource]

    def _add(self, sort: Sort, item: Item) -> None:
        match sort, item:
            case Sort.FUNC, LiftedFunc() | HostFunc():
                self._funcs.append(item)
            case Sort.INSTANCE, InstanceItem():
                self._instances.append(item)
            case Sort.COMPONENT, ComponentItem():
                self.context.components.append(item)
            case Sort.CORE_MODULE, ModuleItem():
                self.context.modules.append(item.module)
            case Sort.TYPE, _:
                pass
            case _:
                raise InternalError(f"a {sort.value} was expected, not {item!r}")

    def _learn(self, item: Item, resources: tuple[ResourcePath, ...]) -> None:
        for each in resources:
            self.context.resources[each.resource] = resource_at(item, each.path)


_CORE_SORTS = (Sort.CORE_FUNC, Sort.CORE_TABLE, Sort.CORE_MEMORY, Sort.CORE_GLOBAL, Sort.CORE_TAG)

_CARRY_OUT: dict[type[Any], Callable[[Instantiation, Any], None]] = {
    ModuleStep: Instantiation._module,
    CoreBagStep: Instantiation._core_bag,
    CoreCallStep: Instantiation._core_call,
    CoreImportStep: Instantiation._core_import,
    CoreAliasStep: Instantiation._core_alias,
    LiftStep: Instantiation._lift,
    LowerStep: Instantiation._lower,
    BuiltinStep: Instantiation._builtin,
    ResourceStep: Instantiation._resource,
    ComponentStep: Instantiation._component,
    BagStep: Instantiation._bag,
    AliasStep: Instantiation._alias,
    OuterAliasStep: Instantiation._outer_alias,
    ImportStep: Instantiation._import,
    ExportStep: Instantiation._export,
}


def _destroyer(state: InstanceState, destructor: Callable[[Any], object]) -> Callable[[Any], object]:
    """What runs a guest's destructor, whether the host or a guest drops the resource.

    From the host it enters the instance, unless the host was called by it; an instance that a trap has ended
    is left alone.
    """

    def destroy(rep: Any) -> None:
        root = state.root
        if root.cause is not None:
            return
        entered = not root.busy
        root.busy = True
        try:
            destructor(rep)
        except BaseException as error:
            if entered:
                root.poison(error)
            raise
        if entered:
            root.busy = False

    return destroy


def new_context(
    store: CoreStore,
    program: Program,
    state: InstanceState,
    enclosing: ComponentContext | None,
    plan: ComponentPlan,
) -> ComponentContext:
    """The context of a new component instance."""
    if store.limits.handles is not None:
        state.handles.limit = store.limits.handles
    return ComponentContext(store, state, enclosing, program.is_async(plan))


def run(instantiation: Instantiation) -> InstanceItem:
    """Carry out all steps.

    Raises: LinkError, Trap, and what host functions raise that start functions call.
    """
    steps = instantiation.steps()
    made: CoreInstance | None = None
    while True:
        try:
            wanted = steps.send(made)
        except StopIteration as end:
            item: InstanceItem = end.value
            return item
        made = CoreInstance(instantiation.store, wanted.module, wanted.imports)


async def run_async(instantiation: Instantiation) -> InstanceItem:
    """The same; start functions may wait in `async def` host functions."""
    steps = instantiation.steps()
    made: CoreInstance | None = None
    while True:
        try:
            wanted = steps.send(made)
        except StopIteration as end:
            item: InstanceItem = end.value
            return item
        made = await instantiate_async(instantiation.store, wanted.module, wanted.imports)

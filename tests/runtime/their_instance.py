"""A component in `wasmtime.component` that generated bindings take for an instance of our runtime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import wasmtime
from wasmtime import component as theirs

from ingen_runtime.canonical import Err, GuestResource, HostResource, Ok, Resource, ResultError, ValueClasses
from ingen_runtime.canonical.handles import Loan, release
from ingen_runtime.component.build import build_plan
from ingen_runtime.component.entities import Extern, FuncEntity, InstanceType, ResourceEntity, TypeExtern
from ingen_runtime.component.exports import Exports
from ingen_runtime.component.host_imports import ImportResolver
from ingen_runtime.component.items import HostFunc, InstanceItem, Item
from ingen_runtime.component.types import BorrowType, FuncType, OwnType, ResourceType, ResultType
from tests.runtime.their_values import Translation


@cache
def _engine() -> wasmtime.Engine:
    """Not made when this module is imported: pytest's fault handler would come after wasmtime's signal
    handlers, and take the traps of guests for crashes.
    """
    return wasmtime.Engine()


@cache
def _compiled(wasm: bytes) -> theirs.Component:
    return theirs.Component(_engine(), wasm)


class TheirInstance:
    """An instance of a component. `exports` are what our runtime's would be, and are called with our values;
    `imports` are what our runtime takes.
    """

    def __init__(self, wasm: bytes, classes: ValueClasses, imports: Mapping[str, Any]) -> None:
        plan = build_plan(wasm)
        export_type = InstanceType(plan.type.exports)
        resources: dict[ResourceType, Resource] = {}
        resolver = ImportResolver(imports, resources)
        given = resolver.resolve(plan)
        for name, extern in plan.type.imports.items():
            _collect(extern, given.get(name), resources)
        self.store = wasmtime.Store(_engine())
        self.handles = _Handles(resources, self.store)
        self._classes = classes
        self._translation = Translation(classes, self.handles)
        linker = theirs.Linker(_engine())
        with linker.root() as root:
            self._define(root, plan.type.imports, given)
        self._instance = linker.instantiate(self.store, _compiled(wasm))
        item = self._exported(export_type, resources)
        self.exports = _TheirExports("component", export_type, item, self, None)

    def close(self) -> None:
        """Nothing: the store goes with the object."""

    def _define(
        self, to: theirs.LinkerInstance, externs: Mapping[str, Extern], given: Mapping[str, Item]
    ) -> None:
        for name, extern in externs.items():
            item = given.get(name)
            match extern:
                case FuncEntity():
                    assert isinstance(item, HostFunc)
                    to.add_func(name, self._implementation(item, extern.type))
                case InstanceType():
                    assert isinstance(item, InstanceItem)
                    with to.add_instance(name) as inner:
                        self._define(inner, extern.exports, item.exports)
                case TypeExtern(ResourceEntity(resource=resource)):
                    number = self.handles.number(resource)
                    to.add_resource(name, theirs.ResourceType.host(number), self.handles.destroy)
                case _:
                    pass

    def _implementation(self, func: HostFunc, type_: FuncType) -> Any:
        def call(context: Any, *values: Any) -> Any:
            with_context = self.handles.within(context)
            params = [self._translation.ours(v, t) for v, (_, t) in zip(values, type_.params, strict=True)]
            try:
                result = func.call(*params)
                if isinstance(type_.result, ResultType):
                    result = Ok(result)
            except ResultError as error:
                result = Err(error.value)
            made = None if type_.result is None else self._translation.theirs(result, type_.result)
            self.handles.within(with_context)
            return made

        return call

    def _exported(self, type_: InstanceType, resources: dict[ResourceType, Resource]) -> InstanceItem:
        exports: dict[str, Item] = {}
        for name, extern in type_.exports.items():
            exports[name] = None
            if isinstance(extern, InstanceType):
                exports[name] = self._exported(extern, resources)
            elif isinstance(extern, TypeExtern) and isinstance(extern.entity, ResourceEntity):
                made = GuestResource(name, None, lambda handle: handle.drop(self.store))
                exports[name] = resources.setdefault(extern.entity.resource, made)
        return InstanceItem(exports)

    def function(self, name: str, type_: FuncType, within: theirs.ExportIndex | None) -> Any:
        """An exported function, for our values."""
        index = self._instance.get_export_index(self.store, name, within)
        assert index is not None
        function = self._instance.get_func(self.store, index)
        assert function is not None

        def call(*arguments: Any) -> Any:
            params = [
                self._translation.theirs(v, t) for v, (_, t) in zip(arguments, type_.params, strict=True)
            ]
            result = function(self.store, *params)
            function.post_return(self.store)
            self.handles.end_loans()
            if type_.result is None:
                return None
            value = self._translation.ours(result, type_.result)
            if not isinstance(type_.result, ResultType):
                return value
            if isinstance(value, Err):
                raise self._classes.error(type_.result)(value.value)
            return value.value

        return call

    def index(self, name: str) -> theirs.ExportIndex | None:
        """Where an exported instance is."""
        return self._instance.get_export_index(self.store, name)


def _collect(extern: Extern, item: Item, resources: dict[ResourceType, Resource]) -> None:
    """Note what implements the resource types of an import."""
    if isinstance(extern, InstanceType) and isinstance(item, InstanceItem):
        for name, inner in extern.exports.items():
            _collect(inner, item.exports[name], resources)
    elif isinstance(extern, TypeExtern) and isinstance(extern.entity, ResourceEntity):
        assert isinstance(item, Resource)
        resources[extern.entity.resource] = item


class _TheirExports(Exports):
    def __init__(
        self,
        name: str,
        type_: InstanceType,
        item: InstanceItem,
        instance: TheirInstance,
        index: theirs.ExportIndex | None,
    ) -> None:
        nothing = cast(Any, None)
        super().__init__(name, type_, item, nothing, instance._classes, nothing)
        self._instance = instance
        self._index = index

    def _make(self, name: str, extern: Extern) -> Any:
        match extern:
            case FuncEntity():
                return self._instance.function(name, extern.type, self._index)
            case InstanceType():
                item = cast(InstanceItem, self.item.exports[name])
                return _TheirExports(name, extern, item, self._instance, self._instance.index(name))
            case _:
                return super()._make(name, extern)


class _Handles:
    """What resources are on both sides: objects of the host have numbers there."""

    def __init__(self, resources: Mapping[ResourceType, Resource], context: Any) -> None:
        self._resources = resources
        self._context = context
        self._numbers: list[ResourceType] = []
        self._loans: list[Loan] = []
        self._lent: list[int] = []
        self._next = 1
        self.objects: dict[int, object] = {}
        """The objects of the host that the guest holds, or that are lent to it."""

    def number(self, resource: ResourceType) -> int:
        """Their number for a resource of the host."""
        resources = [self._resources[known] for known in self._numbers]
        if self._resources[resource] not in resources:
            self._numbers.append(resource)
            return len(self._numbers)
        return resources.index(self._resources[resource]) + 1

    def within(self, context: Any) -> Any:
        """Speak to wasmtime through a context; returns the one before."""
        before, self._context = self._context, context
        return before

    def destroy(self, _: object, rep: int) -> None:
        """The guest has dropped an object of the host."""
        drop = getattr(self.objects.pop(rep), "drop", None)
        if drop is not None:
            drop()

    def end_loans(self) -> None:
        """A call has returned."""
        release(self._loans)
        for rep in self._lent:
            del self.objects[rep]
        self._lent.clear()

    def theirs(self, value: Any, type_: OwnType | BorrowType) -> Any:
        resource = self._resources[type_.resource]
        owned = isinstance(type_, OwnType)
        given = resource.give(value) if owned else resource.lend(value, self._loans)
        if isinstance(resource, GuestResource):
            return given
        assert isinstance(resource, HostResource)
        rep, self._next = self._next, self._next + 1
        self.objects[rep] = given
        if owned:
            return theirs.ResourceHost.own(rep, self.number(type_.resource))
        self._lent.append(rep)
        return theirs.ResourceHost.borrow(rep, self.number(type_.resource))

    def ours(self, value: Any, type_: OwnType | BorrowType) -> Any:
        resource = self._resources[type_.resource]
        if isinstance(resource, GuestResource):
            assert isinstance(type_, OwnType)
            return resource.receive(value)
        rep = value.to_host(self._context).rep
        return self.objects.pop(rep) if isinstance(type_, OwnType) else self.objects[rep]

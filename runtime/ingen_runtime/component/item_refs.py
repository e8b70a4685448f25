"""Items of index spaces as a plan refers to them."""

from __future__ import annotations

from collections.abc import Collection

from ingen_runtime.component.binary.syntax import Sort
from ingen_runtime.component.entities import Extern, InstanceType, ResourceEntity, TypeExtern
from ingen_runtime.component.plan import ItemRef, ResourcePath
from ingen_runtime.component.scope import Budget, Scope, member
from ingen_runtime.component.types import ResourceType
from ingen_runtime.errors import ComponentFormatError


def extern_at(scope: Scope, sort: Sort, index: int, offset: int) -> Extern:
    """The type of an item of an index space, which may be exported or given to an instance."""
    match sort:
        case Sort.FUNC:
            return member(scope.funcs, index, sort, offset)
        case Sort.TYPE:
            return TypeExtern(scope.type(index, offset))
        case Sort.COMPONENT:
            return member(scope.components, index, sort, offset)
        case Sort.INSTANCE:
            return member(scope.instances, index, sort, offset)
        case Sort.CORE_MODULE:
            return member(scope.modules, index, sort, offset)
        case Sort.VALUE:
            raise ComponentFormatError("component values are not supported", offset)
        case _:
            raise ComponentFormatError(f"a {sort.value} cannot leave a component", offset)


def item_ref(sort: Sort, index: int, extern: Extern) -> ItemRef:
    """The same item in a plan."""
    if isinstance(extern, TypeExtern) and isinstance(extern.entity, ResourceEntity):
        return ItemRef(sort, index, extern.entity.resource)
    return ItemRef(sort, index)


def resource_paths(
    extern: Extern, wanted: Collection[ResourceType], budget: Budget | None = None
) -> tuple[ResourcePath, ...]:
    """Where in an import, export or instance each wanted resource is found first."""
    found: dict[ResourceType, tuple[str, ...]] = {}

    def walk(extern: Extern, path: tuple[str, ...]) -> None:
        if budget is not None:
            budget.charge(1)
        match extern:
            case TypeExtern(ResourceEntity(resource=resource)):
                if resource in wanted:
                    found.setdefault(resource, path)
            case InstanceType():
                for name, inner in extern.exports.items():
                    walk(inner, (*path, name))
            case _:
                pass

    if wanted:
        walk(extern, ())
    return tuple(ResourcePath(resource, path) for resource, path in found.items())

"""Whether what is supplied fits what is wanted, and if not, why.

Value and function types must be equal by structure. Instances may export more, modules may export more and
import less, a component may import less and export more than is wanted.

Source: component-model Subtyping.md and Explainer.md, "Type Checking".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingen_runtime.component.binary.core_module import CoreExternType, TagType
from ingen_runtime.component.binary.core_types import GlobalType, Limits, MemoryType, TableType
from ingen_runtime.component.entities import (
    ComponentType,
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    ResourceEntity,
    TypeExtern,
    extern_node_count,
    kind_of_type,
    sort_of,
    structure_of,
)
from ingen_runtime.component.substitution import Substitution
from ingen_runtime.component.type_text import val_type_text
from ingen_runtime.component.types import ResourceType, ValType
from ingen_runtime.core_types import CoreFuncType

Charge = Callable[[int], None]
"""Called with the number of nodes about to be walked; raises where the work exceeds what is allowed."""


class Mismatch(Exception):
    """What is supplied does not fit; the message says where and why."""


def _within(place: str, error: Mismatch) -> Mismatch:
    return Mismatch(f"{place}: {error}")


def match_val_type(found: ValType, wanted: ValType) -> None:
    """Check that two value types are the same.

    Raises: Mismatch.
    """
    if found != wanted:
        expected, actual = val_type_text(wanted), val_type_text(found)
        if expected == actual:
            expected, actual = val_type_text(wanted, expand=True), val_type_text(found, expand=True)
        if expected == actual:
            raise Mismatch(f"`{expected}` names different resource types on the two sides")
        raise Mismatch(f"expected `{expected}`, found `{actual}`")


def match_func(found: FuncEntity, wanted: FuncEntity) -> None:
    """Check that two function types are the same, parameter names included.

    Raises: Mismatch.
    """
    if found.is_async != wanted.is_async:
        raise Mismatch(f"expected {'an async' if wanted.is_async else 'a sync'} function, found the other")
    if len(found.params) != len(wanted.params):
        raise Mismatch(f"expected {len(wanted.params)} parameters, found {len(found.params)}")
    for (found_label, found_type), (label, type_) in zip(found.params, wanted.params, strict=True):
        if found_label != label:
            raise Mismatch(f"expected a parameter named `{label}`, found `{found_label}`")
        try:
            match_val_type(structure_of(found_type), structure_of(type_))
        except Mismatch as error:
            raise _within(f"parameter `{label}`", error) from None
    if (found.result is None) != (wanted.result is None):
        raise Mismatch("expected a result, found none" if wanted.result else "expected no result, found one")
    if found.result is not None and wanted.result is not None:
        try:
            match_val_type(structure_of(found.result), structure_of(wanted.result))
        except Mismatch as error:
            raise _within("the result", error) from None


def match_extern(found: Extern, wanted: Extern, substitution: Substitution, charge: Charge) -> None:
    """Check that `found` fits `wanted` under `substitution`, which learns what resources in `wanted` are.

    Shape:  the resources to learn are those for which `bind` was told; they are in `wanted`'s types only.
    Raises: Mismatch.
    """
    charge(extern_node_count(wanted))
    if sort_of(found) is not sort_of(wanted):
        raise Mismatch(f"expected a {sort_of(wanted).value}, found a {sort_of(found).value}")
    match found, wanted:
        case TypeExtern(), TypeExtern():
            _match_type(found, wanted, substitution, charge)
        case FuncEntity(), FuncEntity():
            match_func(found, substitution.func(wanted))
        case InstanceType(), InstanceType():
            _match_exports(found.exports, wanted.exports, "export", substitution, charge)
        case ModuleType(), ModuleType():
            match_module(found, wanted)
        case ComponentType(), ComponentType():
            _match_component(found, substitution.component(wanted), charge)


def _match_exports(
    found: Mapping[str, Extern],
    wanted: Mapping[str, Extern],
    what: str,
    substitution: Substitution,
    charge: Charge,
) -> None:
    for name, extern in wanted.items():
        supplied = found.get(name)
        if supplied is None:
            raise Mismatch(f"missing expected {what} `{name}`")
        try:
            match_extern(supplied, extern, substitution, charge)
        except Mismatch as error:
            raise _within(f"{what} `{name}`", error) from None


def _match_type(found: TypeExtern, wanted: TypeExtern, substitution: Substitution, charge: Charge) -> None:
    supplied, entity = found.entity, wanted.entity
    if isinstance(entity, ResourceEntity):
        if not isinstance(supplied, ResourceEntity):
            raise Mismatch(f"expected a resource type, found a {kind_of_type(supplied)}")
        known = substitution.resources.get(entity.resource)
        if known is UNBOUND:
            substitution.map_resource(entity.resource, supplied.resource)
        elif (known or entity.resource) is not supplied.resource:
            raise Mismatch(f"expected another resource type than {supplied.resource.name}")
        substitution.map_definition(entity, supplied)
        return
    if kind_of_type(supplied) != kind_of_type(entity):
        raise Mismatch(f"expected a {kind_of_type(entity)}, found a {kind_of_type(supplied)}")
    match supplied, substitution.type(entity):
        case DefinedType(), DefinedType() as wanted_type:
            match_val_type(supplied.type, wanted_type.type)
            assert isinstance(entity, DefinedType)
            substitution.map_definition(entity, supplied)
        case FuncEntity(), FuncEntity() as wanted_func:
            match_func(supplied, wanted_func)
        case InstanceType(), InstanceType() as wanted_instance:
            inner = bind(wanted_instance.bound)
            _match_exports(supplied.exports, wanted_instance.exports, "export", inner, charge)
        case ComponentType(), ComponentType() as wanted_component:
            _match_component(supplied, wanted_component, charge)


UNBOUND = ResourceType("a resource that is not known yet")
"""What a resource is mapped to until `match_extern` learns which one it is."""


def bind(resources: tuple[ResourceType, ...]) -> Substitution:
    """A substitution that has these resources to learn."""
    substitution = Substitution()
    for resource in resources:
        substitution.map_resource(resource, UNBOUND)
    return substitution


def match_arguments(
    component: ComponentType, arguments: Mapping[str, Extern], charge: Charge
) -> Substitution:
    """Check the arguments of an instantiation and return what the component's exports become by it.

    Superfluous arguments do not matter.

    Raises: Mismatch.
    """
    substitution = bind(component.import_bound)
    _match_exports(arguments, component.imports, "import", substitution, charge)
    return substitution


def instantiate_type(
    component: ComponentType, arguments: Mapping[str, Extern], charge: Charge
) -> InstanceType:
    """The type of the instance that an instantiation gives; its own resources are new ones.

    Raises: Mismatch.
    """
    substitution = match_arguments(component, arguments, charge)
    for resource in component.export_bound:
        substitution.map_resource(resource, ResourceType(resource.name))
    charge(component.node_count)
    return InstanceType({name: substitution.extern(extern) for name, extern in component.exports.items()})


def _match_component(found: ComponentType, wanted: ComponentType, charge: Charge) -> None:
    try:
        result = instantiate_type(found, wanted.imports, charge)
    except Mismatch as error:
        raise _within("the component's imports", error) from None
    substitution = bind(wanted.export_bound)
    _match_exports(result.exports, wanted.exports, "export", substitution, charge)


# --- core ---------------------------------------------------------------------------------------------------


def match_module(found: ModuleType, wanted: ModuleType) -> None:
    """Check that a module imports no more and exports no less than `wanted`.

    Raises: Mismatch.
    """
    for (module, name), type_ in found.imports.items():
        supplied = wanted.imports.get((module, name))
        if supplied is None:
            raise Mismatch(f"the module imports `{module}` `{name}`, which is not expected")
        try:
            match_core_extern(supplied, type_)
        except Mismatch as error:
            raise _within(f"the module's import `{module}` `{name}`", error) from None
    for name, type_ in wanted.exports.items():
        exported = found.exports.get(name)
        if exported is None:
            raise Mismatch(f"the module has no export `{name}`")
        try:
            match_core_extern(exported, type_)
        except Mismatch as error:
            raise _within(f"the module's export `{name}`", error) from None


def core_kind(type_: CoreExternType) -> str:
    """What messages call a core import or export."""
    match type_:
        case CoreFuncType():
            return "func"
        case TableType():
            return "table"
        case MemoryType():
            return "memory"
        case GlobalType():
            return "global"
        case TagType():
            return "tag"


def match_core_extern(found: CoreExternType, wanted: CoreExternType) -> None:
    """Check that a core item fits an import.

    Raises: Mismatch.
    Source: core specification, "Import Matching".
    """
    if core_kind(found) != core_kind(wanted):
        raise Mismatch(f"expected a {core_kind(wanted)}, found a {core_kind(found)}")
    match found, wanted:
        case TableType(), TableType():
            if found.element != wanted.element:
                raise Mismatch(f"expected a table of {wanted.element!s}, found one of {found.element!s}")
            _match_limits(found.limits, wanted.limits, "table")
        case MemoryType(), MemoryType():
            if found.page_size_log2 != wanted.page_size_log2:
                raise Mismatch("the page sizes of the memories differ")
            _match_limits(found.limits, wanted.limits, "memory")
        case GlobalType(), GlobalType():
            if found != wanted:
                raise Mismatch(f"expected {_global_text(wanted)}, found {_global_text(found)}")
        case TagType(), TagType():
            if found != wanted:
                raise Mismatch(f"expected a tag of {wanted.type}, found one of {found.type}")
        case _:
            if found != wanted:
                raise Mismatch(f"expected {wanted}, found {found}")


def _global_text(type_: GlobalType) -> str:
    text = str(type_.type)
    return f"a global of {'(mut ' + text + ')' if type_.mutable else text}"


def _match_limits(found: Limits, wanted: Limits, what: str) -> None:
    if found.is_64 != wanted.is_64:
        raise Mismatch(f"one {what} has 64-bit indices, the other one has not")
    if found.shared != wanted.shared:
        raise Mismatch(f"one {what} is shared, the other one is not")
    fits = found.minimum >= wanted.minimum and (
        wanted.maximum is None or (found.maximum is not None and found.maximum <= wanted.maximum)
    )
    if not fits:
        raise Mismatch(
            f"the limits of the {what} do not fit: "
            f"expected {_limits_text(wanted)}, found {_limits_text(found)}"
        )


def _limits_text(limits: Limits) -> str:
    return f"at least {limits.minimum}" + ("" if limits.maximum is None else f", at most {limits.maximum}")

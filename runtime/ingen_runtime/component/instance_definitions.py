"""Evaluates instances: of components, and put together from exports."""

from __future__ import annotations

from ingen_runtime.component.binary.syntax import InlineExport, InstanceDef, Instantiate
from ingen_runtime.component.entities import Extern, InstanceType, extern_node_count
from ingen_runtime.component.extern_checks import check_extern_name
from ingen_runtime.component.free_resources import free_resources
from ingen_runtime.component.item_refs import extern_at, item_ref, resource_paths
from ingen_runtime.component.plan import BagStep, InstantiateStep, ItemRef
from ingen_runtime.component.scope import Scope, check_depth
from ingen_runtime.component.subtyping import Mismatch, instantiate_type
from ingen_runtime.component.visibility import NamedDefinitions
from ingen_runtime.errors import ComponentFormatError


def define_instance(scope: Scope, definition: InstanceDef) -> None:
    """Add an instance to its index space."""
    if isinstance(definition.expr, Instantiate):
        _instantiate(scope, definition.expr, definition.offset)
    else:
        _put_together(scope, definition.expr, definition.offset)


def _instantiate(scope: Scope, expr: Instantiate, offset: int) -> None:
    if expr.component >= len(scope.components):
        raise ComponentFormatError(
            f"unknown component {expr.component}: component index out of bounds", offset
        )
    component = scope.components[expr.component]
    args: dict[str, Extern] = {}
    items: dict[str, ItemRef] = {}
    for arg in expr.args:
        if arg.name in args:
            raise ComponentFormatError(f"instantiation argument `{arg.name}` is given twice", offset)
        args[arg.name] = extern_at(scope, arg.sort, arg.index, offset)
        items[arg.name] = item_ref(arg.sort, arg.index, args[arg.name])
    try:
        instance = instantiate_type(component, args, scope.budget.charge)
    except Mismatch as error:
        raise ComponentFormatError(f"the component cannot be instantiated: {error}", offset) from None
    scope.budget.charge(instance.node_count + sum(extern_node_count(arg) for arg in args.values()))
    given = free_resources(*args.values())
    made = {resource: None for resource in free_resources(instance) if resource not in given}
    scope.export_bound.extend(made)
    scope.instances.append(check_depth(instance, offset))
    paths = resource_paths(instance, made, scope.budget)
    scope.steps.append(InstantiateStep(expr.component, items, paths))


def _put_together(scope: Scope, inline: tuple[InlineExport, ...], offset: int) -> None:
    keys: dict[str, str] = {}
    exports: dict[str, Extern] = {}
    items: dict[str, ItemRef] = {}
    # No resource has a name in here, so methods, statics and constructors cannot be put together.
    known = NamedDefinitions()
    for export in inline:
        extern = extern_at(scope, export.sort, export.index, offset)
        check_extern_name(export.name, extern, keys, known, "export", offset)
        exports[export.name.name] = extern
        items[export.name.name] = item_ref(export.sort, export.index, extern)
    scope.instances.append(check_depth(InstanceType(exports), offset))
    scope.steps.append(BagStep(items))

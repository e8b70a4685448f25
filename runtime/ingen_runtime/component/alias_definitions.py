"""Evaluates aliases."""

from __future__ import annotations

from collections.abc import Mapping

from ingen_runtime.component.binary.syntax import AliasDef, CoreExportAlias, ExportAlias, OuterAlias, Sort
from ingen_runtime.component.core_definitions import core_export
from ingen_runtime.component.entities import Extern, TypeExtern, sort_of
from ingen_runtime.component.free_resources import free_resources
from ingen_runtime.component.plan import AliasStep, CoreAliasStep, OuterAliasStep
from ingen_runtime.component.scope import Scope, member
from ingen_runtime.component.subtyping import core_kind
from ingen_runtime.errors import ComponentFormatError


def define_alias(scope: Scope, definition: AliasDef) -> None:
    """Add what an alias names to its index space."""
    sort, offset = definition.sort, definition.offset
    match definition.target:
        case ExportAlias(instance, name):
            exports: Mapping[str, Extern] = member(scope.instances, instance, Sort.INSTANCE, offset).exports
            extern = exports.get(name)
            if extern is None:
                raise ComponentFormatError(f"instance {instance} has no export named `{name}`", offset)
            if sort_of(extern) is not sort:
                raise ComponentFormatError(
                    f"export `{name}` of instance {instance} is a {sort_of(extern).value}, "
                    f"not a {sort.value}",
                    offset,
                )
            scope.add_extern(extern)
            if sort is not Sort.TYPE:
                scope.steps.append(AliasStep(sort, instance, name))
        case CoreExportAlias(instance, name):
            item = core_export(scope, instance, name, offset)
            if f"core {core_kind(item)}" != sort.value:
                raise ComponentFormatError(
                    f"export `{name}` of core instance {instance} is a {core_kind(item)}, not a {sort.value}",
                    offset,
                )
            scope.add_core_item(item)
            scope.steps.append(CoreAliasStep(sort, instance, name))
        case OuterAlias(count, index):
            _define_outer_alias(scope, sort, count, index, offset)


def _define_outer_alias(scope: Scope, sort: Sort, count: int, index: int, offset: int) -> None:
    outer = scope.outer(count, offset)
    match sort:
        case Sort.TYPE:
            entity = outer.type(index, offset)
            if scope.crosses_component(count) and free_resources(TypeExtern(entity)):
                raise ComponentFormatError(
                    "an outer alias cannot leave its component for a type "
                    "that transitively refers to resources",
                    offset,
                )
            scope.types.append(entity)
        case Sort.CORE_TYPE:
            scope.core_types.append(member(outer.core_types, index, sort, offset))
        case Sort.CORE_MODULE:
            scope.modules.append(member(outer.modules, index, sort, offset))
            scope.steps.append(OuterAliasStep(sort, count, index))
        case _:
            scope.components.append(member(outer.components, index, sort, offset))
            scope.steps.append(OuterAliasStep(sort, count, index))

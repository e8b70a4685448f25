"""Evaluates core types and core instances.

Source: component-model Explainer.md, "Core Instance Definitions" and "Core Type Definitions".
"""

from __future__ import annotations

from collections.abc import Mapping

from ingen_runtime.component.binary.core_module import CoreExternType, TagType, read_core_module
from ingen_runtime.component.binary.core_types import (
    CoreExternDesc,
    GlobalType,
    MemoryType,
    RecGroup,
    SubDef,
    TableType,
    TagUse,
    TypeUse,
)
from ingen_runtime.component.binary.syntax import (
    CoreExportDecl,
    CoreImport,
    CoreInlineExport,
    CoreInstanceDef,
    CoreInstantiate,
    CoreModuleDef,
    CoreOuterAlias,
    CoreTypeDef,
    ModuleTypeDef,
    Sort,
)
from ingen_runtime.component.entities import ModuleType
from ingen_runtime.component.plan import CoreBagStep, CoreInstantiateStep, ItemRef, ModuleStep
from ingen_runtime.component.scope import Scope, member
from ingen_runtime.component.subtyping import Mismatch, match_core_extern
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.errors import ComponentFormatError

_MAX_PAGES_32 = 1 << 16


def define_module(scope: Scope, definition: CoreModuleDef) -> None:
    """Add a core module with the type that its imports and exports make.

    Raises: ComponentFormatError.
    """
    try:
        module = read_core_module(definition.data)
    except ComponentFormatError as error:
        raise ComponentFormatError(error.message, definition.start + (error.offset or 0)) from None
    imports: dict[tuple[str, str], CoreExternType] = {}
    for module_name, name, type_ in module.imports:
        if (module_name, name) in imports:
            raise ComponentFormatError(f"duplicate import name `{module_name}:{name}`", definition.offset)
        imports[module_name, name] = type_
    type_of_module = ModuleType(imports, module.exports)
    scope.modules.append(type_of_module)
    scope.steps.append(ModuleStep(definition))


def define_core_type(scope: Scope, definition: CoreTypeDef) -> None:
    """Add core types.

    Raises: ComponentFormatError.
    """
    if isinstance(definition.type, RecGroup):
        _add_rec_group(scope.core_types, definition.type, definition.offset)
    else:
        scope.core_types.append(_module_type(scope, definition.type, definition.offset))


def _add_rec_group(space: list[SubDef | ModuleType] | list[SubDef], group: RecGroup, offset: int) -> None:
    limit = len(space) + len(group.types)
    for type_ in group.types:
        if any(index >= limit for index in type_.supertypes):
            raise ComponentFormatError("core type index out of bounds", offset)
        if isinstance(type_.type, CoreFuncType):
            for val_type in (*type_.type.params, *type_.type.results):
                heap = getattr(val_type, "heap", None)
                if isinstance(heap, int) and heap >= limit:
                    raise ComponentFormatError(f"core type index {heap} is out of bounds", offset)
    space.extend(group.types)


def _module_type(scope: Scope, definition: ModuleTypeDef, offset: int) -> ModuleType:
    types: list[SubDef] = []
    imports: dict[tuple[str, str], CoreExternType] = {}
    exports: dict[str, CoreExternType] = {}
    for declaration in definition.declarations:
        match declaration:
            case RecGroup():
                _add_rec_group(types, declaration, offset)
            case CoreOuterAlias(0, index):
                types.append(member(types, index, Sort.CORE_TYPE, offset))
            case CoreOuterAlias(count, index):
                aliased = member(scope.outer(count - 1, offset).core_types, index, Sort.CORE_TYPE, offset)
                if isinstance(aliased, ModuleType):
                    raise ComponentFormatError("a module type cannot alias a module type", offset)
                types.append(aliased)
            case CoreImport(module, name, desc):
                if (module, name) in imports:
                    raise ComponentFormatError(f"duplicate import name `{module}:{name}`", offset)
                imports[module, name] = _core_extern(types, desc, offset)
            case CoreExportDecl(name, desc):
                if name in exports:
                    raise ComponentFormatError(f"export name `{name}` already defined", offset)
                exports[name] = _core_extern(types, desc, offset)
    return ModuleType(imports, exports)


def _core_extern(types: list[SubDef], desc: CoreExternDesc, offset: int) -> CoreExternType:
    match desc:
        case TypeUse(index) | TagUse(index):
            type_ = member(types, index, Sort.CORE_TYPE, offset).type
            if not isinstance(type_, CoreFuncType):
                raise ComponentFormatError(f"core type {index} is no function type", offset)
            return type_ if isinstance(desc, TypeUse) else TagType(type_)
        case MemoryType(limits):
            largest = max(limits.minimum, limits.maximum or 0)
            if not limits.is_64 and largest > _MAX_PAGES_32 and desc.page_size_log2 == 16:
                raise ComponentFormatError(f"memory size must be at most {_MAX_PAGES_32} pages", offset)
            if limits.maximum is not None and limits.minimum > limits.maximum:
                raise ComponentFormatError("size minimum must not be greater than maximum", offset)
            return desc
        case TableType() | GlobalType():
            return desc


def define_core_instance(scope: Scope, definition: CoreInstanceDef) -> None:
    """Add a core instance.

    Raises: ComponentFormatError.
    """
    if isinstance(definition.expr, CoreInstantiate):
        _instantiate(scope, definition.expr, definition.offset)
    else:
        _put_together(scope, definition.expr, definition.offset)


def _instantiate(scope: Scope, expr: CoreInstantiate, offset: int) -> None:
    if expr.module >= len(scope.modules):
        raise ComponentFormatError(f"unknown module {expr.module}: module index out of bounds", offset)
    module = scope.modules[expr.module]
    args: dict[str, int] = {}
    for arg in expr.args:
        member(scope.core_instances, arg.instance, Sort.CORE_INSTANCE, offset)
        if arg.name in args:
            raise ComponentFormatError(f"duplicate module instantiation argument named `{arg.name}`", offset)
        args[arg.name] = arg.instance
    for (module_name, name), wanted in module.imports.items():
        if module_name not in args:
            raise ComponentFormatError(f"missing module instantiation argument named `{module_name}`", offset)
        found = scope.core_instances[args[module_name]].get(name)
        if found is None:
            raise ComponentFormatError(
                f"module instantiation argument `{module_name}` does not export an item named `{name}`",
                offset,
            )
        try:
            match_core_extern(found, wanted)
        except Mismatch as error:
            raise ComponentFormatError(
                f"type mismatch for export `{name}` of module instantiation argument "
                f"`{module_name}`: {error}",
                offset,
            ) from None
    scope.core_instances.append(module.exports)
    scope.steps.append(CoreInstantiateStep(expr.module, args))


def _put_together(scope: Scope, inline: tuple[CoreInlineExport, ...], offset: int) -> None:
    exports: dict[str, CoreExternType] = {}
    items: dict[str, ItemRef] = {}
    for export in inline:
        if export.name in exports:
            raise ComponentFormatError(f"export name `{export.name}` already defined", offset)
        exports[export.name] = scope.core_item(export.sort, export.index, offset)
        items[export.name] = ItemRef(export.sort, export.index)
    scope.core_instances.append(exports)
    scope.steps.append(CoreBagStep(items))


def core_export(scope: Scope, instance: int, name: str, offset: int) -> CoreExternType:
    """An export of a core instance.

    Raises: ComponentFormatError.
    """
    exports: Mapping[str, CoreExternType] = member(scope.core_instances, instance, Sort.CORE_INSTANCE, offset)
    found = exports.get(name)
    if found is None:
        raise ComponentFormatError(f"core instance {instance} has no export named `{name}`", offset)
    return found

"""Evaluates a decoded component: checks it, and makes its type and the plan of its instantiation.

Source: component-model Explainer.md and the notes on validation in Binary.md.
"""

from __future__ import annotations

from typing import assert_never

from ingen_runtime.component.alias_definitions import define_alias
from ingen_runtime.component.binary.syntax import (
    AliasDef,
    CanonDef,
    Component,
    ComponentDecl,
    ComponentTypeDef,
    CoreExportAlias,
    CoreInstanceDef,
    CoreModuleDef,
    CoreTypeDef,
    CustomSection,
    Definition,
    ExportAlias,
    ExportDecl,
    ExportDef,
    ExternDesc,
    ExternName,
    FuncDef,
    ImportDef,
    InstanceDef,
    InstanceTypeDef,
    NestedComponentDef,
    OuterAlias,
    ResourceDef,
    Sort,
    SortDesc,
    StartDef,
    TypeDef,
    TypeDesc,
    TypeEq,
    ValueDesc,
)
from ingen_runtime.component.canon_checks import define_canon
from ingen_runtime.component.core_definitions import (
    define_core_instance,
    define_core_type,
    define_module,
)
from ingen_runtime.component.entities import (
    ComponentType,
    Extern,
    InstanceType,
    ResourceEntity,
    TypeEntity,
    TypeExtern,
    sort_of,
)
from ingen_runtime.component.extern_checks import check_extern_name
from ingen_runtime.component.free_resources import free_resources
from ingen_runtime.component.instance_definitions import define_instance
from ingen_runtime.component.item_refs import extern_at, item_ref, resource_paths
from ingen_runtime.component.naming import introduce_type, name_resources, qualified_resource, qualify
from ingen_runtime.component.plan import (
    ComponentPlan,
    ComponentStep,
    ExportStep,
    ImportStep,
    ResourcePath,
    ResourceStep,
)
from ingen_runtime.component.scope import Budget, Scope, ScopeKind, check_depth, member
from ingen_runtime.component.substitution import freshen
from ingen_runtime.component.subtyping import (
    Mismatch,
    bind,
    match_extern,
)
from ingen_runtime.component.types import ResourceType
from ingen_runtime.component.value_types import evaluate_func_type, evaluate_val_type
from ingen_runtime.core_types import CoreFuncType, NumberType
from ingen_runtime.errors import ComponentFormatError

_DESTRUCTOR = CoreFuncType((NumberType.I32,), ())


def evaluate_component(component: Component) -> ComponentPlan:
    """Check a component and plan its instantiation.

    Raises: ComponentFormatError, with the offset of the definition that is wrong.
    """
    return _evaluate(component, None, Budget())


def _evaluate(component: Component, parent: Scope | None, budget: Budget) -> ComponentPlan:
    scope = Scope(ScopeKind.COMPONENT, parent, budget)
    custom: list[CustomSection] = []
    for definition in component.definitions:
        if isinstance(definition, CustomSection):
            custom.append(definition)
            continue
        budget.offset = definition.offset
        _define(scope, definition)
    return ComponentPlan(
        _component_type(scope, component.offset),
        tuple(scope.steps),
        scope.import_names,
        scope.export_names,
        tuple(custom),
    )


def _component_type(scope: Scope, offset: int) -> ComponentType:
    """The type of the component whose scope is complete."""
    made = ComponentType(scope.imports, scope.exports, tuple(scope.import_bound), ())
    mentioned = free_resources(made)
    bound = tuple(resource for resource in scope.export_bound if resource in mentioned)
    return check_depth(ComponentType(scope.imports, scope.exports, tuple(scope.import_bound), bound), offset)


def _define(scope: Scope, definition: Definition) -> None:
    match definition:
        case CustomSection():
            pass
        case CoreModuleDef():
            define_module(scope, definition)
        case CoreInstanceDef():
            define_core_instance(scope, definition)
        case CoreTypeDef():
            define_core_type(scope, definition)
        case NestedComponentDef():
            plan = _evaluate(definition.component, scope, scope.budget)
            scope.components.append(plan.type)
            scope.steps.append(ComponentStep(plan))
        case InstanceDef():
            define_instance(scope, definition)
        case AliasDef():
            define_alias(scope, definition)
        case TypeDef():
            scope.types.append(_evaluate_type(scope, definition))
        case CanonDef():
            define_canon(scope, definition)
        case StartDef():
            raise ComponentFormatError("component start functions are not supported", definition.offset)
        case ImportDef():
            _define_import(scope, definition)
        case ExportDef():
            _define_export(scope, definition)
        case _:
            assert_never(definition)


# --- types --------------------------------------------------------------------------------------------------


def _evaluate_type(scope: Scope, definition: TypeDef) -> TypeEntity:
    offset = definition.offset
    match definition.type:
        case FuncDef() as func:
            return evaluate_func_type(scope, func, offset)
        case ResourceDef() as resource:
            return _define_resource(scope, resource, offset)
        case ComponentTypeDef(declarations):
            inner = _declare(Scope(ScopeKind.COMPONENT_TYPE, scope, scope.budget), declarations)
            made = ComponentType(
                inner.imports, inner.exports, tuple(inner.import_bound), tuple(inner.export_bound)
            )
            return check_depth(made, offset)
        case InstanceTypeDef(declarations):
            inner = _declare(Scope(ScopeKind.INSTANCE_TYPE, scope, scope.budget), declarations)
            return check_depth(InstanceType(inner.exports, tuple(inner.export_bound)), offset)
        case val_type:
            return evaluate_val_type(scope, val_type, offset)


def _define_resource(scope: Scope, definition: ResourceDef, offset: int) -> ResourceEntity:
    if scope.kind is not ScopeKind.COMPONENT:
        raise ComponentFormatError("resources can only be defined within a concrete component", offset)
    if definition.rep is not NumberType.I32:
        raise ComponentFormatError("resources are represented by i32; i64 needs 64-bit memories", offset)
    if definition.destructor is not None:
        found = member(scope.core_funcs, definition.destructor, Sort.CORE_FUNC, offset)
        if found != _DESTRUCTOR:
            raise ComponentFormatError(
                f"wrong signature for a destructor: {found}, not {_DESTRUCTOR}", offset
            )
    resource = ResourceType(f"resource-{len(scope.types)}")
    scope.local_resources.add(resource)
    scope.export_bound.append(resource)
    scope.steps.append(ResourceStep(resource, definition.destructor))
    return ResourceEntity(resource)


def _declare(scope: Scope, declarations: tuple[ComponentDecl, ...]) -> Scope:
    for declaration in declarations:
        scope.budget.offset = declaration.offset
        match declaration:
            case CoreTypeDef():
                define_core_type(scope, declaration)
            case TypeDef():
                scope.types.append(_evaluate_type(scope, declaration))
            case AliasDef():
                _declare_alias(scope, declaration)
            case ImportDef():
                _define_import(scope, declaration)
            case ExportDecl():
                _declare_export(scope, declaration)
            case _:
                assert_never(declaration)
    return scope


def _declare_alias(scope: Scope, definition: AliasDef) -> None:
    allowed: tuple[Sort, ...]
    match definition.target:
        case ExportAlias():
            allowed = (Sort.TYPE, Sort.INSTANCE)
        case OuterAlias():
            allowed = (Sort.TYPE, Sort.CORE_TYPE)
        case CoreExportAlias():
            allowed = ()
    if definition.sort not in allowed:
        raise ComponentFormatError(
            "an alias in a component or instance type may only refer to types or instances", definition.offset
        )
    define_alias(scope, definition)


# --- imports and exports ------------------------------------------------------------------------------------


def _evaluate_desc(
    scope: Scope, desc: ExternDesc, name: str, bound: list[ResourceType], offset: int
) -> Extern:
    """What an import or an ascribed or declared export is; resources that it makes are added to `bound`."""
    match desc:
        case ValueDesc():
            raise ComponentFormatError("component values are not supported", offset)
        case TypeDesc(bound=type_bound):
            if isinstance(type_bound, TypeEq):
                return TypeExtern(introduce_type(scope.type(type_bound.index, offset), name))
            resource = ResourceType(name)
            bound.append(resource)
            return TypeExtern(ResourceEntity(resource))
        case SortDesc(Sort.CORE_MODULE, index):
            return scope.module_type(index, offset)
        case SortDesc(Sort.FUNC, index):
            return scope.func_type(index, offset)
        case SortDesc(Sort.COMPONENT, index):
            return scope.component_type(index, offset)
        case SortDesc(Sort.INSTANCE, index):
            declared = scope.instance_type(index, offset)
            scope.budget.charge(declared.node_count)
            instance, fresh = freshen(declared, lambda resource: qualified_resource(name, resource))
            bound.extend(fresh)
            return qualify(instance, name)
        case SortDesc(sort, _):
            raise ComponentFormatError(f"a {sort.value} cannot be imported or exported", offset)
        case _:
            assert_never(desc)


def _define_import(scope: Scope, definition: ImportDef) -> None:
    name, offset = definition.name, definition.offset
    bound: list[ResourceType] = []
    extern = _evaluate_desc(scope, definition.desc, name.name, bound, offset)
    scope.import_bound.extend(bound)
    check_extern_name(name, extern, scope.import_keys, scope.imported, "import", offset)
    scope.imported.add_extern(extern, name.name)
    if not scope.imported.allows(extern):
        raise _not_visible(extern, name, "import", offset)
    if isinstance(extern, TypeExtern) and isinstance(extern.entity, ResourceEntity):
        resource = extern.entity.resource
        if resource in scope.export_bound:
            raise ComponentFormatError(f"import `{name}` names a resource of this component", offset)
    scope.imports[name.name] = extern
    scope.import_names[name.name] = name
    scope.add_extern(extern)
    paths = resource_paths(extern, bound, scope.budget)
    scope.steps.append(ImportStep(name, sort_of(extern), extern, paths))


def _not_visible(extern: Extern, name: ExternName, what: str, offset: int) -> ComponentFormatError:
    return ComponentFormatError(
        f"{sort_of(extern).value} not valid to be used as {what} `{name}`: "
        f"it mentions a type that was not {what}ed under a name before",
        offset,
    )


def _declare_export(scope: Scope, definition: ExportDecl) -> None:
    name, offset = definition.name, definition.offset
    extern = _evaluate_desc(scope, definition.desc, name.name, scope.export_bound, offset)
    _add_export(scope, name, extern, offset)
    scope.add_extern(extern)


def _add_export(scope: Scope, name: ExternName, extern: Extern, offset: int) -> None:
    check_extern_name(name, extern, scope.export_keys, scope.exported, "export", offset)
    scope.exported.add_extern(extern, name.name)
    # What an instance type declares is checked where the type is used.
    if scope.kind is not ScopeKind.INSTANCE_TYPE and not scope.exported.allows(extern):
        raise _not_visible(extern, name, "export", offset)
    scope.exports[name.name] = extern
    scope.export_names[name.name] = name


def _define_export(scope: Scope, definition: ExportDef) -> None:
    name, offset = definition.name, definition.offset
    found = extern_at(scope, definition.sort, definition.index, offset)
    item = item_ref(definition.sort, definition.index, found)
    paths: tuple[ResourcePath, ...] = ()
    if definition.desc is not None:
        bound: list[ResourceType] = []
        extern = _evaluate_desc(scope, definition.desc, name.name, bound, offset)
        try:
            match_extern(found, extern, bind(tuple(bound)), scope.budget.charge)
        except Mismatch as error:
            raise ComponentFormatError(
                f"ascribed type of export `{name}` is not compatible with the item's type: {error}", offset
            ) from None
        paths = resource_paths(extern, bound, scope.budget)
        scope.export_bound.extend(bound)
    elif isinstance(found, TypeExtern):
        extern = TypeExtern(introduce_type(found.entity, name.name))
    elif isinstance(found, InstanceType):
        scope.budget.charge(found.node_count)
        extern = qualify(found, name.name)
        # Functions that were made from the instance's types before mention them as they were.
        scope.exported.add_extern(found, None)
    else:
        extern = found
    name_resources(extern, name.name, scope.local_resources)
    _add_export(scope, name, extern, offset)
    scope.add_extern(extern)
    scope.steps.append(ExportStep(name, item, extern, paths))

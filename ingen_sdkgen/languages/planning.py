"""From the IR to the lowering plan of one world."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    align_to,
    alignment,
    contains,
    elem_size,
    field_offsets,
    flat_count,
    flat_counts,
    flatten_functype,
    needs_memory,
)
from ingen_runtime.canonical.layout import Direction as CanonDirection
from ingen_runtime.component.types import (
    BorrowType,
    FuncType,
    OwnType,
    ResourceType,
    ValType,
)
from ingen_runtime.core_types import CoreFuncType, NumberType
from ingen_sdkgen.encode import encode_component_type
from ingen_sdkgen.languages.features import ASYNCHRONY, Feature, check_features
from ingen_sdkgen.languages.layout import layout_of
from ingen_sdkgen.languages.plan import (
    CoreImport,
    Direction,
    FunctionPlan,
    ParamPlan,
    Plan,
    PlannedType,
    ResourcePlan,
    ScopeId,
    ScopePlan,
)
from ingen_sdkgen.languages.valtypes import primitive_value_type, value_type
from ingen_sdkgen.model import (
    Alias,
    Enum,
    Flags,
    Function,
    InterfaceId,
    InterfaceOwner,
    Owner,
    Primitive,
    Record,
    Resolve,
    Resource,
    Stability,
    Type,
    TypeDef,
    TypeId,
    TypeKind,
    Variant,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldType,
)
from ingen_sdkgen.rewrite import map_types

_NOMINAL = Record | Variant | Enum | Flags | Resource

_I32 = (NumberType.I32,)
_DROP = CoreFuncType(_I32, ())
_NEW_OR_REP = CoreFuncType(_I32, _I32)


def plan_world(
    resolve: Resolve, world: WorldId, language: str, lacks: Collection[Feature] = ASYNCHRONY
) -> Plan:
    """The lowering plan of a world, for a guest in `language` that lacks some features.

    Raises: CodegenError, that names the first item which needs a feature that the language lacks.
    """
    check_features(resolve, world, language, lacks)
    return _Planner(resolve, world).plan()


def find_world(resolve: Resolve, name: str | None) -> WorldId | None:
    """The world that a user calls `name`: in the main package, or `namespace:package/world@version`.

    Without a name it is the main package's only world. None where there is no such world, or no single one.
    """
    own = resolve.packages[resolve.main].worlds
    if name is None:
        return next(iter(own.values())) if len(own) == 1 else None
    if name in own:
        return own[name]
    for package in resolve.packages:
        for world_name, world in package.worlds.items():
            if package.name.interface_id(world_name) == name:
                return world
    return None


@dataclass(slots=True)
class _Scope:
    """A scope in the making: an interface on one side of the world, or the world's own items there."""

    direction: Direction
    key: str | None
    interface: InterfaceId | None
    labelled: bool
    docs: str | None
    stability: Stability
    functions: list[Function] = field(default_factory=list)
    types: list[TypeId] = field(default_factory=list)
    """The named types, as numbers of the resolve."""


class _Planner:
    def __init__(self, resolve: Resolve, world: WorldId) -> None:
        self._resolve = resolve
        self._world_id = world
        self._world = resolve.worlds[world]
        self._types: list[PlannedType] = []
        self._in_place: dict[TypeKind, TypeId] = {}
        self._named: dict[tuple[ScopeId, TypeId], TypeId] = {}
        self._resource_types: dict[TypeId, ResourceType] = {}
        self._scopes = self._ordered_scopes()
        self._by_interface = {
            (scope.direction, scope.interface): ScopeId(number)
            for number, scope in enumerate(self._scopes)
            if not scope.labelled
        }

    def plan(self) -> Plan:
        for number, scope in enumerate(self._scopes):
            for source in scope.types:
                self._named_type(ScopeId(number), source)
        scopes = tuple(self._scope_plan(ScopeId(number)) for number in range(len(self._scopes)))
        return Plan(
            self._world.name,
            self._resolve.packages[self._world.package].name,
            self._world.docs,
            tuple(self._types),
            scopes,
            encode_component_type(self._resolve, self._world_id),
        )

    # --- Scopes ---------------------------------------------------------------------------------------------

    def _ordered_scopes(self) -> list[_Scope]:
        """Interfaces that are used before those that use them, imports before exports."""
        imports = self._interface_scopes(Direction.IMPORT)
        exports = self._interface_scopes(Direction.EXPORT)
        return [
            *self._by_use(imports),
            self._world_scope(Direction.IMPORT),
            *self._by_use(exports),
            self._world_scope(Direction.EXPORT),
        ]

    def _items(self, direction: Direction) -> dict[WorldKey, WorldItem]:
        return dict(self._world.imports if direction is Direction.IMPORT else self._world.exports)

    def _interface_scopes(self, direction: Direction) -> list[_Scope]:
        scopes = []
        for key, item in self._items(direction).items():
            if not isinstance(item, WorldInterface):
                continue
            interface = self._resolve.interfaces[item.interface]
            name = key if isinstance(key, str) else self._resolve.interface_name(key)
            scope = _Scope(
                direction, name, item.interface, isinstance(key, str), interface.docs, item.stability
            )
            if item.docs is not None:
                scope.docs = item.docs
            scope.functions = list(interface.functions.values())
            scope.types = sorted(interface.types.values())
            scopes.append(scope)
        return scopes

    def _world_scope(self, direction: Direction) -> _Scope:
        scope = _Scope(direction, None, None, False, None, None)
        for item in self._items(direction).values():
            if isinstance(item, WorldFunction):
                scope.functions.append(item.function)
            elif isinstance(item, WorldType):
                scope.types.append(item.type)
        scope.types.sort()
        return scope

    def _by_use(self, scopes: list[_Scope]) -> Iterator[_Scope]:
        by_interface = {scope.interface: scope for scope in scopes if not scope.labelled}
        done: set[str | None] = set()
        for scope in scopes:
            pending = [(scope, iter(self._uses(scope)))]
            while pending:
                current, uses = pending[-1]
                if current.key in done:
                    pending.pop()
                    continue
                used = next(uses, None)
                if used is None:
                    done.add(current.key)
                    yield current
                elif used in by_interface and by_interface[used] is not current:
                    pending.append((by_interface[used], iter(self._uses(by_interface[used]))))

    def _uses(self, scope: _Scope) -> Iterator[InterfaceId]:
        for source in scope.types:
            kind = self._resolve.types[source].kind
            if isinstance(kind, Alias) and not isinstance(kind.type, Primitive):
                owner = self._resolve.types[kind.type].owner
                if isinstance(owner, InterfaceOwner):
                    yield owner.interface

    def _scope_of(self, current: ScopeId, owner: Owner) -> ScopeId:
        """Where a type of `owner` is found, for one who stands in `current`.

        An exported interface takes types from interfaces that are exported too, and otherwise from those that
        are imported; everything else takes them from what is imported.
        """
        if not isinstance(owner, InterfaceOwner):
            return self._by_interface[Direction.IMPORT, None]
        scope = self._scopes[current]
        if scope.interface == owner.interface:
            return current
        exported = self._by_interface.get((Direction.EXPORT, owner.interface))
        if scope.direction is Direction.EXPORT and scope.key is not None and exported is not None:
            return exported
        return self._by_interface[Direction.IMPORT, owner.interface]

    def _scope_plan(self, number: ScopeId) -> ScopePlan:
        scope = self._scopes[number]
        package = interface = None
        if scope.interface is not None:
            content = self._resolve.interfaces[scope.interface]
            interface = content.name
            package = None if interface is None else self._resolve.packages[content.package].name
        types = tuple(self._named[number, source] for source in scope.types)
        return ScopePlan(
            scope.direction,
            scope.key,
            package,
            interface,
            scope.labelled,
            types,
            tuple(
                self._resource(number, type_)
                for type_ in types
                if isinstance(self._types[type_].kind, Resource)
            ),
            tuple(self._function(number, function) for function in scope.functions),
            scope.docs,
            scope.stability,
        )

    def _resource(self, number: ScopeId, type_: TypeId) -> ResourcePlan:
        scope = self._scopes[number]
        name = self._types[type_].name
        assert name is not None, "a resource has a name"
        if scope.direction is Direction.IMPORT:
            drop = CoreImport(scope.key or "$root", f"[resource-drop]{name}", _DROP)
            return ResourcePlan(type_, name, number, scope.direction, drop, None, None, None)
        module = f"[export]{scope.key}"
        return ResourcePlan(
            type_,
            name,
            number,
            scope.direction,
            CoreImport(module, f"[resource-drop]{name}", _DROP),
            CoreImport(module, f"[resource-new]{name}", _NEW_OR_REP),
            CoreImport(module, f"[resource-rep]{name}", _NEW_OR_REP),
            f"{scope.key}#[dtor]{name}",
        )

    # --- Types ----------------------------------------------------------------------------------------------

    def _type(self, scope: ScopeId, type_: Type) -> Type:
        """A type of the resolve, as it is meant in a scope."""
        if isinstance(type_, Primitive):
            return type_
        type_def = self._resolve.types[type_]
        if type_def.name is not None:
            return self._named_type(self._scope_of(scope, type_def.owner), type_)
        return self._type_in_place(self._kind(scope, type_def.kind))

    def _type_id(self, scope: ScopeId, type_: TypeId) -> TypeId:
        planned = self._type(scope, type_)
        assert not isinstance(planned, Primitive), "a number of a type stays one"
        return planned

    def _named_type(self, scope: ScopeId, source: TypeId) -> TypeId:
        known = self._named.get((scope, source))
        if known is not None:
            return known
        type_def = self._resolve.types[source]
        kind = self._kind(scope, type_def.kind)
        planned = self._add(kind, type_def, scope)
        self._named[scope, source] = planned
        return planned

    def _type_in_place(self, kind: TypeKind) -> TypeId:
        known = self._in_place.get(kind)
        if known is None:
            known = self._in_place[kind] = self._add(kind, TypeDef(None, kind, None), None)
        return known

    def _add(self, kind: TypeKind, type_def: TypeDef, scope: ScopeId | None) -> TypeId:
        canonical: Type | None = None
        if isinstance(kind, Alias):
            canonical = self._canonical(kind.type)
        elif not isinstance(kind, _NOMINAL):
            # A name for `list<string>` makes no new type; only the type in place stands for itself.
            canonical_kind = map_types(kind, self._canonical)
            if canonical_kind != kind or type_def.name is not None:
                canonical = self._type_in_place(canonical_kind)
        number = TypeId(len(self._types))
        if isinstance(kind, Resource):
            self._resource_types[number] = ResourceType(type_def.name or "")
        if isinstance(kind, Alias) and not isinstance(kind.type, Primitive):
            value = self._types[kind.type].value  # None for a resource
        else:
            key = None if scope is None else self._scopes[scope].key
            name = type_def.name if key is None else f"{key}#{type_def.name}"
            value = value_type(kind, self._value, self._resource_type, name)
        self._types.append(
            PlannedType(
                name=type_def.name,
                kind=kind,
                scope=scope,
                canonical=number if canonical is None else canonical,
                value=value,
                layout=None if value is None else layout_of(value),
                owns_memory=value is not None and needs_memory(value),
                has_own=value is not None and contains(value, lambda part: isinstance(part, OwnType)),
                has_borrow=value is not None and contains(value, lambda part: isinstance(part, BorrowType)),
                docs=type_def.docs,
                stability=type_def.stability,
                span=type_def.span,
            )
        )
        return number

    def _canonical(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self._types[type_].canonical

    def _value(self, type_: Type) -> ValType:
        if isinstance(type_, Primitive):
            return primitive_value_type(type_)
        value = self._types[type_].value
        assert value is not None, "a resource is named by its handles only"
        return value

    def _resource_type(self, type_: TypeId) -> ResourceType:
        target = self._types[type_].canonical
        assert not isinstance(target, Primitive), "a handle is of a resource"
        return self._resource_types[target]

    def _kind(self, scope: ScopeId, kind: TypeKind) -> TypeKind:
        return map_types(kind, lambda type_: self._type(scope, type_))

    # --- Functions ------------------------------------------------------------------------------------------

    def _function(self, number: ScopeId, function: Function) -> FunctionPlan:
        scope = self._scopes[number]
        params = [(param.name, self._type(number, param.type)) for param in function.params]
        result = None if function.result is None else self._type(number, function.result)
        param_values = [self._value(type_) for _, type_ in params]
        result_value = None if result is None else self._value(result)
        signature = FuncType(
            tuple((name, value) for (name, _), value in zip(params, param_values, strict=True)),
            result_value,
            function.kind.shape.is_async,
        )
        imported = scope.direction is Direction.IMPORT
        core = flatten_functype(signature, CanonDirection.LOWER if imported else CanonDirection.LIFT)
        spilled = flat_counts(param_values) > MAX_FLAT_PARAMS
        offsets = field_offsets(param_values)
        flat, planned = 0, []
        for (name, type_), value, offset in zip(params, param_values, offsets, strict=True):
            count = 0 if spilled else flat_count(value)
            planned.append(ParamPlan(name, type_, range(flat, flat + count), offset))
            flat += count
        record = max(map(alignment, param_values), default=1)
        end = offsets[-1] + elem_size(param_values[-1]) if param_values else 0
        core_name = function.name if imported or scope.key is None else f"{scope.key}#{function.name}"
        frees = not imported and result_value is not None and needs_memory(result_value)
        return FunctionPlan(
            name=function.name,
            item_name=function.name.rpartition("]")[2].rpartition(".")[2],
            shape=function.kind.shape,
            resource=None
            if function.kind.resource is None
            else self._type_id(number, function.kind.resource),
            direction=scope.direction,
            params=tuple(planned),
            result=result,
            type=signature,
            core_module=(scope.key or "$root") if imported else None,
            core_name=core_name,
            core=core,
            params_spilled=spilled,
            params_size=align_to(end, record),
            params_alignment=record,
            result_spilled=result_value is not None and flat_count(result_value) > MAX_FLAT_RESULTS,
            post_return=f"cabi_post_{core_name}" if frees else None,
            docs=function.docs,
            stability=function.stability,
            span=function.span,
        )

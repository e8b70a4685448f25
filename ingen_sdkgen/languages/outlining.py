"""From the IR to the outline of one world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from ingen_sdkgen.languages.outline import (
    Definition,
    FunctionOutline,
    InterfaceOutline,
    Member,
    Name,
    ParamOutline,
    TypeUse,
    WorldOutline,
)
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Function,
    FunctionShape,
    Future,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    Owner,
    Primitive,
    Record,
    Resolve,
    Resource,
    Result,
    Stability,
    Stable,
    Stream,
    Tuple,
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
from ingen_sdkgen.wit.printer import escape_name

_KINDS = {
    FunctionShape.FREESTANDING: "function",
    FunctionShape.ASYNC_FREESTANDING: "function",
    FunctionShape.METHOD: "method",
    FunctionShape.ASYNC_METHOD: "method",
    FunctionShape.STATIC: "static",
    FunctionShape.ASYNC_STATIC: "static",
    FunctionShape.CONSTRUCTOR: "constructor",
    FunctionShape.GETTER: "getter",
    FunctionShape.SETTER: "setter",
    FunctionShape.METHOD_GETTER: "getter",
    FunctionShape.METHOD_SETTER: "setter",
    FunctionShape.STATIC_GETTER: "getter",
    FunctionShape.STATIC_SETTER: "setter",
}
_WITH_SELF = {
    FunctionShape.METHOD,
    FunctionShape.ASYNC_METHOD,
    FunctionShape.METHOD_GETTER,
    FunctionShape.METHOD_SETTER,
}
_KEYWORDS = {"function": "func", "method": "func", "static": "func", "getter": "get", "setter": "set"}


def outline_world(resolve: Resolve, world: WorldId) -> WorldOutline:
    """The outline of a world with all that it imports and exports."""
    return _Outliner(resolve).world(world)


class _Outliner:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def world(self, id_: WorldId) -> WorldOutline:
        world = self._resolve.worlds[id_]
        package = self._resolve.packages[world.package]
        imports, exports = list(world.imports.items()), list(world.exports.items())
        imported = [item.function for _, item in imports if isinstance(item, WorldFunction)]
        exported = [item.function for _, item in exports if isinstance(item, WorldFunction)]
        types = {str(key): item.type for key, item in imports if isinstance(item, WorldType)}
        return WorldOutline(
            Name(world.name),
            package.name.interface_id(world.name),
            str(package.name),
            self._interfaces(imports),
            self._interfaces(exports),
            self._freestanding(imported),
            self._freestanding(exported),
            self._definitions(types, [*imported, *exported]),
            world.docs or "",
            package.docs or "",
        )

    def _interfaces(self, items: list[tuple[WorldKey, WorldItem]]) -> tuple[InterfaceOutline, ...]:
        return tuple(self._interface(key, item) for key, item in items if isinstance(item, WorldInterface))

    def _interface(self, key: WorldKey, item: WorldInterface) -> InterfaceOutline:
        interface = self._resolve.interfaces[item.interface]
        full_name = key if isinstance(key, str) else self._resolve.interface_name(key)
        assert full_name is not None, "an interface without a name of its own has a label"
        functions = list(interface.functions.values())
        return InterfaceOutline(
            Name(interface.name if interface.name is not None and not isinstance(key, str) else full_name),
            full_name,
            self._definitions(interface.types, functions),
            self._freestanding(functions),
            item.docs or interface.docs or "",
            _since(interface.stability),
        )

    # --- Definitions ----------------------------------------------------------------------------------------

    def _definitions(
        self, types: Mapping[str, TypeId], functions: Iterable[Function]
    ) -> tuple[Definition, ...]:
        by_resource: dict[TypeId, list[Function]] = {}
        for function in functions:
            if function.kind.resource is not None:
                by_resource.setdefault(function.kind.resource, []).append(function)
        return tuple(
            self._definition(name, self._resolve.types[id_], by_resource.get(id_, []))
            for name, id_ in types.items()
        )

    def _definition(self, name: str, type_def: TypeDef, functions: list[Function]) -> Definition:
        kind, target, members = "type", None, list[Member]()
        match type_def.kind:
            case Record(fields):
                kind = "record"
                members = [Member(Name(item.name), self._use(item.type), item.docs or "") for item in fields]
            case Variant(cases):
                kind = "variant"
                members = [
                    Member(Name(case.name), self._optional(case.type), case.docs or "") for case in cases
                ]
            case Enum(enum_cases):
                kind = "enum"
                members = [Member(Name(case.name), None, case.docs or "") for case in enum_cases]
            case Flags(flags):
                kind = "flags"
                members = [Member(Name(flag.name), None, flag.docs or "") for flag in flags]
            case Resource():
                kind = "resource"
            case Alias(type_):
                target = self._use(type_)
                if not isinstance(type_, Primitive) and self._resolve.types[type_].owner != type_def.owner:
                    kind = "use" if self._resolve.types[type_].name is not None else "type"
            case _:
                target = self._structure(type_def.kind)
        return Definition(
            Name(name),
            kind,
            tuple(members),
            tuple(map(self._function, functions)),
            target,
            type_def.docs or "",
            _since(type_def.stability),
        )

    # --- Functions ------------------------------------------------------------------------------------------

    def _freestanding(self, functions: Iterable[Function]) -> tuple[FunctionOutline, ...]:
        return tuple(self._function(function) for function in functions if function.kind.resource is None)

    def _function(self, function: Function) -> FunctionOutline:
        shape = function.kind.shape
        kind = _KINDS[shape]
        taken = function.params[1:] if shape in _WITH_SELF else function.params
        params = tuple(ParamOutline(Name(param.name), self._use(param.type)) for param in taken)
        result = self._optional(function.result)
        # `[method]r.m`, `[constructor]r`: the last part is what WIT text names.
        name = Name("new" if kind == "constructor" else function.name.rpartition("]")[2].rpartition(".")[2])
        listed = ", ".join(f"{escape_name(param.name)}: {param.type.text}" for param in params)
        if kind == "constructor":
            text = f"constructor({listed})"
        else:
            static = "static " if shape.value.startswith("static") or kind == "static" else ""
            before = f"{static}{'async ' if shape.is_async else ''}"
            text = f"{escape_name(name)}: {before}{_KEYWORDS[kind]}({listed})"
        own_type = kind == "constructor" and result is not None and result.kind == "own"
        if result is not None and not own_type:
            text += f" -> {result.text}"
        docs, since = function.docs or "", _since(function.stability)
        return FunctionOutline(name, kind, params, result, shape.is_async, text, docs, since)

    # --- Types ----------------------------------------------------------------------------------------------

    def _optional(self, type_: Type | None) -> TypeUse | None:
        return None if type_ is None else self._use(type_)

    def _use(self, type_: Type) -> TypeUse:
        if isinstance(type_, Primitive):
            return TypeUse(type_.value, type_.value)
        type_def = self._resolve.types[type_]
        if type_def.name is None:
            return self._structure(type_def.kind)
        owner = self._owner(type_def.owner)
        return TypeUse("named", escape_name(type_def.name), name=Name(type_def.name), owner=owner)

    def _owner(self, owner: Owner) -> str | None:
        if isinstance(owner, InterfaceOwner):
            return self._resolve.interface_name(owner.interface)
        return None if owner is None else self._resolve.worlds[owner.world].name

    def _structure(self, kind: TypeKind) -> TypeUse:
        match kind:
            case Tuple(types):
                return _generic("tuple", *map(self._use, types))
            case Option(type_):
                return _generic("option", self._use(type_))
            case List(type_):
                return _generic("list", self._use(type_))
            case FixedLengthList(type_, length):
                part = self._use(type_)
                text = f"list<{part.text}, {length}>"
                return TypeUse("fixed-length-list", text, (part,), length=length)
            case Map(key, value):
                return _generic("map", self._use(key), self._use(value))
            case Future(payload):
                return _generic("future", *([] if payload is None else [self._use(payload)]))
            case Stream(payload):
                return _generic("stream", *([] if payload is None else [self._use(payload)]))
            case Result(ok, err):
                return _result(self._optional(ok), self._optional(err))
            case Own(resource):
                part = self._use(resource)
                return TypeUse("own", part.text, (part,))
            case Borrow(resource):
                return _generic("borrow", self._use(resource))
            case Alias(type_):
                return self._use(type_)
            case Record() | Flags() | Variant() | Enum() | Resource():
                raise AssertionError("a type that needs a name has none")
            case _:
                assert_never(kind)


def _generic(kind: str, *parts: TypeUse) -> TypeUse:
    listed = ", ".join(part.text for part in parts)
    return TypeUse(kind, f"{kind}<{listed}>" if parts else kind, parts)


def _result(ok: TypeUse | None, err: TypeUse | None) -> TypeUse:
    parts = tuple(part for part in (ok, err) if part is not None)
    if err is not None:
        text = f"result<{'_' if ok is None else ok.text}, {err.text}>"
    else:
        text = "result" if ok is None else f"result<{ok.text}>"
    return TypeUse("result", text, parts, ok, err)


def _since(stability: Stability) -> str | None:
    return stability.since if isinstance(stability, Stable) else None

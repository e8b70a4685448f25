"""The IR as the JSON form that `wasm-tools component wit --json` prints.

The four tables of a `Resolve` become four arrays that refer to each other by index. Keys come in the order
in which wasm-tools prints them, so `render_json` gives the same text, byte for byte.
"""

from __future__ import annotations

from json.encoder import encode_basestring as _quoted
from typing import Any, TypeAlias, assert_never

from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Case,
    Enum,
    EnumCase,
    Field,
    FixedLengthList,
    Flag,
    Flags,
    Function,
    FunctionKind,
    Future,
    Interface,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    Owner,
    Package,
    Param,
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
    TypeKind,
    Unstable,
    Variant,
    World,
    WorldFunction,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)

JsonObject: TypeAlias = dict[str, Any]


def to_json(resolve: Resolve) -> JsonObject:
    """The JSON form of `resolve`, made of dicts, lists, strings, numbers and None."""
    return {
        "worlds": [_world(world) for world in resolve.worlds],
        "interfaces": [_interface(interface) for interface in resolve.interfaces],
        "types": [_type_def(type_def) for type_def in resolve.types],
        "packages": [_package(package) for package in resolve.packages],
    }


def render_json(resolve: Resolve) -> str:
    """The JSON form of `resolve` as text, indented by two, without a final newline."""
    return _render(to_json(resolve), "\n")


def _render(value: Any, line: str) -> str:
    """`value` as indented JSON text; `line` is a line break and the indentation.

    What `json.dumps` does with `indent=2`, in a third of the time: with an indentation, that is Python too.
    """
    if type(value) is str:
        return _quoted(value)
    if type(value) is dict:
        if not value:
            return "{}"
        inner = f"{line}  "
        entries = [f"{_quoted(key)}: {_render(entry, inner)}" for key, entry in value.items()]
        return f"{{{inner}{f',{inner}'.join(entries)}{line}}}"
    if type(value) is list:
        if not value:
            return "[]"
        inner = f"{line}  "
        return f"[{inner}{f',{inner}'.join([_render(entry, inner) for entry in value])}{line}]"
    return "null" if value is None else str(value)


def stability_json(stability: Stable | Unstable) -> JsonObject:
    """A gate, as the JSON form and the `package-docs` section of a binary WIT package write it."""
    content: JsonObject
    match stability:
        case Stable(since, deprecated):
            name, content = "stable", {"since": since}
        case Unstable(feature, deprecated):
            name, content = "unstable", {"feature": feature}
        case _:
            assert_never(stability)
    if deprecated is not None:
        content["deprecated"] = deprecated
    return {name: content}


def _add_details(out: JsonObject, docs: str | None, stability: Stability, external_id: str | None) -> None:
    if docs is not None:
        out["docs"] = {"contents": docs}
    if stability is not None:
        out["stability"] = stability_json(stability)
    if external_id is not None:
        out["external_id"] = external_id


def _world(world: World) -> JsonObject:
    out: JsonObject = {
        "name": world.name,
        "imports": {_world_key(key): _world_item(item) for key, item in world.imports.items()},
        "exports": {_world_key(key): _world_item(item) for key, item in world.exports.items()},
        "package": world.package,
    }
    _add_details(out, world.docs, world.stability, None)
    return out


def _world_key(key: WorldKey) -> str:
    return key if isinstance(key, str) else f"interface-{key}"


def _world_item(item: WorldItem) -> JsonObject:
    match item:
        case WorldInterface():
            content: JsonObject = {"id": item.interface}
            if item.stability is not None:
                content["stability"] = stability_json(item.stability)
            if item.external_id is not None:
                content["external_id"] = item.external_id
            if item.docs is not None:
                content["docs"] = {"contents": item.docs}
            return {"interface": content}
        case WorldFunction():
            return {"function": _function(item.function)}
        case WorldType():
            return {"type": item.type}
        case _:
            assert_never(item)


def _interface(interface: Interface) -> JsonObject:
    out: JsonObject = {
        "name": interface.name,
        "types": dict(interface.types),
        "functions": {name: _function(function) for name, function in interface.functions.items()},
    }
    _add_details(out, interface.docs, interface.stability, None)
    out["package"] = interface.package
    if interface.clone_of is not None:
        out["clone_of"] = interface.clone_of
    return out


def _function(function: Function) -> JsonObject:
    out: JsonObject = {
        "name": function.name,
        "kind": _function_kind(function.kind),
        "params": [_param(param) for param in function.params],
    }
    if function.result is not None:
        out["result"] = _type(function.result)
    _add_details(out, function.docs, function.stability, function.external_id)
    return out


def _function_kind(kind: FunctionKind) -> str | JsonObject:
    return kind.shape.value if kind.resource is None else {kind.shape.value: kind.resource}


def _param(param: Param) -> JsonObject:
    return {"name": param.name, "type": _type(param.type)}


def _type(type_: Type) -> str | int:
    return type_.value if isinstance(type_, Primitive) else type_


def _optional_type(type_: Type | None) -> str | int | None:
    return None if type_ is None else _type(type_)


def _type_def(type_def: TypeDef) -> JsonObject:
    out: JsonObject = {
        "name": type_def.name,
        "kind": _type_kind(type_def.kind),
        "owner": _owner(type_def.owner),
    }
    _add_details(out, type_def.docs, type_def.stability, type_def.external_id)
    return out


def _owner(owner: Owner) -> JsonObject | None:
    match owner:
        case None:
            return None
        case WorldOwner(world):
            return {"world": world}
        case InterfaceOwner(interface):
            return {"interface": interface}
        case _:
            assert_never(owner)


def _member(member: Field | Flag | Case | EnumCase) -> JsonObject:
    out: JsonObject = {"name": member.name}
    if isinstance(member, Field | Case):
        out["type"] = _optional_type(member.type)
    if member.docs is not None:
        out["docs"] = {"contents": member.docs}
    return out


def _type_kind(kind: TypeKind) -> str | JsonObject:
    match kind:
        case Record(fields):
            return {"record": {"fields": [_member(field) for field in fields]}}
        case Flags(flags):
            return {"flags": {"flags": [_member(flag) for flag in flags]}}
        case Tuple(types):
            return {"tuple": {"types": [_type(type_) for type_ in types]}}
        case Variant(cases):
            return {"variant": {"cases": [_member(case) for case in cases]}}
        case Enum(enum_cases):
            return {"enum": {"cases": [_member(case) for case in enum_cases]}}
        case Option(type_):
            return {"option": _type(type_)}
        case Result(ok, err):
            return {"result": {"ok": _optional_type(ok), "err": _optional_type(err)}}
        case List(type_):
            return {"list": _type(type_)}
        case FixedLengthList(type_, length):
            return {"fixed-length-list": [_type(type_), length]}
        case Map(key, value):
            return {"map": [_type(key), _type(value)]}
        case Future(payload):
            return {"future": _optional_type(payload)}
        case Stream(payload):
            return {"stream": _optional_type(payload)}
        case Own(resource):
            return {"handle": {"own": resource}}
        case Borrow(resource):
            return {"handle": {"borrow": resource}}
        case Resource():
            return "resource"
        case Alias(type_):
            return {"type": _type(type_)}
        case _:
            assert_never(kind)


def _package(package: Package) -> JsonObject:
    out: JsonObject = {"name": str(package.name)}
    if package.docs is not None:
        out["docs"] = {"contents": package.docs}
    out["interfaces"] = dict(package.interfaces)
    out["worlds"] = dict(package.worlds)
    return out

"""The inverse of `ingen_sdkgen.model_json`, so that tests get an IR from what wasm-tools prints."""

from __future__ import annotations

from typing import Any

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
    FunctionShape,
    Future,
    Interface,
    InterfaceId,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    Owner,
    Package,
    PackageId,
    PackageName,
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
    TypeId,
    TypeKind,
    Unstable,
    Variant,
    World,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)


def from_json(obj: dict[str, Any], main: str | None = None) -> Resolve:
    """The IR that has `obj` as its JSON form; `main` names the main package (default: the last one)."""
    names = [package["name"] for package in obj["packages"]]
    return Resolve(
        worlds=tuple(_world(world) for world in obj["worlds"]),
        interfaces=tuple(_interface(interface) for interface in obj["interfaces"]),
        types=tuple(_type_def(type_def) for type_def in obj["types"]),
        packages=tuple(_package(package) for package in obj["packages"]),
        main=PackageId(len(names) - 1 if main is None else names.index(main)),
    )


def _docs(obj: dict[str, Any]) -> str | None:
    docs: dict[str, str | None] = obj.get("docs", {})
    return docs.get("contents")


def _stability(obj: dict[str, Any]) -> Stability:
    match obj.get("stability"):
        case None:
            return None
        case {"stable": content}:
            return Stable(content["since"], content.get("deprecated"))
        case {"unstable": content}:
            return Unstable(content["feature"], content.get("deprecated"))
        case other:
            raise AssertionError(other)


def _world(obj: dict[str, Any]) -> World:
    return World(
        name=obj["name"],
        imports={_world_key(key): _world_item(item) for key, item in obj["imports"].items()},
        exports={_world_key(key): _world_item(item) for key, item in obj["exports"].items()},
        package=PackageId(obj["package"]),
        docs=_docs(obj),
        stability=_stability(obj),
    )


def _world_key(key: str) -> WorldKey:
    # A plain name of this form would be read wrong; the inputs of the tests have none.
    prefix, _, number = key.rpartition("-")
    return InterfaceId(int(number)) if prefix == "interface" and number.isdecimal() else key


def _world_item(obj: dict[str, Any]) -> WorldItem:
    match obj:
        case {"interface": content}:
            return WorldInterface(
                InterfaceId(content["id"]), _stability(content), content.get("external_id"), _docs(content)
            )
        case {"function": content}:
            return WorldFunction(_function(content))
        case {"type": index}:
            return WorldType(TypeId(index))
        case other:
            raise AssertionError(other)


def _interface(obj: dict[str, Any]) -> Interface:
    return Interface(
        name=obj["name"],
        types={name: TypeId(index) for name, index in obj["types"].items()},
        functions={name: _function(function) for name, function in obj["functions"].items()},
        package=PackageId(obj["package"]),
        docs=_docs(obj),
        stability=_stability(obj),
        clone_of=InterfaceId(obj["clone_of"]) if "clone_of" in obj else None,
    )


def _function(obj: dict[str, Any]) -> Function:
    kind = obj["kind"]
    shape, resource = (kind, None) if isinstance(kind, str) else next(iter(kind.items()))
    return Function(
        name=obj["name"],
        kind=FunctionKind(FunctionShape(shape), resource),
        params=tuple(Param(param["name"], _type(param["type"])) for param in obj["params"]),
        result=_optional_type(obj.get("result")),
        docs=_docs(obj),
        stability=_stability(obj),
        external_id=obj.get("external_id"),
    )


def _type(obj: str | int) -> Type:
    return Primitive(obj) if isinstance(obj, str) else TypeId(obj)


def _optional_type(obj: str | int | None) -> Type | None:
    return None if obj is None else _type(obj)


def _type_def(obj: dict[str, Any]) -> TypeDef:
    return TypeDef(
        name=obj["name"],
        kind=_type_kind(obj["kind"]),
        owner=_owner(obj["owner"]),
        docs=_docs(obj),
        stability=_stability(obj),
        external_id=obj.get("external_id"),
    )


def _owner(obj: dict[str, int] | None) -> Owner:
    match obj:
        case None:
            return None
        case {"world": index}:
            return WorldOwner(WorldId(index))
        case {"interface": index}:
            return InterfaceOwner(InterfaceId(index))
        case other:
            raise AssertionError(other)


def _type_kind(obj: Any) -> TypeKind:
    match obj:
        case "resource":
            return Resource()
        case {"record": {"fields": fields}}:
            return Record(tuple(Field(f["name"], _type(f["type"]), _docs(f)) for f in fields))
        case {"flags": {"flags": flags}}:
            return Flags(tuple(Flag(f["name"], _docs(f)) for f in flags))
        case {"tuple": {"types": types}}:
            return Tuple(tuple(_type(type_) for type_ in types))
        case {"variant": {"cases": cases}}:
            return Variant(tuple(Case(c["name"], _optional_type(c["type"]), _docs(c)) for c in cases))
        case {"enum": {"cases": cases}}:
            return Enum(tuple(EnumCase(c["name"], _docs(c)) for c in cases))
        case {"option": type_}:
            return Option(_type(type_))
        case {"result": {"ok": ok, "err": err}}:
            return Result(_optional_type(ok), _optional_type(err))
        case {"list": type_}:
            return List(_type(type_))
        case {"fixed-length-list": [type_, length]}:
            return FixedLengthList(_type(type_), length)
        case {"map": [key, value]}:
            return Map(_type(key), _type(value))
        case {"future": type_}:
            return Future(_optional_type(type_))
        case {"stream": type_}:
            return Stream(_optional_type(type_))
        case {"handle": {"own": resource}}:
            return Own(TypeId(resource))
        case {"handle": {"borrow": resource}}:
            return Borrow(TypeId(resource))
        case {"type": type_}:
            return Alias(_type(type_))
        case other:
            raise AssertionError(other)


def _package(obj: dict[str, Any]) -> Package:
    name, _, version = obj["name"].partition("@")
    namespace, _, package = name.partition(":")
    return Package(
        name=PackageName(namespace, package, version or None),
        interfaces={key: InterfaceId(index) for key, index in obj["interfaces"].items()},
        worlds={key: WorldId(index) for key, index in obj["worlds"].items()},
        docs=_docs(obj),
    )

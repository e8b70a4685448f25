"""Interfaces and worlds as component types.

Which types are defined where, and in which order, follows wit-component, so that the bytes are the same and
every reader of its output reads ours.

Source: Binary.md, "Type Definitions"; WIT.md, "Package Format".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from ingen_sdkgen.encode.checks import check_length, check_payload
from ingen_sdkgen.encode.errors import EncodeError
from ingen_sdkgen.encode.scope import (
    PRIMITIVE_BYTES,
    Scope,
    ScopeKind,
    extern_name,
    signed,
    string,
    unsigned,
    vector,
)
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Function,
    Future,
    InterfaceId,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resolve,
    Resource,
    Result,
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
    WorldKey,
    WorldType,
)

_Signature: TypeAlias = tuple[tuple[tuple[str, Type], ...], Type | None, bool]


def encode_interface(resolve: Resolve, interface: InterfaceId) -> bytes:
    """A component type that exports an instance: the interface. It imports what the interface uses."""
    encoder = _TypeEncoder(resolve)
    for used in _used_interfaces(resolve, interface):
        encoder.import_types_of(used)
    encoder.instance(extern_name(_interface_name(resolve, interface)), interface, imported=False)
    return encoder.outer.finish()


def encode_world(resolve: Resolve, world: WorldId) -> bytes:
    """A component type that imports and exports what the world does."""
    encoder = _TypeEncoder(resolve)
    content = resolve.worlds[world]
    # What belongs to a resource stands in its body in WIT text, after the other functions in binary form.
    imports = sorted(
        content.imports.items(),
        key=lambda item: isinstance(item[1], WorldFunction) and item[1].function.kind.resource is not None,
    )
    for key, item in imports:
        match item:
            case WorldInterface():
                encoder.world_interface(key, item, imported=True)
            case WorldFunction(function):
                encoder.function(encoder.outer, function, imported=True)
            case WorldType(type_id):
                encoder.world_type(type_id)
            case _:
                assert_never(item)
    for key, item in content.exports.items():
        match item:
            case WorldInterface():
                encoder.world_interface(key, item, imported=False)
            case WorldFunction(function):
                encoder.function(encoder.outer, function, imported=False)
            case WorldType():
                raise AssertionError("a world's types are among its imports")
            case _:
                assert_never(item)
    return encoder.outer.finish()


def _interface_name(resolve: Resolve, interface: InterfaceId) -> str:
    name = resolve.interface_name(interface)
    assert name is not None, "an interface of a package has a name"
    return name


def _direct_uses(resolve: Resolve, interface: InterfaceId) -> list[InterfaceId]:
    uses = []
    for type_id in resolve.interfaces[interface].types.values():
        kind = resolve.types[type_id].kind
        if isinstance(kind, Alias) and not isinstance(kind.type, Primitive):
            owner = resolve.types[kind.type].owner
            if isinstance(owner, InterfaceOwner) and owner.interface != interface:
                uses.append(owner.interface)
    return uses


def _used_interfaces(resolve: Resolve, interface: InterfaceId) -> list[InterfaceId]:
    """All interfaces that `interface` takes types from, directly or not; each after those it uses itself."""
    found: dict[InterfaceId, None] = {}
    pending = [(interface, iter(_direct_uses(resolve, interface)))]
    entered = {interface}
    while pending:
        current, uses = pending[-1]
        used = next(uses, None)
        if used is None:
            pending.pop()
            found[current] = None
        elif used not in entered:
            entered.add(used)
            pending.append((used, iter(_direct_uses(resolve, used))))
    return [used for used in found if used != interface]


@dataclass(slots=True)
class _Indices:
    """The types of the IR that a scope has already, by their index there."""

    types: dict[TypeId, int] = field(default_factory=dict)
    functions: dict[_Signature, int] = field(default_factory=dict)


@dataclass(slots=True)
class _TypeEncoder:
    """Writes one component type, `outer`, and the instance types in it.

    `interface` is the interface whose types are being defined, None for those of a world. `instances` has
    the instance of `outer` to take an interface's types from; `aliases` what was taken already.
    """

    resolve: Resolve
    outer: Scope = field(default_factory=lambda: Scope(ScopeKind.COMPONENT))
    scope: Scope = field(init=False)
    indices: _Indices = field(default_factory=_Indices)
    interface: InterfaceId | None = None
    instances: dict[InterfaceId, int] = field(default_factory=dict)
    aliases: dict[TypeId, int] = field(default_factory=dict)
    imports_types: bool = False

    def __post_init__(self) -> None:
        self.scope = self.outer

    # --- Instances ----------------------------------------------------------------------------------------

    def world_interface(self, key: WorldKey, item: WorldInterface, *, imported: bool) -> None:
        path = self.resolve.interface_name(item.interface)
        if isinstance(key, str):
            name = extern_name(key, path, item.external_id)
        else:
            name = extern_name(_interface_name(self.resolve, item.interface), None, item.external_id)
        self.instance(name, item.interface, imported=imported)

    def instance(self, name: bytes, interface: InterfaceId, *, imported: bool) -> None:
        """Import or export an instance with all types and functions of `interface`."""
        content = self.resolve.interfaces[interface]
        outer_indices = self.enter(interface)
        order = {}
        for number, type_id in enumerate(content.types.values()):
            self.valtype(type_id)
            order[type_id] = number
        # As in text, what belongs to a resource comes before the other functions.
        functions = sorted(
            content.functions.values(),
            key=lambda f: len(order) if f.kind.resource is None else order[f.kind.resource],
        )
        for function in functions:
            self.function(self.scope, function, imported=False)
        self.leave(name, interface, outer_indices, imported=imported)

    def import_types_of(self, interface: InterfaceId) -> None:
        """Import an instance with the types of `interface`, without its functions."""
        outer_indices = self.enter(interface)
        for type_id in self.resolve.interfaces[interface].types.values():
            self.valtype(type_id)
        name = extern_name(_interface_name(self.resolve, interface))
        self.leave(name, interface, outer_indices, imported=True)

    def enter(self, interface: InterfaceId) -> _Indices:
        outer_indices = self.indices
        self.indices = _Indices()
        self.scope = Scope(ScopeKind.INSTANCE)
        self.interface = interface
        return outer_indices

    def leave(self, name: bytes, interface: InterfaceId, indices: _Indices, *, imported: bool) -> None:
        index = self.outer.define_type(self.scope.finish())
        self.instances[interface] = self.outer.instance(name, index, imported=imported)
        self.scope = self.outer
        self.indices = indices
        self.interface = None

    # --- Functions ----------------------------------------------------------------------------------------

    def function(self, scope: Scope, function: Function, *, imported: bool) -> None:
        index = self.function_type(function)
        scope.function(extern_name(function.name, None, function.external_id), index, imported=imported)

    def function_type(self, function: Function) -> int:
        is_async = function.kind.shape.is_async
        params = tuple((param.name, param.type) for param in function.params)
        signature = (params, function.result, is_async)
        index = self.indices.functions.get(signature)
        if index is None:
            encoded_params = vector([string(name) + self.valtype(type_) for name, type_ in params])
            result = b"\x01\x00" if function.result is None else b"\x00" + self.valtype(function.result)
            tag = b"\x43" if is_async else b"\x40"
            index = self.scope.define_type(tag + encoded_params + result)
            self.indices.functions[signature] = index
        return index

    # --- Value types --------------------------------------------------------------------------------------

    def world_type(self, type_id: TypeId) -> None:
        """Import a type of a world."""
        self.imports_types = True
        self.valtype(type_id)
        self.imports_types = False

    def valtype(self, type_: Type) -> bytes:
        """A use of `type_`, after defining in the current scope what is missing there."""
        if isinstance(type_, Primitive):
            return bytes([PRIMITIVE_BYTES[type_]])
        return signed(self.type_index(type_))

    def optional_valtype(self, type_: Type | None) -> bytes:
        return b"\x00" if type_ is None else b"\x01" + self.valtype(type_)

    def type_index(self, type_id: TypeId) -> int:
        index = self.indices.types.get(type_id)
        if index is not None:
            return index
        type_def = self.resolve.types[type_id]
        owner = type_def.owner
        if isinstance(owner, InterfaceOwner) and owner.interface != self.interface:
            index = self.foreign_type(owner.interface, type_id)
        else:
            index = self.define(type_def)
        self.indices.types[type_id] = index
        return index

    def foreign_type(self, interface: InterfaceId, type_id: TypeId) -> int:
        """A type of another interface, by way of the instance that was imported or exported for that one."""
        index = self.aliases.get(type_id)
        if index is None:
            name = self.resolve.types[type_id].name
            assert name is not None, "a type with an owner has a name"
            instance = self.instances.get(interface)
            if instance is None:
                # WIT text cannot say this, a component can: types that are equal by way of another instance.
                used = _interface_name(self.resolve, interface)
                raise EncodeError(
                    f"the type `{name}` of `{used}` is used where that interface is not at hand"
                )
            index = self.outer.alias_export(instance, name)
            self.aliases[type_id] = index
        return index if self.scope is self.outer else self.scope.alias_outer(index)

    def define(self, type_def: TypeDef) -> int:
        kind = type_def.kind
        if type_def.name is None:
            return self.scope.define_type(self.definition(kind))
        name = extern_name(type_def.name, None, type_def.external_id)
        match kind:
            case Resource():
                return self.scope.resource(name, imported=self.imports_types)
            case Alias(aliased) if not isinstance(aliased, Primitive):
                index = self.type_index(aliased)
            case _:
                index = self.scope.define_type(self.definition(kind))
        return self.scope.type_equal(name, index, imported=self.imports_types)

    def definition(self, kind: TypeKind) -> bytes:
        match kind:
            case Record(fields):
                return b"\x72" + vector([string(f.name) + self.valtype(f.type) for f in fields])
            case Variant(cases):
                return b"\x71" + vector(
                    [string(case.name) + self.optional_valtype(case.type) + b"\x00" for case in cases]
                )
            case List(type_):
                return b"\x70" + self.valtype(type_)
            case Tuple(types):
                return b"\x6f" + vector([self.valtype(type_) for type_ in types])
            case Flags(flags):
                return b"\x6e" + vector([string(flag.name) for flag in flags])
            case Enum(enum_cases):
                return b"\x6d" + vector([string(case.name) for case in enum_cases])
            case Option(type_):
                return b"\x6b" + self.valtype(type_)
            case Result(ok, err):
                return b"\x6a" + self.optional_valtype(ok) + self.optional_valtype(err)
            case Own(resource):
                return b"\x69" + unsigned(self.type_index(resource))
            case Borrow(resource):
                return b"\x68" + unsigned(self.type_index(resource))
            case FixedLengthList(type_, length):
                check_length(length)
                return b"\x67" + self.valtype(type_) + unsigned(length)
            case Stream(payload):
                check_payload(self.resolve, kind)
                return b"\x66" + self.optional_valtype(payload)
            case Future(payload):
                check_payload(self.resolve, kind)
                return b"\x65" + self.optional_valtype(payload)
            case Map(key, value):
                return b"\x63" + self.valtype(key) + self.valtype(value)
            case Alias(type_):
                return self.valtype(type_)
            case Resource():
                raise AssertionError("a resource has a name")
            case _:
                assert_never(kind)

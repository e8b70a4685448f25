"""From evaluated types to the tables of the IR.

Things are numbered in the order in which they are met, as wasm-tools does it, so that the IR has the same
JSON form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from ingen_runtime.component.binary import syntax as s
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode.checks import (
    MAX_FLAGS,
    check_function,
    check_map_key,
    check_members,
    check_names,
)
from ingen_sdkgen.decode.drafts import Drafts, InterfaceDraft, PackageDraft, WorldDraft
from ingen_sdkgen.decode.evaluation import (
    Extern,
    Externs,
    FuncNode,
    InstanceNode,
    ResourceMark,
    TypeNode,
)
from ingen_sdkgen.decode.names import (
    check_label,
    full_name,
    is_label,
    parse_function_name,
    parse_interface_name,
)
from ingen_sdkgen.decode.structure import definition_structure, kind_structure
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
    InterfaceId,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    PackageId,
    PackageName,
    Param,
    Primitive,
    Record,
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
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)

MAX_TYPE_NESTING = 100
"""How deep types may nest in types without a name in between; WIT text has the same limit."""

_PRIMITIVES = {primitive: Primitive(primitive.value) for primitive in PrimitiveType}
_Owner: TypeAlias = WorldOwner | InterfaceOwner


@dataclass(slots=True)
class Builder:
    """Fills `drafts`; `main` is the package that the binary describes, the others are what it uses.

    `full_names` has the interfaces that were met, by full name, and whether the main package defines them:
    of other interfaces only what is used is known, so they grow. `resources` has the resource types by
    owner and name, for the functions that belong to them; `borrowing` the types with a borrow in them.
    """

    main: PackageDraft
    drafts: Drafts = field(default_factory=Drafts)
    types: dict[TypeNode, TypeId] = field(default_factory=dict)
    full_names: dict[str, tuple[InterfaceId, bool]] = field(default_factory=dict)
    foreign: dict[PackageName, PackageDraft] = field(default_factory=dict)
    foreign_of: dict[InterfaceId, PackageName] = field(default_factory=dict)
    resources: dict[tuple[_Owner, str], TypeId] = field(default_factory=dict)
    borrowing: set[TypeId] = field(default_factory=set)
    nesting: int = 0

    # --- Interfaces and worlds ----------------------------------------------------------------------------

    def define_interface(self, extern: Extern, imports: list[Extern]) -> PackageName:
        """Define an interface of the main package; `imports` are the interfaces that it uses."""
        for used in imports:
            self.used_interface(full_name(used.name), used)
        package, _ = parse_interface_name(full_name(extern.name), extern.offset)
        self.interface(extern, own=True)
        return package

    def define_world(self, name: s.ExternName, externs: Externs, offset: int) -> PackageName:
        """Define a world of the main package."""
        package, plain = parse_interface_name(full_name(name), offset)
        if plain in self.main.worlds:
            raise ComponentFormatError(f"the world `{plain}` is defined twice", offset)
        world = self.drafts.add_world(WorldDraft(plain))
        self.main.worlds[plain] = world
        self.fill_world(world, externs)
        return package

    def fill_world(self, world: WorldId, externs: Externs, *, of_component: bool = False) -> None:
        """Give a world its items. A component may import and export what no world can: that is left out."""
        draft = self.drafts.worlds[world]
        for items, listed in ((draft.imports, externs.imports), (draft.exports, externs.exports)):
            for extern in listed:
                if isinstance(extern.entity, TypeNode) and items is draft.exports:
                    raise ComponentFormatError(
                        f"the export `{extern.name}` is a type, which WIT cannot express", extern.offset
                    )
                key_and_item = self.world_item(extern, world)
                if key_and_item is not None:
                    key, item = key_and_item
                    if key in items:
                        raise ComponentFormatError(f"`{extern.name}` appears twice", extern.offset)
                    items[key] = item
                elif not of_component or items is draft.exports:
                    raise ComponentFormatError(
                        f"`{extern.name}` is no function, interface or type, so WIT cannot express it",
                        extern.offset,
                    )

    def world_item(self, extern: Extern, world: WorldId) -> tuple[WorldKey, WorldItem] | None:
        match extern.entity:
            case InstanceNode():
                key, interface = self.interface(extern, own=False)
                return key, WorldInterface(interface, external_id=extern.name.external_id)
            case FuncNode() as node:
                return extern.name.name, WorldFunction(self.function(extern, node, WorldOwner(world)))
            case TypeNode() as node:
                return extern.name.name, WorldType(self.named_type(extern, node, WorldOwner(world)))
            case _:
                return None

    def interface(self, extern: Extern, *, own: bool) -> tuple[WorldKey, InterfaceId]:
        """The interface that an instance stands for: one with a full name, or one written in place.

        With `own` it is a definition of the main package.
        """
        name = full_name(extern.name)
        if extern.name.implements is not None:
            check_label(name, "a labelled instance", extern.offset)
            return name, self.used_interface(extern.name.implements, extern)
        if is_label(name):
            return name, self.new_interface(None, extern)
        if name in self.full_names or not own:
            interface = self.used_interface(name, extern)
            return interface, interface
        _, plain = parse_interface_name(name, extern.offset)
        interface = self.new_interface(plain, extern)
        self.main.interfaces[plain] = interface
        self.full_names[name] = interface, True
        return interface, interface

    def new_interface(self, name: str | None, extern: Extern) -> InterfaceId:
        interface = self.drafts.add_interface(InterfaceDraft(name))
        self.fill_interface(interface, extern, complete=False)
        return interface

    def used_interface(self, name: str, extern: Extern) -> InterfaceId:
        """An interface that is known, or else the part that is seen here of one in another package."""
        known = self.full_names.get(name)
        if known is None:
            package, plain = parse_interface_name(name, extern.offset)
            interface = self.drafts.add_interface(InterfaceDraft(plain))
            self.full_names[name] = interface, False
            self.foreign.setdefault(package, PackageDraft(package)).interfaces[plain] = interface
            self.foreign_of[interface] = package
            known = interface, False
        interface, complete = known
        self.fill_interface(interface, extern, complete=complete)
        return interface

    def fill_interface(self, interface: InterfaceId, extern: Extern, *, complete: bool) -> None:
        """Add what is missing in `interface`, and connect its types with those of the instance."""
        if not isinstance(extern.entity, InstanceNode):
            raise ComponentFormatError(f"`{extern.name}` is not an instance", extern.offset)
        draft = self.drafts.interfaces[interface]
        owner = InterfaceOwner(interface)
        for name, item in extern.entity.exports.items():
            present: Mapping[str, object] = draft.types if item.sort is s.Sort.TYPE else draft.functions
            if complete and name not in present:
                raise ComponentFormatError(
                    f"`{extern.name}` has no `{name}` where it is defined", item.offset
                )
            match item.entity:
                case TypeNode() as node:
                    type_id = draft.types.get(name)
                    if type_id is None:
                        draft.types[name] = self.named_type(item, node, owner)
                    else:
                        self.connect(type_id, node.alias_of or node, item.offset)
                        self.types[node] = type_id
                case FuncNode() as node:
                    if name not in draft.functions:
                        draft.functions[name] = self.function(item, node, owner)
                case _:
                    raise ComponentFormatError(
                        f"`{name}` in `{extern.name}` is neither a function nor a type", item.offset
                    )

    # --- Functions ----------------------------------------------------------------------------------------

    def function(self, extern: Extern, node: FuncNode, owner: _Owner) -> Function:
        name = extern.name.name
        shape, resource_name = parse_function_name(name, node.definition.is_async, extern.offset)
        resource = None
        if resource_name is not None:
            resource = self.resources.get((owner, resource_name))
            if resource is None:
                raise ComponentFormatError(
                    f"`{name}` belongs to `{resource_name}`, which is no resource here", extern.offset
                )
        check_names([label for label, _ in node.definition.params], "a parameter", extern.offset)
        params = tuple(
            Param(label, self.value_type(node.scope.value_type(type_), extern.offset))
            for label, type_ in node.definition.params
        )
        result = None
        if node.definition.result is not None:
            result = self.value_type(node.scope.value_type(node.definition.result), extern.offset)
        function = Function(
            name, FunctionKind(shape, resource), params, result, external_id=extern.name.external_id
        )
        check_function(function, self.drafts.types, self.borrowing, extern.offset)
        return function

    # --- Types --------------------------------------------------------------------------------------------

    def named_type(self, extern: Extern, node: TypeNode, owner: _Owner) -> TypeId:
        """Define the type that is exported or imported here: another name for a known one, or a new one."""
        name = check_label(extern.name.name, "a type", extern.offset)
        definition = node.alias_of or node
        known = self.find_alias(definition)
        kind = Alias(known) if known is not None else self.definition(definition, extern.offset)
        type_id = self.add_type(TypeDef(name, kind, owner, external_id=extern.name.external_id))
        if isinstance(kind, Resource):
            self.resources[owner, name] = type_id
        self.types[node] = type_id
        return type_id

    def find_alias(self, node: TypeNode) -> TypeId | None:
        """The type that `node`, or what it is an alias of, is in the IR."""
        current: TypeNode | None = node
        while current is not None:
            known = self.types.get(current)
            if known is not None:
                return known
            current = current.alias_of
        return None

    def value_type(self, node: PrimitiveType | TypeNode, offset: int) -> Type:
        if isinstance(node, PrimitiveType):
            return _PRIMITIVES[node]
        known = self.types.get(node)
        if known is None:
            self.enter_type(offset)
            kind = self.definition(node, offset)
            self.nesting -= 1
            match kind:
                case Record() | Variant() | Enum() | Flags() | Resource():
                    what = type(kind).__name__.lower()
                    raise ComponentFormatError(f"a {what} type has no name, so WIT cannot express it", offset)
                case _:
                    known = self.add_type(TypeDef(None, kind, None))
            self.types[node] = known
        return known

    def add_type(self, type_def: TypeDef) -> TypeId:
        type_id = self.drafts.add_type(type_def)
        _, types = kind_structure(type_def.kind)
        if isinstance(type_def.kind, Borrow) or not self.borrowing.isdisjoint(types):
            self.borrowing.add(type_id)
        return type_id

    def enter_type(self, offset: int) -> None:
        self.nesting += 1
        if self.nesting > MAX_TYPE_NESTING:
            raise ComponentFormatError(f"types nest deeper than {MAX_TYPE_NESTING}", offset)

    def optional_type(self, node: TypeNode, reference: s.ValTypeRef | None, offset: int) -> Type | None:
        return None if reference is None else self.value_type(node.resolve(reference), offset)

    def definition(self, node: TypeNode, offset: int) -> TypeKind:
        def use(reference: s.ValTypeRef) -> Type:
            return self.value_type(node.resolve(reference), offset)

        match node.definition:
            case ResourceMark():
                return Resource()
            case PrimitiveType() as primitive:
                return Alias(_PRIMITIVES[primitive])
            case s.RecordDef(fields):
                check_members([name for name, _ in fields], "a field", offset)
                return Record(tuple(Field(name, use(type_)) for name, type_ in fields))
            case s.VariantDef(cases):
                check_members([name for name, _ in cases], "a case", offset)
                return Variant(
                    tuple(Case(name, self.optional_type(node, type_, offset)) for name, type_ in cases)
                )
            case s.ListDef(element, None):
                return List(use(element))
            case s.ListDef(element, length):
                assert length is not None
                return FixedLengthList(use(element), length)
            case s.MapDef(key, value):
                return Map(check_map_key(use(key), offset), use(value))
            case s.TupleDef(types):
                if not types:
                    raise ComponentFormatError("a tuple without types", offset)
                return Tuple(tuple(use(type_) for type_ in types))
            case s.FlagsDef(labels):
                check_members(labels, "a flag", offset)
                if len(labels) > MAX_FLAGS:
                    raise ComponentFormatError(f"more than {MAX_FLAGS} flags in a type", offset)
                return Flags(tuple(Flag(name) for name in labels))
            case s.EnumDef(labels):
                check_members(labels, "a case", offset)
                return Enum(tuple(EnumCase(name) for name in labels))
            case s.OptionDef(type_):
                return Option(use(type_))
            case s.ResultDef(ok, err):
                return Result(self.optional_type(node, ok, offset), self.optional_type(node, err, offset))
            case s.OwnDef(resource):
                return Own(self.resource(node, resource, offset))
            case s.BorrowDef(resource):
                return Borrow(self.resource(node, resource, offset))
            case s.StreamDef(payload):
                return Stream(self.optional_type(node, payload, offset))
            case s.FutureDef(payload):
                return Future(self.optional_type(node, payload, offset))
            case _:
                assert_never(node.definition)

    def resource(self, node: TypeNode, index: int, offset: int) -> TypeId:
        resource = node.resolve(index)
        assert isinstance(resource, TypeNode)
        known = self.find_alias(resource)
        if known is None:
            raise ComponentFormatError("a handle's resource type has no name here", offset)
        return known

    def connect(self, type_id: TypeId, node: TypeNode, offset: int) -> None:
        """Note that the types without a name in `node` are those in the IR's type.

        So that `list<u8>` in an interface does not become two types where the interface appears twice.

        Raises: ComponentFormatError, where the two differ in structure.
        """
        kind = self.drafts.types[type_id].kind
        if isinstance(kind, Alias) and not isinstance(kind.type, Primitive):
            # A type with a name is connected where it is defined.
            return
        mismatch = ComponentFormatError("two definitions of the same type differ", offset)
        shape, references = definition_structure(node.definition)
        known_shape, known_types = kind_structure(kind)
        if shape != known_shape:
            raise mismatch
        for reference, type_ in zip(references, known_types, strict=True):
            child = node.resolve(reference)
            if isinstance(child, PrimitiveType):
                if _PRIMITIVES[child] != type_:
                    raise mismatch
            elif isinstance(type_, Primitive):
                raise mismatch
            elif self.types.setdefault(child, type_) == type_ and self.drafts.types[type_].name is None:
                self.enter_type(offset)
                self.connect(type_, child, offset)
                self.nesting -= 1

    # --- Packages -----------------------------------------------------------------------------------------

    def finish_packages(self) -> PackageId:
        """Put the packages in order, each after those it uses, the main package last; returns its id.

        Where a part of the main package was met as one that is used, it is where that puts it.
        """
        order = self.package_order()
        for name in order:
            self.drafts.add_package(self.foreign[name])
        if self.main.name in self.foreign:
            self.foreign[self.main.name].interfaces.update(self.main.interfaces)
            self.foreign[self.main.name].worlds.update(self.main.worlds)
        else:
            order.append(self.main.name)
            self.drafts.add_package(self.main)
        for number, package in enumerate(self.drafts.packages):
            self.set_package(PackageId(number), package)
        return PackageId(order.index(self.main.name))

    def package_order(self) -> list[PackageName]:
        """The names of the packages that are used, each after those that it uses itself."""
        order: dict[PackageName, None] = {}
        entered: set[PackageName] = set()
        for first in self.foreign:
            pending = [(first, iter(self.packages_used_by(first)))] if first not in entered else []
            entered.add(first)
            while pending:
                name, used = pending[-1]
                following = next(used, None)
                if following is None:
                    pending.pop()
                    order[name] = None
                elif following not in entered:
                    entered.add(following)
                    pending.append((following, iter(self.packages_used_by(following))))
        return list(order)

    def packages_used_by(self, name: PackageName) -> list[PackageName]:
        used = []
        for interface in self.foreign[name].interfaces.values():
            for type_id in self.drafts.interfaces[interface].types.values():
                kind = self.drafts.types[type_id].kind
                if isinstance(kind, Alias) and not isinstance(kind.type, Primitive):
                    owner = self.drafts.types[kind.type].owner
                    if isinstance(owner, InterfaceOwner) and owner.interface in self.foreign_of:
                        used.append(self.foreign_of[owner.interface])
        return used

    def set_package(self, package_id: PackageId, package: PackageDraft) -> None:
        for interface in package.interfaces.values():
            self.drafts.interfaces[interface].package = package_id
        for world_id in package.worlds.values():
            world = self.drafts.worlds[world_id]
            world.package = package_id
            for item in (*world.imports.values(), *world.exports.values()):
                if isinstance(item, WorldInterface):
                    draft = self.drafts.interfaces[item.interface]
                    if draft.name is None:
                        draft.package = package_id

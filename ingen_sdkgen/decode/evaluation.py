"""Evaluates the types of a component: indices become objects, instances get their exports.

A component is run like a program whose values are types. Each definition makes a new object, so that two
types are the same type exactly if they are one object; an export or import of a type makes a new one that
remembers which it is an alias of. Instantiating a component runs its definitions again.

What no WIT needs is stepped over: core definitions, values, and whether the component is valid otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar, assert_never

from ingen_runtime.component.binary import Component
from ingen_runtime.component.binary import syntax as s
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.errors import ComponentFormatError

MAX_DEPTH = 100
"""How deep instantiations may nest."""


@dataclass(frozen=True, slots=True)
class ResourceMark:
    """The definition of a resource type."""


@dataclass(eq=False, slots=True)
class TypeNode:
    """A value type or resource type; two nodes are two types.

    `scope` resolves the indices in `definition`. `alias_of` is the type that an import or export said this
    one is equal to.
    """

    definition: s.ValTypeDef | ResourceMark
    scope: Scope
    alias_of: TypeNode | None = None

    def resolve(self, reference: s.ValTypeRef) -> PrimitiveType | TypeNode:
        """The type that the definition refers to."""
        return self.scope.value_type(reference)


@dataclass(eq=False, slots=True)
class FuncNode:
    """A function type; `scope` resolves its indices."""

    definition: s.FuncDef
    scope: Scope


@dataclass(eq=False, slots=True)
class InstanceTypeNode:
    """An instance type."""

    declarations: tuple[s.ComponentDecl, ...]
    scope: Scope


@dataclass(eq=False, slots=True)
class ComponentNode:
    """A component type, or a component itself."""

    body: tuple[s.ComponentDecl, ...] | Component
    scope: Scope


@dataclass(eq=False, slots=True)
class InstanceNode:
    """An instance with its exports, in order."""

    exports: dict[str, Extern]


@dataclass(eq=False, slots=True)
class Opaque:
    """Something that no WIT describes: a core module, a value."""

    sort: s.Sort


Entity: TypeAlias = TypeNode | FuncNode | InstanceNode | InstanceTypeNode | ComponentNode | Opaque


_MEMBERS: Mapping[s.Sort, tuple[type, ...]] = {
    s.Sort.TYPE: (TypeNode, FuncNode, InstanceTypeNode, ComponentNode),
    s.Sort.FUNC: (FuncNode,),
    s.Sort.INSTANCE: (InstanceNode,),
    s.Sort.COMPONENT: (ComponentNode,),
}
"""What is in each index space."""


@dataclass(frozen=True, slots=True)
class Extern:
    """An import or export; `sort` tells a type from an item of that type."""

    name: s.ExternName
    sort: s.Sort
    entity: Entity
    offset: int


@dataclass(slots=True)
class Externs:
    """What a component imports and exports, in the order of the file."""

    imports: list[Extern] = field(default_factory=list)
    exports: list[Extern] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """The index spaces of a component or type that is being run."""

    parent: Scope | None
    types: list[Entity] = field(default_factory=list)
    funcs: list[Entity] = field(default_factory=list)
    instances: list[Entity] = field(default_factory=list)
    components: list[Entity] = field(default_factory=list)

    def space(self, sort: s.Sort) -> list[Entity] | None:
        """The index space of `sort`, None for those that are not kept."""
        match sort:
            case s.Sort.TYPE:
                return self.types
            case s.Sort.FUNC:
                return self.funcs
            case s.Sort.INSTANCE:
                return self.instances
            case s.Sort.COMPONENT:
                return self.components
            case _:
                return None

    def value_type(self, reference: s.ValTypeRef) -> PrimitiveType | TypeNode:
        """A value type in place. The reference was checked when what it stands in was defined."""
        if isinstance(reference, PrimitiveType):
            return reference
        node = self.types[reference]
        assert isinstance(node, TypeNode)
        return node


def evaluate(component: Component, byte_length: int) -> Externs:
    """The imports and exports of `component`, a binary of `byte_length` bytes.

    Raises: ComponentFormatError, where an index is out of bounds or of the wrong kind, and where a small
    binary would take long: instantiations can multiply.
    """
    return _Evaluator(budget=100_000 + 8 * byte_length).run_component(component, None, None, 0)


def evaluate_component_type(node: ComponentNode, byte_length: int) -> Externs:
    """The imports and exports of a component type.

    Raises: ComponentFormatError, as `evaluate`.
    """
    evaluator = _Evaluator(budget=100_000 + 8 * byte_length)
    if isinstance(node.body, Component):
        return evaluator.run_component(node.body, node.scope, None, 0)
    return evaluator.run_declarations(node.body, node.scope, None, 0)


_Node = TypeVar("_Node", TypeNode, FuncNode, InstanceTypeNode, ComponentNode)
_Supply: TypeAlias = Mapping[str, Entity] | None


@dataclass(slots=True)
class _Evaluator:
    budget: int

    def step(self, offset: int) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise ComponentFormatError("the types take too long to evaluate", offset)

    # --- Bodies -------------------------------------------------------------------------------------------

    def run_declarations(
        self,
        declarations: tuple[s.ComponentDecl, ...],
        parent: Scope | None,
        supply: _Supply,
        depth: int,
    ) -> Externs:
        """Run the body of a component type or instance type.

        `supply` has what a type import or, in an instance type, a type export is bound to; without it each
        is a new type.
        """
        self.check_depth(depth, declarations[0].offset if declarations else None)
        scope = Scope(parent)
        externs = Externs()
        for declaration in declarations:
            self.step(declaration.offset)
            match declaration:
                case s.CoreTypeDef():
                    pass
                case s.TypeDef():
                    self.define(scope, declaration)
                case s.AliasDef():
                    self.alias(scope, declaration)
                case s.ImportDef(offset, name, desc) | s.ExportDecl(offset, name, desc):
                    extern = self.declared(scope, name, desc, supply, offset, depth)
                    imported = isinstance(declaration, s.ImportDef)
                    (externs.imports if imported else externs.exports).append(extern)
                case _:
                    assert_never(declaration)
        return externs

    def run_component(
        self, component: Component, parent: Scope | None, supply: _Supply, depth: int
    ) -> Externs:
        """Run a component with its imports bound to `supply`, or with imports that are new."""
        self.check_depth(depth, component.offset)
        scope = Scope(parent)
        externs = Externs()
        for definition in component.definitions:
            self.step(definition.offset)
            match definition:
                case s.TypeDef():
                    self.define(scope, definition)
                case s.AliasDef():
                    self.alias(scope, definition)
                case s.InstanceDef():
                    scope.instances.append(self.instance(scope, definition, depth))
                case s.NestedComponentDef(_, nested):
                    scope.components.append(ComponentNode(nested, scope))
                case s.CanonDef(offset, s.CanonLift(_, _, type_)):
                    scope.funcs.append(self.typed(scope, type_, FuncNode, "a function type", offset))
                case s.ImportDef(offset, name, desc):
                    externs.imports.append(self.declared(scope, name, desc, supply, offset, depth))
                case s.ExportDef():
                    externs.exports.append(self.export(scope, definition, depth))
                case _:
                    # Core definitions, custom sections, start: they add to no index space that is kept.
                    pass
        return externs

    def check_depth(self, depth: int, offset: int | None) -> None:
        if depth > MAX_DEPTH:
            raise ComponentFormatError(f"instances nest deeper than {MAX_DEPTH}", offset)

    # --- Index spaces -------------------------------------------------------------------------------------

    def get(self, scope: Scope, sort: s.Sort, index: int, offset: int) -> Entity:
        space = scope.space(sort)
        if space is None:
            return Opaque(sort)
        if index >= len(space):
            raise ComponentFormatError(f"unknown {sort.value} {index}: index out of bounds", offset)
        return space[index]

    def typed(self, scope: Scope, index: int, kind: type[_Node], expected: str, offset: int) -> _Node:
        node = self.get(scope, s.Sort.TYPE, index, offset)
        if not isinstance(node, kind):
            raise ComponentFormatError(f"type {index} is not {expected}", offset)
        return node

    def add(self, scope: Scope, sort: s.Sort, entity: Entity, offset: int) -> None:
        space = scope.space(sort)
        if space is None:
            return
        if not isinstance(entity, _MEMBERS[sort]):
            raise ComponentFormatError(f"expected a {sort.value}, found something else", offset)
        space.append(entity)

    # --- Definitions --------------------------------------------------------------------------------------

    def define(self, scope: Scope, definition: s.TypeDef) -> None:
        match definition.type:
            case s.FuncDef() as func:
                references = [type_ for _, type_ in func.params]
                if func.result is not None:
                    references.append(func.result)
                self.check_references(scope, references, definition.offset)
                scope.types.append(FuncNode(func, scope))
            case s.InstanceTypeDef(declarations):
                scope.types.append(InstanceTypeNode(declarations, scope))
            case s.ComponentTypeDef(declarations):
                scope.types.append(ComponentNode(declarations, scope))
            case s.ResourceDef():
                scope.types.append(TypeNode(ResourceMark(), scope))
            case s.OwnDef(resource) | s.BorrowDef(resource):
                node = self.typed(scope, resource, TypeNode, "a resource type", definition.offset)
                if not isinstance(node.definition, ResourceMark):
                    raise ComponentFormatError(f"type {resource} is not a resource type", definition.offset)
                scope.types.append(TypeNode(definition.type, scope))
            case _:
                self.check_references(scope, value_references(definition.type), definition.offset)
                scope.types.append(TypeNode(definition.type, scope))

    def check_references(self, scope: Scope, references: list[s.ValTypeRef], offset: int) -> None:
        """Check that all are value types."""
        for reference in references:
            if isinstance(reference, int):
                node = self.typed(scope, reference, TypeNode, "a value type", offset)
                if isinstance(node.definition, ResourceMark):
                    raise ComponentFormatError(f"type {reference} is not a value type", offset)

    def alias(self, scope: Scope, alias: s.AliasDef) -> None:
        match alias.target:
            case s.ExportAlias(instance, name):
                node = self.get(scope, s.Sort.INSTANCE, instance, alias.offset)
                extern = node.exports.get(name) if isinstance(node, InstanceNode) else None
                if extern is None:
                    raise ComponentFormatError(
                        f"instance {instance} has no export named `{name}`", alias.offset
                    )
                self.add(scope, alias.sort, extern.entity, alias.offset)
            case s.OuterAlias(count, index):
                outer: Scope | None = scope
                for _ in range(min(count, MAX_DEPTH + 1)):
                    outer = outer.parent if outer is not None else None
                if outer is None:
                    raise ComponentFormatError(f"there is no scope {count} levels out", alias.offset)
                self.add(scope, alias.sort, self.get(outer, alias.sort, index, alias.offset), alias.offset)
            case s.CoreExportAlias():
                pass
            case _:
                assert_never(alias.target)

    # --- Instances ----------------------------------------------------------------------------------------

    def instance(self, scope: Scope, definition: s.InstanceDef, depth: int) -> InstanceNode:
        offset = definition.offset
        match definition.expr:
            case s.Instantiate(component, args):
                node = self.get(scope, s.Sort.COMPONENT, component, offset)
                assert isinstance(node, ComponentNode)
                supply = {arg.name: self.get(scope, arg.sort, arg.index, offset) for arg in args}
                if isinstance(node.body, Component):
                    externs = self.run_component(node.body, node.scope, supply, depth + 1)
                else:
                    externs = self.run_declarations(node.body, node.scope, supply, depth + 1)
                return InstanceNode({extern.name.name: extern for extern in externs.exports})
            case exports:
                return InstanceNode(
                    {
                        export.name.name: Extern(
                            export.name,
                            export.sort,
                            self.get(scope, export.sort, export.index, offset),
                            offset,
                        )
                        for export in exports
                    }
                )

    # --- Imports and exports ------------------------------------------------------------------------------

    def declared(
        self,
        scope: Scope,
        name: s.ExternName,
        desc: s.ExternDesc,
        supply: _Supply,
        offset: int,
        depth: int,
    ) -> Extern:
        """What an import, or an export of a type, declares; it joins its index space."""
        supplied = None if supply is None else supply.get(name.name)
        sort, entity = self.described(scope, desc, supplied, offset, depth)
        self.add(scope, sort, entity, offset)
        return Extern(name, sort, entity, offset)

    def described(
        self, scope: Scope, desc: s.ExternDesc, supplied: Entity | None, offset: int, depth: int
    ) -> tuple[s.Sort, Entity]:
        match desc:
            case s.SortDesc(s.Sort.FUNC, index):
                return s.Sort.FUNC, self.typed(scope, index, FuncNode, "a function type", offset)
            case s.SortDesc(s.Sort.COMPONENT, index):
                return s.Sort.COMPONENT, self.typed(scope, index, ComponentNode, "a component type", offset)
            case s.SortDesc(s.Sort.INSTANCE, index):
                node = self.typed(scope, index, InstanceTypeNode, "an instance type", offset)
                supply = None
                if isinstance(supplied, InstanceNode):
                    supply = {name: extern.entity for name, extern in supplied.exports.items()}
                externs = self.run_declarations(node.declarations, node.scope, supply, depth + 1)
                return s.Sort.INSTANCE, InstanceNode({e.name.name: e for e in externs.exports})
            case s.SortDesc(sort, _):
                return sort, Opaque(sort)
            case s.TypeDesc(bound):
                return s.Sort.TYPE, self.bounded(scope, bound, supplied, offset)
            case s.ValueDesc():
                return s.Sort.VALUE, Opaque(s.Sort.VALUE)
            case _:
                assert_never(desc)

    def bounded(
        self, scope: Scope, bound: s.TypeEq | s.SubResource, supplied: Entity | None, offset: int
    ) -> Entity:
        match bound:
            case s.TypeEq(index):
                node = self.get(scope, s.Sort.TYPE, index, offset)
                return supplied if isinstance(supplied, TypeNode) else self.named(node)
            case s.SubResource():
                if not isinstance(supplied, TypeNode):
                    return TypeNode(ResourceMark(), scope)
                if not isinstance(supplied.definition, ResourceMark):
                    raise ComponentFormatError("expected a resource type", offset)
                return supplied
            case _:
                assert_never(bound)

    def named(self, node: Entity) -> Entity:
        """A new type that is equal to `node`, where it is a value or resource type."""
        if isinstance(node, TypeNode):
            return TypeNode(node.definition, node.scope, node)
        return node

    def export(self, scope: Scope, definition: s.ExportDef, depth: int) -> Extern:
        offset = definition.offset
        entity = self.get(scope, definition.sort, definition.index, offset)
        if definition.desc is not None:
            _, entity = self.described(scope, definition.desc, entity, offset, depth)
        if definition.sort is s.Sort.TYPE:
            entity = self.named(entity)
        self.add(scope, definition.sort, entity, offset)
        return Extern(definition.name, definition.sort, entity, offset)


def value_references(definition: s.ValTypeDef) -> list[s.ValTypeRef]:
    """The value types that a definition refers to, in order; not the resource of a handle."""
    return list(_references(definition))


def _references(definition: s.ValTypeDef) -> Iterator[s.ValTypeRef]:
    optional: tuple[s.ValTypeRef | None, ...]
    match definition:
        case PrimitiveType() | s.FlagsDef() | s.EnumDef() | s.OwnDef() | s.BorrowDef():
            optional = ()
        case s.RecordDef(members):
            optional = tuple(type_ for _, type_ in members)
        case s.VariantDef(cases):
            optional = tuple(type_ for _, type_ in cases)
        case s.ListDef(element, _) | s.OptionDef(element):
            optional = (element,)
        case s.StreamDef(payload) | s.FutureDef(payload):
            optional = (payload,)
        case s.MapDef(key, value):
            optional = (key, value)
        case s.TupleDef(types):
            optional = types
        case s.ResultDef(ok, err):
            optional = (ok, err)
        case _:
            assert_never(definition)
    yield from (type_ for type_ in optional if type_ is not None)

"""Annotations for the types of a plan.

The same named type of an interface is one Python class, whichever side of the world it is met on; only
resources have two: what the host implements for the guest, and what stands for a guest's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import assert_never

from ingen_sdkgen.languages.plan import Plan, ScopePlan
from ingen_sdkgen.languages.python.names import MODULE_NAMES, Names, class_name
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Future,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    TypeId,
    Variant,
)


class Position(enum.Enum):
    """Who made a value: what we pass may be anything that is taken for the type, what we get is exact."""

    GIVEN = "given"
    GOT = "got"


@dataclass(frozen=True, slots=True)
class VariantNames:
    """The names of a variant's union and of its case classes."""

    union: str
    cases: tuple[str, ...]


class PyTypes:
    """The Python names of a plan's types, by module.

    `modules` has the module of each interface by its key; None stands for the world's own, in `world_module`.
    Each resource has a second class as well, whose name begins with `second`.
    """

    def __init__(self, plan: Plan, modules: dict[str, str], world_module: str, second: str = "Async") -> None:
        self.plan = plan
        self._second = second
        self.world_module = world_module
        self._modules = modules
        self.names: dict[str, Names] = {}
        self._shared: dict[tuple[str, str, bool], str] = {}
        self._second_classes: dict[tuple[str, str], str] = {}
        self._variants: dict[tuple[str, str], VariantNames] = {}
        for scope in plan.scopes:
            self.names.setdefault(self.module(scope), Names(MODULE_NAMES))
        for number in range(len(plan.types)):
            self._name_type(TypeId(number))

    def module(self, scope: ScopePlan) -> str:
        """The module that a scope's items are in."""
        return self.world_module if scope.key is None else self._modules[scope.key]

    def scope_of(self, type_: TypeId) -> ScopePlan:
        """The scope of a named type."""
        scope = self.plan.types[type_].scope
        assert scope is not None, "a named type has a scope"
        return self.plan.scopes[scope]

    def class_of(self, type_: TypeId) -> str:
        """The class, or for other types the alias, that a named type is in its module."""
        planned = self.plan.types[type_]
        assert planned.name is not None, "a type in place has no class"
        scope = self.scope_of(type_)
        return self._shared[self.module(scope), planned.name, self._is_exported_resource(type_)]

    def second_class_of(self, type_: TypeId) -> str:
        """The second class of a resource: for hosts the one whose functions can wait."""
        return self._second_classes[self.module(self.scope_of(type_)), self.class_of(type_)]

    def variant(self, type_: TypeId) -> VariantNames:
        """The names of a variant."""
        return self._variants[self.module(self.scope_of(type_)), self.plan.types[type_].name or ""]

    def _is_exported_resource(self, type_: TypeId) -> bool:
        if self.plan.types[type_].value is not None:
            return False
        return self.plan.resource(type_).destructor is not None

    def _name_type(self, type_: TypeId) -> None:
        planned = self.plan.types[type_]
        if planned.name is None:
            return
        module = self.module(self.scope_of(type_))
        key = (module, planned.name, self._is_exported_resource(type_))
        if key in self._shared:
            return
        wanted = class_name(planned.name)
        if key[2] and (module, planned.name, False) in self._shared:
            wanted = f"Guest{wanted}"
        name = self._shared[key] = self.names[module].claim(wanted)
        if isinstance(planned.kind, Resource):
            self._second_classes[module, name] = self.names[module].claim(f"{self._second}{wanted}")
        if isinstance(planned.kind, Variant):
            cases = tuple(
                self.names[module].claim(f"{name}{class_name(case.name).rstrip('_')}")
                for case in planned.kind.cases
            )
            self._variants[module, planned.name] = VariantNames(name, cases)

    # --- Annotations --------------------------------------------------------------------------------------


class Annotator:
    """Writes annotations for one module. `imports` collects the other modules that they mention.

    With `second` resources are their second classes.
    """

    def __init__(
        self, types: PyTypes, module: str, shadowed: frozenset[str], *, second: bool = False
    ) -> None:
        self._types = types
        self._second = second
        self._plan = types.plan
        self._module = module
        self._shadowed = shadowed
        self.imports: set[str] = set()
        self.used: set[str] = set()

    def annotate(self, type_: Type | None, position: Position) -> str:
        """The annotation of a value; None is for what carries nothing."""
        if type_ is None:
            return "None"
        if isinstance(type_, Primitive):
            return self._primitive(type_)
        planned = self._plan.types[type_]
        if planned.name is not None and self._is_nominal(type_):
            return self._class(type_)
        return self._structure(type_, position)

    def builtin(self, name: str) -> str:
        """A built-in type, qualified where a member of the module has its name."""
        if name in self._shadowed:
            self.used.add("builtins")
            return f"_builtins.{name}"
        return name

    def _is_nominal(self, type_: TypeId) -> bool:
        canonical = self._plan.types[type_].canonical
        if isinstance(canonical, Primitive):
            return False
        return isinstance(self._plan.types[canonical].kind, Record | Variant | Enum | Flags | Resource)

    def _class(self, type_: TypeId) -> str:
        canonical = self._plan.types[type_].canonical
        assert not isinstance(canonical, Primitive), "nominal"
        is_resource = self._plan.types[canonical].value is None
        second = self._second and is_resource
        return self.qualified(
            canonical, (self._types.second_class_of if second else self._types.class_of)(canonical)
        )

    def qualified(self, type_: TypeId, name: str) -> str:
        """What the module of a type calls `name`, as this one writes it."""
        module = self._types.module(self._types.scope_of(type_))
        if module == self._module:  # modules are imported with an underscore, which no member begins with
            return name
        self.imports.add(module)
        return f"_{module}.{name}"

    def _primitive(self, type_: Primitive) -> str:
        match type_:
            case Primitive.BOOL:
                return self.builtin("bool")
            case Primitive.F32 | Primitive.F64:
                return self.builtin("float")
            case Primitive.CHAR | Primitive.STRING:
                return self.builtin("str")
            case Primitive.ERROR_CONTEXT:
                return self._use("Any")
            case _:
                return self.builtin("int")

    def _use(self, name: str) -> str:
        self.used.add(name)
        return name

    def _stream(self, element: Type | None, annotated: str, position: Position) -> str:
        """A stream: what iterating over it gives, which are buffers where the elements are bytes."""
        given = written = annotated
        is_bytes = element is not None and self._plan.dealias(element) is Primitive.U8
        if is_bytes:
            buffers = [self.builtin(name) for name in ("bytes", "bytearray", "memoryview")]
            given, annotated = " | ".join(buffers), self.builtin("bytes")
        if position is Position.GOT:
            return f"{self._use('StreamReader')}[{annotated}]"
        kinds = [f"{self._use(name)}[{given}]" for name in ("AsyncIterable", "Iterable")]
        return " | ".join([*kinds, *(buffers if is_bytes else ()), f"{self._use('StreamWriter')}[{written}]"])

    def _structure(self, type_: TypeId, position: Position) -> str:
        def of(inner: Type | None) -> str:
            return self.annotate(inner, position)

        match self._plan.types[type_].kind:
            case Alias(target):
                return of(target)
            case List(element) | FixedLengthList(element, _):
                if self._plan.dealias(element) is Primitive.U8:
                    if position is Position.GOT:
                        return self.builtin("bytes")
                    return " | ".join(
                        [self.builtin("bytes"), self.builtin("bytearray"), self.builtin("memoryview")]
                    )
                if position is Position.GOT:
                    return f"{self.builtin('list')}[{of(element)}]"
                return f"{self._use('Sequence')}[{of(element)}]"
            case Map(key, value):
                outer = self.builtin("dict") if position is Position.GOT else self._use("Mapping")
                return f"{outer}[{of(key)}, {of(value)}]"
            case Tuple(types):
                return f"{self.builtin('tuple')}[{', '.join(map(of, types))}]"
            case Option(some):
                inner = of(some)
                meant = self._plan.dealias(some)
                if not isinstance(meant, Primitive) and isinstance(self._plan.types[meant].kind, Option):
                    inner = f"{self._use('Some')}[{inner}]"
                return f"{inner} | None"
            case Result(ok, err):
                return f"{self._use('Ok')}[{of(ok)}] | {self._use('Err')}[{of(err)}]"
            case Own(resource) | Borrow(resource):
                return self._class(resource)
            case Stream(element):
                return self._stream(element, of(element), position)
            case Future(value):
                return (
                    f"{self._use('FutureReader' if position is Position.GOT else 'Awaitable')}[{of(value)}]"
                )
            case Record() | Variant() | Enum() | Flags() | Resource():
                raise AssertionError("nominal")
            case kind:
                assert_never(kind)

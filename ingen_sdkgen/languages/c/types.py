"""The C types of a plan: their names, how they are passed, and who frees them.

A value in memory is laid out by the canonical ABI exactly like the C types here are laid out for wasm32, so
values in memory are used in place; `checked_layouts` in the view makes the compiler confirm it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from ingen_sdkgen.languages.c.names import Names, local_name, scope_prefixes
from ingen_sdkgen.languages.casing import snake_case, upper_snake_case
from ingen_sdkgen.languages.plan import Direction, Plan, PlannedType, ResourcePlan
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
    TypeKind,
    Variant,
)
from ingen_sdkgen.rewrite import types_in

PRIMITIVES: Final = {
    Primitive.BOOL: "bool",
    Primitive.U8: "uint8_t",
    Primitive.U16: "uint16_t",
    Primitive.U32: "uint32_t",
    Primitive.U64: "uint64_t",
    Primitive.S8: "int8_t",
    Primitive.S16: "int16_t",
    Primitive.S32: "int32_t",
    Primitive.S64: "int64_t",
    Primitive.F32: "float",
    Primitive.F64: "double",
    Primitive.CHAR: "uint32_t",
}


INTERNAL_NAMES: Final = (
    "ingen_allocate",
    "ingen_bits_of_f32",
    "ingen_bits_of_f64",
    "ingen_f32_of_bits",
    "ingen_f64_of_bits",
)
"""The functions of the source that templates write."""


def pointer_to(name: str) -> str:
    """The type of pointers to a type."""
    return f"{name}*" if name.endswith("*") else f"{name} *"


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """What stands for a resource in C.

    `rep` is the struct that the user defines, `new`, `get_rep` and `destructor` go with it: those are set for
    exported resources only. A borrow of an exported resource is a pointer to the representation, so there is
    no `borrow_drop`, and it needs no `borrow` to be made.
    """

    own: str
    borrow: str
    own_drop: str
    own_borrow: str | None
    borrow_drop: str | None
    rep: str | None
    new: str | None
    get_rep: str | None
    destructor: str | None


class CTypes:
    """Names for everything that a plan's types need, each given out once.

    `defined` has the C name of every type that gets a definition or a typedef, in the order in which they
    have to stand. `members` has the C names of fields (`f0`, `f1` in tuples) or of cases, by position;
    `constants` those of cases and flags.
    """

    def __init__(self, plan: Plan, prefix: str | None = None) -> None:
        self.plan = plan
        self.names = Names(INTERNAL_NAMES)
        self.world = prefix or snake_case(plan.name)
        self.prefixes = scope_prefixes(plan, self.world)
        self.string = self.names.claim(self.world, "string", suffix="_t")
        self.string_free = self.names.claim(self.world, "string", "free")
        self.resources: dict[TypeId, ResourceNames] = {}
        self.resource_aliases: dict[TypeId, tuple[str, str]] = {}
        """The names under which `use` brings in a resource: of owning and of borrowing handles."""
        self.defined: dict[TypeId, str] = {}
        self.members: dict[TypeId, tuple[str, ...]] = {}
        self.constants: dict[TypeId, tuple[str, ...]] = {}
        self.entries: dict[TypeId, str] = {}
        """The types of maps' entries."""
        self.frees: dict[TypeId, str] = {}
        """The functions that free what a value owns, by the types that have one."""
        for number, planned in enumerate(plan.types):
            self._define(TypeId(number), planned)

    # --- Asking -------------------------------------------------------------------------------------------

    def name(self, type_: Type) -> str:
        """The C type of a value."""
        if isinstance(type_, Primitive):
            return PRIMITIVES.get(type_, self.string)
        if type_ in self.defined:
            return self.defined[type_]
        canonical = self.plan.canonical(type_)
        if isinstance(canonical, Primitive):
            return self.name(canonical)
        match self.plan.types[canonical].kind:
            case Own(resource):
                return self.resource(resource).own
            case Borrow(resource):
                return self.resource(resource).borrow
            case _:
                return self.defined[canonical]

    def by_value(self, type_: Type) -> bool:
        """Whether values are passed as they are; the others, which may be large, by pointer."""
        match self.kind(type_):
            case Primitive() | Enum() | Flags() | Own() | Borrow() | List() | Map():
                return True
            case _:
                return False

    def kind(self, type_: Type) -> Primitive | TypeKind:
        """What a type is, aliases followed."""
        meant = self.plan.dealias(type_)
        return meant if isinstance(meant, Primitive) else self.plan.types[meant].kind

    def structure(self, type_: Type) -> TypeId:
        """The type, no primitive, whose members and constants a value of `type_` has."""
        canonical = self.plan.canonical(type_)
        assert not isinstance(canonical, Primitive), "a primitive has no parts"
        return canonical

    def needs_free(self, type_: Type) -> bool:
        """Whether a value owns memory or handles: whether there is something to free."""
        canonical = self.plan.canonical(type_)
        if isinstance(canonical, Primitive):
            return canonical is Primitive.STRING
        planned = self.plan.types[canonical]
        match planned.kind:
            case Borrow(resource):
                return self.resource(resource).borrow_drop is not None
            case Resource():
                return False
            case kind:
                return planned.owns_memory or planned.has_own or any(map(self.needs_free, types_in(kind)))

    def resource(self, type_: TypeId) -> ResourceNames:
        """The names of the resource that a handle's `resource` means."""
        return self.resources[self.plan.resource(type_).type]

    def element_pointer(self, type_: Type) -> str:
        """The type of a list's or map's `ptr`."""
        match self.kind(type_):
            case List(element):
                return pointer_to(self.name(element))
            case Map():
                return f"{self.entries[self.structure(type_)]} *"
            case _:
                raise AssertionError("no list and no map")

    # --- Naming -------------------------------------------------------------------------------------------

    def _define(self, number: TypeId, planned: PlannedType) -> None:
        if planned.name is None or planned.scope is None:
            if planned.canonical == number and not isinstance(planned.kind, Own | Borrow):
                self._define_type(number, planned, self.world, self._stem_in_place(planned.kind))
            return
        prefix, name = self.prefixes[planned.scope], snake_case(planned.name)
        if isinstance(planned.kind, Resource):
            self.resources[number] = self._resource_names(self.plan.resource(number), prefix, name)
        elif planned.value is None:
            own = self.names.claim(prefix, "own", name, suffix="_t")
            borrow = self.names.claim(prefix, "borrow", name, suffix="_t")
            self.resource_aliases[number] = (own, borrow)
        else:
            self._define_type(number, planned, prefix, name)

    def _define_type(self, number: TypeId, planned: PlannedType, prefix: str, name: str) -> None:
        type_name = self.names.claim(prefix, name, suffix="_t")
        self.defined[number] = type_name
        stem = type_name.removesuffix("_t")
        if self.needs_free(number):
            self.frees[number] = self.names.claim(stem, "free")
        if planned.canonical != number:
            return
        members = Names()
        match planned.kind:
            case Record(fields):
                self.members[number] = tuple(members.claim(local_name(field.name)) for field in fields)
            case Tuple(types):
                self.members[number] = tuple(f"f{index}" for index in range(len(types)))
            case Variant(cases):
                self.members[number] = tuple(members.claim(local_name(case.name)) for case in cases)
                self.constants[number] = self._constants(stem, [case.name for case in cases])
            case Enum(enum_cases):
                self.constants[number] = self._constants(stem, [case.name for case in enum_cases])
            case Flags(flags):
                self.constants[number] = self._constants(stem, [flag.name for flag in flags])
            case Map():
                self.entries[number] = self.names.claim(stem, "entry", suffix="_t")
            case _:
                pass

    def _constants(self, stem: str, labels: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.names.claim(stem.upper(), upper_snake_case(label)) for label in labels)

    def _resource_names(self, resource: ResourcePlan, prefix: str, name: str) -> ResourceNames:
        claim = self.names.claim
        if resource.direction is Direction.IMPORT:
            return ResourceNames(
                own=claim(prefix, "own", name, suffix="_t"),
                borrow=claim(prefix, "borrow", name, suffix="_t"),
                own_drop=claim(prefix, "own", name, "drop"),
                own_borrow=claim(prefix, "own", name, "borrow"),
                borrow_drop=claim(prefix, "borrow", name, "drop"),
                rep=None,
                new=None,
                get_rep=None,
                destructor=None,
            )
        return ResourceNames(
            own=claim(prefix, "own", name, suffix="_t"),
            borrow=claim(prefix, "borrow", name, suffix="_t"),
            own_drop=claim(prefix, "own", name, "drop"),
            own_borrow=None,
            borrow_drop=None,
            rep=claim(prefix, name, suffix="_t"),
            new=claim(prefix, "own", name, "new"),
            get_rep=claim(prefix, "own", name, "rep"),
            destructor=claim(prefix, name, "destructor"),
        )

    def _stem_in_place(self, kind: TypeKind) -> str:
        match kind:
            case Tuple(types):
                return "_".join([f"tuple{len(types)}", *map(self._stem, types)])
            case Option(type_):
                return f"option_{self._stem(type_)}"
            case Result(ok, err):
                return f"result_{self._stem(ok)}_{self._stem(err)}"
            case List(type_):
                return f"list_{self._stem(type_)}"
            case FixedLengthList(type_, length):
                return f"list{length}_{self._stem(type_)}"
            case Map(key, value):
                return f"map_{self._stem(key)}_{self._stem(value)}"
            case Record() | Variant() | Enum() | Flags() | Resource() | Alias() | Own() | Borrow():
                raise AssertionError("no type in place, or one that is named by its resource")
            case Future() | Stream():
                raise AssertionError("refused by the plan")
            case _:
                assert_never(kind)

    def _stem(self, type_: Type | None) -> str:
        if type_ is None:
            return "void"
        if isinstance(type_, Primitive):
            return type_.value
        return self.name(type_).removesuffix("_t").removeprefix(f"{self.world}_")

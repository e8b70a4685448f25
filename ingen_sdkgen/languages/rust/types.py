"""WIT types as Rust types: what they are called, and which forms they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingen_sdkgen.languages.plan import Direction, Plan, ResourcePlan, ScopeId, ScopePlan
from ingen_sdkgen.languages.rust.modules import Modules, Path, relative
from ingen_sdkgen.languages.rust.names import Names, camel, identifier, screaming, snake
from ingen_sdkgen.languages.rust.options import Renames
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    FunctionShape,
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

PRIMITIVES = {
    Primitive.BOOL: "bool",
    Primitive.U8: "u8",
    Primitive.U16: "u16",
    Primitive.U32: "u32",
    Primitive.U64: "u64",
    Primitive.S8: "i8",
    Primitive.S16: "i16",
    Primitive.S32: "i32",
    Primitive.S64: "i64",
    Primitive.F32: "f32",
    Primitive.F64: "f64",
    Primitive.CHAR: "char",
    Primitive.STRING: "String",
}

METHODS = frozenset(
    {
        FunctionShape.METHOD,
        FunctionShape.ASYNC_METHOD,
        FunctionShape.METHOD_GETTER,
        FunctionShape.METHOD_SETTER,
    }
)
"""The shapes of functions whose first parameter is `self`."""

# A type of one of these names would hide what the code of its module means by it.
_RESERVED_TYPES = ("Guest", "Option", "Result", "String", "Vec", "BTreeMap")


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """What goes with a resource: its type, that of a borrow of it, and the trait of what implements it."""

    own: str
    borrow: str
    guest: str


class RustTypes:
    """The Rust types of a world.

    A type takes two forms. *Owned*: `String`, `Vec<T>`. *Viewed*, as a function that is called takes it if it
    gives nothing away: `&str`, `&[T]`, `&Record`, and options, results and tuples of views; what is `Copy` is
    viewed as it is.
    """

    def __init__(self, plan: Plan, modules: Modules, renames: Renames) -> None:
        self.plan = plan
        self.modules = modules
        self._names: dict[TypeId, str] = {}
        self._members: dict[TypeId, tuple[str, ...]] = {}
        self._resources: dict[TypeId, ResourceNames] = {}
        roots = Names(_RESERVED_TYPES)
        for number, scope in enumerate(plan.scopes):
            names = roots if scope.key is None else Names(_RESERVED_TYPES)
            for type_ in scope.types:
                name = plan.types[type_].name
                assert name is not None, "a type of a scope has a name"
                key = item_key(scope, name)
                self._names[type_] = names.allot(renames.of(key) or camel(name))
                self._members[type_] = _member_names(plan.types[type_].kind, key, renames)
            for resource in _resource_types(plan, ScopeId(number)):
                own = self._names[resource]
                start = own.rstrip("_")
                self._resources[resource] = ResourceNames(
                    own, names.allot(f"{start}Borrow"), names.allot(f"Guest{start}")
                )
        self._same = self._types_on_both_sides()

    # --- Names ------------------------------------------------------------------------------------------

    def name(self, type_: TypeId) -> str:
        """The plain name of a named type."""
        return self._names[type_]

    def members(self, type_: TypeId) -> tuple[str, ...]:
        """The plain names of a named type's fields, cases or flags; in order, no two alike."""
        return self._members[type_]

    def resource_names(self, type_: TypeId) -> ResourceNames:
        """The names that go with a resource, or with an alias of one."""
        return self._resources[type_]

    def imported(self, type_: TypeId) -> TypeId | None:
        """The imported type that an exported one is the same as; None where it is a type of its own.

        An interface that is imported and exported has each type twice. Those without handles in them become
        one Rust type.
        """
        return self._same.get(type_)

    def path(self, type_: TypeId, at: Path, *, borrow: bool = False) -> str:
        """The path of a named type for code in the module `at`; of a resource also that of its borrow."""
        type_ = self._same.get(type_, type_)
        scope = self.plan.types[type_].scope
        assert scope is not None, "a named type has a scope"
        name = self._resources[type_].borrow if borrow else self._names[type_]
        return relative(self.modules.path_of(scope), at) + identifier(name)

    # --- Properties -------------------------------------------------------------------------------------

    def is_copy(self, type_: Type) -> bool:
        """Whether the Rust type is `Copy`."""
        plan = self.plan
        return not (plan.owns_memory(type_) or plan.has_own(type_) or plan.has_borrow(type_))

    def is_plain(self, type_: Type) -> bool:
        """Whether a value lies in memory as the canonical ABI has it, so that lists of it move as a block."""
        if isinstance(type_, Primitive):
            return type_ is not Primitive.STRING
        kind = self.plan.types[type_].kind
        match kind:
            case Enum() | Flags():
                return True
            case Record() | FixedLengthList() | Alias():
                return all(map(self.is_plain, types_in(kind)))
            case _:
                return False

    def has_float(self, type_: Type) -> bool:
        """Whether there is a float in a value, which keeps Rust from comparing it totally."""
        if isinstance(type_, Primitive):
            return type_ in (Primitive.F32, Primitive.F64)
        return any(map(self.has_float, types_in(self.plan.types[type_].kind)))

    def needs_scratch(self, type_: Type) -> bool:
        """Whether to pass a view of a value takes memory that is only needed during the call."""
        if isinstance(type_, Primitive):
            return False
        kind = self.plan.types[type_].kind
        match kind:
            case List(element):
                return not self.is_plain(element)
            case Map():
                return True
            case Own() | Borrow():
                return False
            case _:
                return any(map(self.needs_scratch, types_in(kind)))

    # --- Forms ------------------------------------------------------------------------------------------

    def owned(self, type_: Type, at: Path, lifetime: str = "'_") -> str:
        """The owned form, for code in the module `at`; `lifetime` is that of the borrows in it."""
        if isinstance(type_, Primitive):
            return PRIMITIVES[type_]
        planned = self.plan.types[type_]
        if planned.name is not None:
            arguments = f"<{lifetime}>" if planned.has_borrow else ""
            return self.path(type_, at) + arguments
        return self.structural(planned.kind, at, lifetime)

    def structural(self, kind: TypeKind, at: Path, lifetime: str) -> str:
        """The owned form of a definition that makes no type of its own in Rust."""

        def of(part: Type | None) -> str:
            return "()" if part is None else self.owned(part, at, lifetime)

        match kind:
            case Tuple(types):
                return f"({', '.join(map(of, types))}{',' if len(types) == 1 else ''})"
            case Option(element):
                return f"Option<{of(element)}>"
            case Result(ok, err):
                return f"Result<{of(ok)}, {of(err)}>"
            case List(element):
                return f"Vec<{of(element)}>"
            case FixedLengthList(element, length):
                return f"[{of(element)}; {length}]"
            case Map(key, value):
                return f"BTreeMap<{of(key)}, {of(value)}>"
            case Own(resource):
                return self.path(resource, at)
            case Borrow(resource):
                return f"{self.path(resource, at, borrow=True)}<{lifetime}>"
            case Alias(target):
                return of(target)
            case Record() | Variant() | Enum() | Flags() | Resource() | Future() | Stream():
                raise AssertionError("these make types, or are refused before")

    def viewed(self, type_: Type, at: Path) -> str:
        """The viewed form, for code in the module `at`. Handles are references to the resource."""
        target = self.plan.dealias(type_)
        kind = None if isinstance(target, Primitive) else self.plan.types[target].kind

        def of(part: Type | None) -> str:
            return "()" if part is None else self.viewed(part, at)

        match kind:
            case FixedLengthList():
                return f"&{self.owned(type_, at)}"
            case _ if self.is_copy(type_):
                return self.owned(type_, at)
            case None:
                return "&str"
            case List(element):
                return f"&[{self.owned(element, at)}]"
            case Option(element):
                return f"Option<{of(element)}>"
            case Result(ok, err):
                return f"Result<{of(ok)}, {of(err)}>"
            case Tuple(types):
                return f"({', '.join(map(of, types))}{',' if len(types) == 1 else ''})"
            case Own(resource) | Borrow(resource):
                return f"&{self.path(resource, at)}"
            case _:
                return f"&{self.owned(type_, at)}"

    def resource(self, type_: TypeId) -> ResourcePlan:
        """The resource that a handle is of."""
        return self.plan.resource(type_)

    # --- Searches ---------------------------------------------------------------------------------------

    def borrowed(self) -> set[TypeId]:
        """The resources of which there are borrows other than `self` and plain parameters of imports."""
        found: set[TypeId] = set()

        def search(type_: Type) -> None:
            if self.plan.has_borrow(type_):
                assert not isinstance(type_, Primitive), "a primitive has no borrow in it"
                kind = self.plan.types[type_].kind
                if isinstance(kind, Borrow):
                    found.add(self.resource(kind.resource).type)
                else:
                    for part in types_in(kind):
                        search(part)

        for scope in self.plan.scopes:
            for type_ in scope.types:
                search(type_)
            for function in scope.functions:
                for param in function.params[1 if function.shape in METHODS else 0 :]:
                    target = self.plan.dealias(param.type)
                    kind = None if isinstance(target, Primitive) else self.plan.types[target].kind
                    if function.direction is Direction.EXPORT or not isinstance(kind, Borrow):
                        search(param.type)
        return found

    def errors(self) -> set[TypeId]:
        """The named types that are the error of some result; a resource stands for handles of it."""
        found: set[TypeId] = set()
        for planned in self.plan.types:
            if isinstance(planned.kind, Result) and planned.kind.err is not None:
                target = self.plan.canonical(planned.kind.err)
                if not isinstance(target, Primitive):
                    kind = self.plan.types[target].kind
                    if isinstance(kind, Own):
                        target = self.resource(kind.resource).type
                    found.add(self._same.get(target, target))
        return found

    def _types_on_both_sides(self) -> dict[TypeId, TypeId]:
        plan = self.plan
        imports = {
            scope.key: scope
            for scope in plan.scopes
            if scope.direction is Direction.IMPORT and scope.key is not None and not scope.labelled
        }
        same: dict[TypeId, TypeId] = {}
        for scope in plan.scopes:
            other = imports.get(scope.key or "")
            if scope.direction is Direction.IMPORT or scope.labelled or other is None:
                continue
            if scope.package is None or scope.package != other.package:
                continue
            by_name = {plan.types[type_].name: type_ for type_ in other.types}
            for type_ in scope.types:
                planned = plan.types[type_]
                if planned.value is not None and not planned.has_own and not planned.has_borrow:
                    same[type_] = by_name[planned.name]
        return same


def item_key(scope: ScopePlan, name: str) -> str:
    """How the user writes an item of a scope."""
    return f"{scope.key or ''}#{name}"


def _member_names(kind: TypeKind, key: str, renames: Renames) -> tuple[str, ...]:
    match kind:
        case Record(fields):
            members, spell = [field.name for field in fields], snake
        case Variant(cases) | Enum(cases):
            members, spell = [case.name for case in cases], camel
        case Flags(flags):
            members, spell = [flag.name for flag in flags], screaming
        case _:
            return ()
    names = Names()
    return tuple(names.allot(renames.of(f"{key}.{name}") or spell(name)) for name in members)


def _resource_types(plan: Plan, scope: ScopeId) -> Iterator[TypeId]:
    """The resources of a scope, and the aliases of resources."""
    for type_ in plan.scopes[scope].types:
        if plan.types[type_].value is None:
            yield type_

"""Types of a draft: names to types, bodies to kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from ingen_sdkgen.diagnostics import ItemConflict, ItemNotFound, Note, ResolveError, WitError, did_you_mean
from ingen_sdkgen.labels import fold
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
    Future,
    List,
    Map,
    Option,
    Own,
    Owner,
    Primitive,
    Record,
    Resource,
    Result,
    Span,
    Stability,
    Stream,
    Tuple,
    Type,
    TypeId,
    TypeKind,
    Variant,
)
from ingen_sdkgen.resolve.drafts import DraftType, ForeignType, PackageDraft
from ingen_sdkgen.resolve.order import topological_order
from ingen_sdkgen.rewrite import types_in
from ingen_sdkgen.wit import syntax

MAX_FLAGS = 32

_MAP_KEYS = frozenset(Primitive) - {Primitive.F32, Primitive.F64, Primitive.ERROR_CONTEXT}
_RENAMED = {"float32": "f32", "float64": "f64"}

UNKNOWN = Primitive.BOOL
"""What stands for a type that could not be made out: its mistake is reported once, and no other follows."""


class TypeScope:
    """The type names of one interface or world, while it is being read."""

    def __init__(self, owner: Owner, function_names: Iterable[str] = ()) -> None:
        self.owner = owner
        self.types: dict[str, TypeId] = {}
        self.spans: dict[str, Span] = {}
        # Names that exist, but are no types: for better messages.
        self.function_names = frozenset(function_names)
        # Names whose definition failed: they are not reported again where they are used.
        self.broken: set[str] = set()


class TypeDrafter:
    """Adds types to a package's draft; mistakes go to `errors`."""

    def __init__(self, draft: PackageDraft, errors: list[WitError]) -> None:
        self._draft = draft
        self._errors = errors
        # Types in place are shared within a package.
        self._in_place: dict[TypeKind, TypeId] = {}

    # --- Named types ------------------------------------------------------------------------------------

    def add(self, type_: DraftType) -> TypeId:
        """Append a type."""
        self._draft.types.append(type_)
        return TypeId(len(self._draft.types) - 1)

    def name_type(self, scope: TypeScope, id_: syntax.Id, type_: TypeId) -> None:
        """Give a type a name in the scope."""
        if id_.name in scope.types:
            self._errors.append(
                ItemConflict(
                    f"the name `{id_.name}` is defined more than once",
                    id_.span,
                    notes=[Note("the first one is here", scope.spans[id_.name])],
                )
            )
            return
        scope.types[id_.name] = type_
        scope.spans[id_.name] = id_.span

    def define(
        self, scope: TypeScope, members: Sequence[syntax.InterfaceItem | syntax.WorldItemSyntax]
    ) -> None:
        """Define types in dependency order; the names that `use` brings in are in the scope already."""
        by_name: dict[str, syntax.TypeDefinition] = {}
        # A name that `use` brings in has its place in the order, too: what depends on it comes after that.
        names_used: dict[str, list[syntax.Id]] = {}
        for definition in members:
            if isinstance(definition, syntax.Use):
                names_used.update({name.local.name: [] for name in definition.names})
            if not isinstance(definition, syntax.TypeDefinition):
                continue
            first = by_name.get(definition.id.name)
            if first is not None:
                self._errors.append(
                    ItemConflict(
                        f"the name `{definition.id.name}` is defined more than once",
                        definition.id.span,
                        notes=[Note("the first one is here", first.id.span)],
                    )
                )
                continue
            by_name[definition.id.name] = definition
            names_used[definition.id.name] = list(_names_in(definition.body))
        order = topological_order({name: [id_.name for id_ in ids] for name, ids in names_used.items()})
        if len(order) < len(names_used):
            order += self._report_cycle(by_name, names_used, order, scope)
        for name in order:
            if name not in by_name:
                continue
            definition = by_name[name]
            kind = self._body(scope, definition)
            if kind is None:
                scope.broken.add(name)
                continue
            type_ = self.add(
                DraftType(
                    name,
                    kind,
                    scope.owner,
                    definition.id.span,
                    definition.docs,
                    definition.gates.stability,
                    definition.gates.external_id,
                )
            )
            self.name_type(scope, definition.id, type_)

    def _report_cycle(
        self,
        by_name: dict[str, syntax.TypeDefinition],
        names_used: dict[str, list[syntax.Id]],
        order: list[str],
        scope: TypeScope,
    ) -> list[str]:
        """Report one cycle; return the names that can still be defined after it."""
        done = set(order)
        left = [name for name in by_name if name not in done]
        for name in left:
            id_ = next(id_ for id_ in names_used[name] if id_.name in by_name and id_.name not in done)
            self._errors.append(
                ResolveError(
                    f"the type `{id_.name}` depends on itself",
                    id_.span,
                    hint="WIT has no recursive types; refer by index or by a resource instead",
                )
            )
            break
        scope.broken.update(left)
        return []

    def _body(self, scope: TypeScope, definition: syntax.TypeDefinition) -> TypeKind | None:
        """The kind of a named type, or None where it cannot be made out."""
        id_, stability = definition.id, definition.gates.stability
        match definition.body:
            case syntax.AliasBody(type_):
                return self._kind(scope, type_, stability)
            case syntax.ResourceBody():
                return Resource()
            case syntax.RecordBody(fields):
                self._check_members(id_, "record", "field", [item.id for item in fields])
                return Record(
                    tuple(
                        Field(item.id.name, self.use(scope, item.type, stability), item.docs, item.id.span)
                        for item in fields
                    )
                )
            case syntax.VariantBody(cases):
                self._check_members(id_, "variant", "case", [case.id for case in cases])
                return Variant(
                    tuple(
                        Case(
                            case.id.name,
                            None if case.type is None else self.use(scope, case.type, stability),
                            case.docs,
                            case.id.span,
                        )
                        for case in cases
                    )
                )
            case syntax.EnumBody(labels):
                self._check_members(id_, "enum", "case", [label.id for label in labels])
                return Enum(tuple(EnumCase(item.id.name, item.docs, item.id.span) for item in labels))
            case syntax.FlagsBody(labels):
                self._check_members(id_, "flags", "flag", [label.id for label in labels])
                if len(labels) > MAX_FLAGS:
                    self._errors.append(
                        ResolveError(
                            f"a flags type has at most {MAX_FLAGS} flags",
                            labels[MAX_FLAGS].id.span,
                            hint="split it in two",
                        )
                    )
                return Flags(tuple(Flag(item.id.name, item.docs, item.id.span) for item in labels))
            case _:
                assert_never(definition.body)

    def _check_members(self, owner: syntax.Id, kind: str, member: str, ids: list[syntax.Id]) -> None:
        if not ids:
            self._errors.append(
                ResolveError(f"the {kind} `{owner.name}` is empty", owner.span, hint=f"give it a {member}")
            )
        seen: dict[str, syntax.Id] = {}
        for id_ in ids:
            first = seen.setdefault(fold(id_.name), id_)
            if first is not id_:
                same = first.name == id_.name
                self._errors.append(
                    ItemConflict(
                        f"the {member} `{id_.name}` "
                        + ("stands here twice" if same else f"clashes with `{first.name}`"),
                        id_.span,
                        notes=[Note("the first one is here", first.span)],
                        hint=None if same else "names must differ in more than case and hyphens",
                    )
                )

    # --- Types in place ---------------------------------------------------------------------------------

    def use(self, scope: TypeScope, type_: syntax.Type, stability: Stability = None) -> Type:
        """A type where a value of it stands. A gate of the surrounding item covers types in place."""
        kind = self._kind(scope, type_, stability)
        if kind is None:
            return UNKNOWN
        if stability is None:
            stability = self._stability_of(kind)
        return self._share(kind, stability, type_.span)

    def borrow(self, resource: TypeId, span: Span) -> Type:
        """The type of a borrowed handle to a resource; `span` is what asks for it."""
        kind = Borrow(resource)
        return self._share(kind, self._stability_of(kind), span)

    def _share(self, kind: TypeKind, stability: Stability, span: Span) -> Type:
        match kind:
            case Alias(type_):
                return type_
            case Own(resource):
                # A value of a resource type is an owned handle: both spellings are one type.
                return resource
        known = self._in_place.get(kind)
        if known is None:
            known = self.add(DraftType(None, kind, None, span, stability=stability))
            self._in_place[kind] = known
        return known

    def _stability_of(self, kind: TypeKind) -> Stability:
        """A type in place is gated like the first gated type in it."""
        if isinstance(kind, Record | Variant):
            return None
        for item in types_in(kind):
            if not isinstance(item, Primitive) and self._draft.types[item].stability is not None:
                return self._draft.types[item].stability
        return None

    def _kind(self, scope: TypeScope, type_: syntax.Type, stability: Stability) -> TypeKind | None:
        """The kind that a type expression means, or None after a mistake."""
        match type_:
            case syntax.PrimitiveType(primitive):
                return Alias(primitive)
            case syntax.NamedType(id_):
                named = self._lookup(scope, id_)
                return None if named is None else Alias(named)
            case syntax.ListType(element, length):
                item = self.use(scope, element, stability)
                return List(item) if length is None else FixedLengthList(item, length)
            case syntax.MapType(key, value):
                kind = Map(self.use(scope, key, stability), self.use(scope, value, stability))
                # An alias of a primitive is no key: it may become another type.
                if not isinstance(key, syntax.PrimitiveType) or kind.key not in _MAP_KEYS:
                    self._errors.append(
                        ResolveError(
                            "this type cannot be the key of a map",
                            type_.span,
                            hint="keys are bool, integers, char or string, written out and not as an alias",
                        )
                    )
                    return None
                return kind
            case syntax.OptionType(item_type):
                return Option(self.use(scope, item_type, stability))
            case syntax.TupleType(types):
                if not types:
                    self._errors.append(ResolveError("a tuple has at least one type", type_.span))
                    return None
                return Tuple(tuple(self.use(scope, item, stability) for item in types))
            case syntax.ResultType(ok, err):
                return Result(
                    None if ok is None else self.use(scope, ok, stability),
                    None if err is None else self.use(scope, err, stability),
                )
            case syntax.FutureType(payload):
                return Future(None if payload is None else self.use(scope, payload, stability))
            case syntax.StreamType(payload):
                return Stream(None if payload is None else self.use(scope, payload, stability))
            case syntax.HandleType(resource, is_borrow):
                target = self._resource(scope, resource)
                if target is None:
                    return None
                return Borrow(target) if is_borrow else Own(target)
            case _:
                assert_never(type_)

    def _lookup(self, scope: TypeScope, id_: syntax.Id) -> TypeId | None:
        """The type of that name, or None after a mistake."""
        found = scope.types.get(id_.name)
        if found is not None or id_.name in scope.broken:
            return found
        if id_.name in scope.function_names:
            self._errors.append(ResolveError(f"`{id_.name}` is a function, not a type", id_.span))
            return None
        hint = (
            f"the type is called `{_RENAMED[id_.name]}` now"
            if id_.name in _RENAMED
            else did_you_mean(id_.name, [*scope.types, *(primitive.value for primitive in Primitive)])
        )
        self._errors.append(ItemNotFound(f"there is no type `{id_.name}`", id_.span, hint=hint))
        return None

    def _resource(self, scope: TypeScope, id_: syntax.Id) -> TypeId | None:
        named = self._lookup(scope, id_)
        if named is None:
            return None
        target = named
        while True:
            kind = self._draft.types[target].kind
            match kind:
                case Resource():
                    return named
                case ForeignType():
                    # Only linking can tell.
                    self._draft.resources_required.append((target, id_.span))
                    return named
                case Alias(type_) if not isinstance(type_, Primitive):
                    target = type_
                case _:
                    self._errors.append(_not_a_resource(f"`{id_.name}`", id_.span))
                    return None


def _not_a_resource(what: str, span: Span) -> ResolveError:
    return ResolveError(f"{what} is not a resource, and only resources have handles", span)


def _names_in(body: syntax.TypeBody) -> Iterable[syntax.Id]:
    """The type names in a definition, in the order of the text."""
    match body:
        case syntax.AliasBody(type_):
            pending: list[syntax.Type] = [type_]
        case syntax.RecordBody(fields):
            pending = [item.type for item in fields]
        case syntax.VariantBody(cases):
            pending = [case.type for case in cases if case.type is not None]
        case syntax.FlagsBody() | syntax.EnumBody() | syntax.ResourceBody():
            return
        case _:
            assert_never(body)
    pending.reverse()
    while pending:
        type_ = pending.pop()
        match type_:
            case syntax.NamedType(id_) | syntax.HandleType(id_):
                yield id_
            case syntax.PrimitiveType():
                pass
            case syntax.ListType(inner):
                pending.append(inner)
            case syntax.OptionType(inner):
                pending.append(inner)
            case syntax.MapType(key, value):
                pending += [value, key]
            case syntax.TupleType(types):
                pending += reversed(types)
            case syntax.ResultType(ok, err):
                pending += [side for side in (err, ok) if side is not None]
            case syntax.FutureType(payload) | syntax.StreamType(payload):
                if payload is not None:
                    pending.append(payload)
            case _:
                assert_never(type_)

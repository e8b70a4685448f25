"""Interfaces of a draft: the types that they use and define, and their functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingen_sdkgen.diagnostics import (
    ItemConflict,
    ItemNotFound,
    Note,
    ResolveError,
    WitError,
    did_you_mean,
)
from ingen_sdkgen.labels import NameScope
from ingen_sdkgen.model import Alias, Function, InterfaceId, InterfaceOwner, Span, TypeId
from ingen_sdkgen.resolve.drafts import DraftInterface, DraftType, ForeignType, PackageDraft
from ingen_sdkgen.resolve.functions import FunctionDrafter
from ingen_sdkgen.resolve.namespaces import FileNames
from ingen_sdkgen.resolve.types import TypeDrafter, TypeScope
from ingen_sdkgen.wit import syntax


class InterfaceDrafter:
    """Fills in interfaces of a package's draft; mistakes go to `errors`."""

    def __init__(
        self, draft: PackageDraft, types: TypeDrafter, functions: FunctionDrafter, errors: list[WitError]
    ) -> None:
        self._draft = draft
        self._types = types
        self._functions = functions
        self._errors = errors
        self._foreign_types: dict[tuple[InterfaceId, str], TypeId] = {}
        # What other interfaces may take from an interface; functions are there to say what they are.
        self._scopes: dict[InterfaceId, TypeScope] = {}

    def draft(
        self,
        id_: InterfaceId,
        members: Sequence[syntax.InterfaceItem],
        docs: str | None,
        gates: syntax.Gates,
        file: FileNames,
    ) -> None:
        """Fill in the interface of that number; those that it uses are filled in."""
        interface = self._draft.interfaces[id_]
        interface.docs, interface.stability = docs, gates.stability
        functions = [member for member in members if isinstance(member, syntax.NamedFunction)]
        scope = TypeScope(InterfaceOwner(id_), (function.id.name for function in functions))
        self.use_and_define(scope, members, file)
        interface.types = dict(scope.types)
        names = NameScope()
        for name in scope.types:
            self._check_name(names, name, scope.spans[name], scope.spans)
        spans = dict(scope.spans)
        for member in members:
            if isinstance(member, syntax.NamedFunction):
                self._interface_function(interface, scope, names, spans, member, None)
            elif isinstance(member, syntax.TypeDefinition) and isinstance(member.body, syntax.ResourceBody):
                for function in member.body.functions:
                    self._interface_function(interface, scope, names, spans, function, member.id)
        self.check_setters(interface.functions)
        self._scopes[id_] = scope

    def _interface_function(
        self,
        interface: DraftInterface,
        scope: TypeScope,
        names: NameScope,
        spans: dict[str, Span],
        member: syntax.NamedFunction,
        resource: syntax.Id | None,
    ) -> None:
        function = self._functions.draft(scope, member, resource)
        if self._check_name(names, function.name, member.id.span, spans):
            interface.functions[function.name] = function
            spans[function.name] = member.id.span

    def _check_name(self, names: NameScope, name: str, span: Span, spans: Mapping[str, Span]) -> bool:
        previous = names.add(name)
        if previous is None:
            return True
        same = previous == name
        self._errors.append(
            ItemConflict(
                f"the name `{name}` stands here twice" if same else f"`{name}` clashes with `{previous}`",
                span,
                notes=[Note("the first one is here", spans[previous])] if previous in spans else [],
                hint=None if same else "names must differ in more than case and hyphens",
            )
        )
        return False

    def check_setters(self, functions: Mapping[str, Function]) -> None:
        """Report the setters that have no getter."""
        for name, function in functions.items():
            if "[set]" in name and name.replace("[set]", "[get]") not in functions:
                self._errors.append(
                    ResolveError(
                        f"the setter `{name}` has no getter `{name.replace('[set]', '[get]')}`",
                        function.span,
                        hint="write the getter too; WIT has no properties that can only be set",
                    )
                )

    def use_and_define(
        self,
        scope: TypeScope,
        members: Sequence[syntax.InterfaceItem | syntax.WorldItemSyntax],
        file: FileNames,
    ) -> None:
        """Put the types into `scope` that an interface or world uses and defines."""
        for member in members:
            if isinstance(member, syntax.Use):
                self._use(scope, member, file)
        self._types.define(scope, members)

    def _use(self, scope: TypeScope, use: syntax.Use, file: FileNames) -> None:
        source = file.interface_at(use.path)
        for name in use.names:
            type_ = None if source is None else self._type_of(source, name.id, use.path)
            if type_ is None:
                scope.broken.add(name.local.name)
                continue
            alias = DraftType(
                name.local.name,
                Alias(type_),
                scope.owner,
                name.id.span,
                stability=use.gates.stability,
                external_id=use.gates.external_id,
            )
            self._types.name_type(scope, name.local, self._types.add(alias))

    def _type_of(self, source: InterfaceId, id_: syntax.Id, path: syntax.Path) -> TypeId | None:
        """The type of that name in an interface, or None after a mistake."""
        if self._draft.interfaces[source].foreign is not None:
            key = (source, id_.name)
            if key not in self._foreign_types:
                foreign = DraftType(None, ForeignType(source, id_.name), None, id_.span)
                self._foreign_types[key] = self._types.add(foreign)
            return self._foreign_types[key]
        scope = self._scopes.get(source)
        if scope is None:
            return None  # on a cycle, which is reported
        found = scope.types.get(id_.name)
        if found is None and id_.name not in scope.broken:
            if id_.name in scope.function_names:
                self._errors.append(
                    ResolveError(f"`{id_.name}` is a function, and only types can be used", id_.span)
                )
            else:
                self._errors.append(
                    ItemNotFound(
                        f"the interface `{path.id.name}` has no type `{id_.name}`",
                        id_.span,
                        hint=did_you_mean(id_.name, scope.types),
                    )
                )
        return found

"""Functions of a draft: signatures, and the rules for constructors, getters and setters."""

from __future__ import annotations

from ingen_sdkgen.diagnostics import ItemConflict, Note, ResolveError, WitError
from ingen_sdkgen.labels import fold
from ingen_sdkgen.model import (
    Alias,
    Function,
    FunctionKind,
    FunctionShape,
    Param,
    Primitive,
    Result,
    Type,
    TypeId,
    TypeKind,
)
from ingen_sdkgen.resolve.drafts import ForeignType, PackageDraft
from ingen_sdkgen.resolve.types import UNKNOWN, TypeDrafter, TypeScope
from ingen_sdkgen.wit import syntax


class FunctionDrafter:
    """Makes out functions of a package's draft; mistakes go to `errors`."""

    def __init__(self, draft: PackageDraft, types: TypeDrafter, errors: list[WitError]) -> None:
        self._draft = draft
        self._types = types
        self._errors = errors

    def draft(self, scope: TypeScope, item: syntax.NamedFunction, resource: syntax.Id | None) -> Function:
        """The signature of a function; `resource` is the one that it belongs to."""
        written = item.function
        resource_type = None if resource is None else scope.types.get(resource.name)
        kind = FunctionKind(_shape(item, resource is not None), resource_type)
        params: list[Param] = []
        if resource is not None and not item.is_static and not item.is_constructor:
            self_type: Type = UNKNOWN
            if resource_type is not None:
                self_type = self._types.borrow(resource_type, written.span)
            params.append(Param("self", self_type, written.span))
        seen = {param.name: written.span for param in params}
        folded = {fold(param.name) for param in params}
        for param in written.params:
            if fold(param.id.name) in folded:
                first = seen.get(param.id.name)
                self._errors.append(
                    ItemConflict(
                        f"the parameter `{param.id.name}` stands here twice",
                        param.id.span,
                        notes=[] if first is None else [Note("the first one is here", first)],
                        hint="a method has `self` already" if param.id.name == "self" else None,
                    )
                )
            folded.add(fold(param.id.name))
            seen[param.id.name] = param.id.span
            params.append(Param(param.id.name, self._types.use(scope, param.type), param.id.span))
        errors_before = len(self._errors)
        result = None if written.result is None else self._types.use(scope, written.result)
        if len(self._errors) == errors_before:
            if item.is_constructor and resource is not None and resource_type is not None:
                result = self._constructor_result(resource.name, resource_type, written.result, result)
            if written.accessor is not None:
                self._check_accessor(item, result)
        return Function(
            _component_name(item, resource),
            kind,
            tuple(params),
            result,
            item.docs,
            item.gates.stability,
            item.gates.external_id,
            item.id.span,
        )

    def _constructor_result(
        self, name: str, resource: TypeId, written: syntax.Type | None, result: Type | None
    ) -> Type:
        if written is None or result is None:
            return resource
        kind = None if isinstance(result, Primitive) else self._draft.types[result].kind
        if not isinstance(kind, Result):
            self._errors.append(
                ResolveError(
                    "a constructor returns its resource, or a result of it",
                    written.span,
                    hint=f"write nothing, or `-> result<{name}, …>`",
                )
            )
        elif kind.ok != resource:
            ok = written.ok if isinstance(written, syntax.ResultType) else None
            self._errors.append(
                ResolveError(
                    f"the constructor of `{name}` must return `{name}` when it succeeds",
                    written.span if ok is None else ok.span,
                )
            )
        return result

    def _check_accessor(self, item: syntax.NamedFunction, result: Type | None) -> None:
        function = item.function
        if function.accessor == "get":
            if function.params:
                self._errors.append(ResolveError("a getter has no parameters", function.params[0].id.span))
            if function.result is None:
                self._errors.append(ResolveError("a getter returns a value", function.span))
            return
        if len(function.params) != 1:
            self._errors.append(ResolveError("a setter has one parameter", function.span))
        if function.result is not None:
            kind: TypeKind | ForeignType | None = None
            target = result
            while target is not None and not isinstance(target, Primitive):
                kind = self._draft.types[target].kind
                target = kind.type if isinstance(kind, Alias) else None
            if not isinstance(kind, ForeignType) and not (isinstance(kind, Result) and kind.ok is None):
                self._errors.append(
                    ResolveError(
                        "a setter returns nothing, or a result without an `ok` type",
                        function.result.span,
                        hint="write `-> result<_, …>`",
                    )
                )


def _shape(item: syntax.NamedFunction, of_resource: bool) -> FunctionShape:
    function = item.function
    if item.is_constructor:
        return FunctionShape.CONSTRUCTOR
    if function.accessor is not None:
        prefix = ("static-" if item.is_static else "method-") if of_resource else ""
        return FunctionShape(f"{prefix}{function.accessor}ter")
    prefix = "async-" if function.is_async else ""
    if not of_resource:
        return FunctionShape(prefix + "freestanding")
    return FunctionShape(prefix + ("static" if item.is_static else "method"))


def _component_name(item: syntax.NamedFunction, resource: syntax.Id | None) -> str:
    """The name that the component level knows a function by."""
    if item.is_constructor and resource is not None:
        return f"[constructor]{resource.name}"
    accessor = "" if item.function.accessor is None else f"[{item.function.accessor}]"
    if resource is None:
        return accessor + item.id.name
    return f"[{'static' if item.is_static else 'method'}]{accessor}{resource.name}.{item.id.name}"

"""The exception classes of a world: one for each type that functions fail with."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_sdkgen.languages.plan import FunctionPlan, Plan
from ingen_sdkgen.languages.python.types import Annotator, Position, PyTypes
from ingen_sdkgen.model import Enum, Flags, Primitive, Record, Result, TypeId, Variant


@dataclass(frozen=True, slots=True)
class ErrorView:
    """The exception class for functions whose result has this type of error."""

    name: str
    key: str
    value: str
    label: str


def whole_result(plan: Plan, function: FunctionPlan) -> Result | None:
    """The `result` that is all of a function's result, which returns or raises."""
    if function.result is None:
        return None
    meant = plan.dealias(function.result)
    kind = None if isinstance(meant, Primitive) else plan.types[meant].kind
    return kind if isinstance(kind, Result) else None


class Errors:
    """The exception classes, by the module that has the type."""

    def __init__(self, plan: Plan, types: PyTypes) -> None:
        self._plan = plan
        self._names: dict[TypeId, str] = {}
        self._views: dict[str, dict[str, ErrorView]] = {}
        for scope in plan.scopes:
            for function in scope.functions:
                error = self.type_of(function)
                if error is not None and error not in self._names:
                    self._names[error] = self._view(types, error).name

    def of_module(self, module: str) -> list[ErrorView]:
        """The exception classes for a module's types."""
        return list(self._views.get(module, {}).values())

    def type_of(self, function: FunctionPlan) -> TypeId | None:
        """The nominal type of a function's error, where it has one."""
        result = whole_result(self._plan, function)
        if result is None or result.err is None:
            return None
        error = self._plan.canonical(result.err)
        if isinstance(error, Primitive):
            return None
        kind = self._plan.types[error].kind
        return error if isinstance(kind, Record | Variant | Enum | Flags) else None

    def class_of(self, function: FunctionPlan) -> str | None:
        """The name of what a function raises, in the module of the type; None for a plain ResultError."""
        error = self.type_of(function)
        return None if error is None else self._names[error]

    def name_of(self, type_: TypeId) -> str | None:
        """The name of the exception class for a type, in the module of the type."""
        return self._names.get(type_)

    def raised(self, function: FunctionPlan, annotator: Annotator) -> str | None:
        """What documentation says of it; None for what returns no `result`."""
        whole = whole_result(self._plan, function)
        if whole is None:
            return None
        name = self.class_of(function)
        if name is not None:
            return name
        value = "no value" if whole.err is None else f"a value: {annotator.annotate(whole.err, Position.GOT)}"
        return f"ResultError, with {value}"

    def _view(self, types: PyTypes, error: TypeId) -> ErrorView:
        module = types.module(types.scope_of(error))
        views = self._views.setdefault(module, {})
        value = types.class_of(error)
        if value not in views:
            plain = "Exception" if value.endswith(("Error", "ErrorCode")) else "Error"
            name = types.names[module].claim(f"{value}{plain}")
            planned = self._plan.types[error]
            owner = types.scope_of(error)
            key = planned.name if owner.key is None else f"{owner.key}#{planned.name}"
            views[value] = ErrorView(name, key or "", value, planned.name or "")
        return views[value]

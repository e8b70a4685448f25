"""What the IR guarantees and a binary may break.

That a binary is a valid component otherwise is not checked when it is decoded.

Source: Explainer.md, "Type Definitions" and "Name Uniqueness".
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode.names import check_label
from ingen_sdkgen.model import (
    Borrow,
    Function,
    FunctionShape,
    Own,
    Primitive,
    Result,
    Type,
    TypeDef,
    TypeId,
)

MAX_FLAGS = 32

_NO_KEYS = {Primitive.F32, Primitive.F64, Primitive.ERROR_CONTEXT}
_METHODS = {
    FunctionShape.METHOD,
    FunctionShape.ASYNC_METHOD,
    FunctionShape.METHOD_GETTER,
    FunctionShape.METHOD_SETTER,
}
_GETTERS = {FunctionShape.GETTER, FunctionShape.METHOD_GETTER, FunctionShape.STATIC_GETTER}
_SETTERS = {FunctionShape.SETTER, FunctionShape.METHOD_SETTER, FunctionShape.STATIC_SETTER}


def check_names(names: Sequence[str], what: str, offset: int) -> None:
    """Check that all are plain names, and differ in more than case.

    Raises: ComponentFormatError.
    """
    seen: set[str] = set()
    for name in names:
        folded = check_label(name, what, offset).lower()
        if folded in seen:
            raise ComponentFormatError(f"`{name}` is the name of {what} twice", offset)
        seen.add(folded)


def check_members(names: Sequence[str], what: str, offset: int) -> None:
    """Check the names of a type's members, of which there is at least one.

    Raises: ComponentFormatError.
    """
    if not names:
        raise ComponentFormatError(f"a type needs {what} at least", offset)
    check_names(names, what, offset)


def check_map_key(key: Type, offset: int) -> Type:
    """`key`, if a map can have it as its key type.

    Raises: ComponentFormatError, if it cannot.
    """
    if not isinstance(key, Primitive) or key in _NO_KEYS:
        raise ComponentFormatError("the keys of a map must be a primitive type, and no floats", offset)
    return key


def check_function(
    function: Function, types: Sequence[TypeDef], borrowing: Container[TypeId], offset: int
) -> None:
    """Check that parameters and result are what the shape of the function demands.

    Raises: ComponentFormatError.
    """
    shape, resource, result = function.kind.shape, function.kind.resource, function.result
    params = function.params
    if result is not None and not isinstance(result, Primitive) and result in borrowing:
        raise ComponentFormatError(f"the result of `{function.name}` has a borrowed handle in it", offset)
    if shape in _METHODS:
        if not params or params[0].name != "self" or _kind(params[0].type, types) != Borrow(_id(resource)):
            raise ComponentFormatError(f"`{function.name}` has no `self` parameter", offset)
        params = params[1:]
    if shape is FunctionShape.CONSTRUCTOR and not _constructs(result, _id(resource), types):
        raise ComponentFormatError(f"the result of `{function.name}` is not the resource", offset)
    if shape in _GETTERS and (params or result is None):
        raise ComponentFormatError(f"`{function.name}` is no getter: it takes nothing and returns", offset)
    if shape in _SETTERS and (len(params) != 1 or not _reports_nothing_or_an_error(result, types)):
        raise ComponentFormatError(f"`{function.name}` is no setter: it takes one value", offset)


def _id(resource: TypeId | None) -> TypeId:
    assert resource is not None, "functions of this shape belong to a resource"
    return resource


def _kind(type_: Type | None, types: Sequence[TypeDef]) -> object:
    return None if type_ is None or isinstance(type_, Primitive) else types[type_].kind


def _constructs(result: Type | None, resource: TypeId, types: Sequence[TypeDef]) -> bool:
    kind = _kind(result, types)
    return kind == Own(resource) or (isinstance(kind, Result) and _kind(kind.ok, types) == Own(resource))


def _reports_nothing_or_an_error(result: Type | None, types: Sequence[TypeDef]) -> bool:
    kind = _kind(result, types)
    return result is None or (isinstance(kind, Result) and kind.ok is None)

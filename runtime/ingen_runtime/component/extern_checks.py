"""The rules for names and types of imports and exports.

Source: component-model Explainer.md, "Import and Export Definitions"; Binary.md, its notes on validation.
"""

from __future__ import annotations

from ingen_runtime.component.binary.syntax import BorrowDef, ExternName, OwnDef, ResultDef
from ingen_runtime.component.entities import (
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ResourceEntity,
    TypeRef,
    sort_of,
)
from ingen_runtime.component.names import (
    Accessor,
    AnnotatedName,
    Annotation,
    InvalidNameError,
    PlainName,
    parse_interface_name,
    parse_name,
    unique_key,
)
from ingen_runtime.component.visibility import NamedDefinitions
from ingen_runtime.errors import ComponentFormatError


def check_extern_name(
    name: ExternName, extern: Extern, keys: dict[str, str], known: NamedDefinitions, what: str, offset: int
) -> None:
    """Check the name of an import or export (`what`) and its attributes, and add it to `keys`.

    Raises: ComponentFormatError.
    """
    try:
        parsed = parse_name(name.name)
        key = unique_key(parsed, name.name)
        if isinstance(parsed, AnnotatedName):
            _check_annotated(parsed, extern, known)
        if isinstance(parsed, PlainName | AnnotatedName) and parsed.accessor is not None:
            _check_accessor(parsed, name.name, extern, keys)
    except InvalidNameError as error:
        raise ComponentFormatError(f"{what} name `{name}` is not valid: {error}", offset) from None
    if key in keys:
        raise ComponentFormatError(f"{what} name `{name}` conflicts with previous name `{keys[key]}`", offset)
    keys[key] = name.name
    if name.implements is not None:
        if not isinstance(extern, InstanceType):
            raise ComponentFormatError(
                f"only instances can have `implements`, and {what} `{name}` is a {sort_of(extern).value}",
                offset,
            )
        if not isinstance(parsed, PlainName):
            raise ComponentFormatError(f"{what} name `{name}` is not valid with `implements`", offset)
        try:
            parse_interface_name(name.implements)
        except InvalidNameError as error:
            raise ComponentFormatError(
                f"the `implements` of {what} `{name}` must be an interface: {error}", offset
            ) from None


def _check_annotated(name: AnnotatedName, extern: Extern, known: NamedDefinitions) -> None:
    if not isinstance(extern, FuncEntity):
        raise InvalidNameError("it is not a func")
    match name.annotation:
        case Annotation.CONSTRUCTOR:
            _check_resource(_constructed(extern), name.resource, known)
        case Annotation.METHOD:
            if not extern.params:
                raise InvalidNameError("a method has at least one parameter")
            label, self_type = extern.params[0]
            if label != "self":
                raise InvalidNameError("the first parameter of a method is called `self`")
            if not isinstance(self_type, DefinedType) or not isinstance(self_type.definition, BorrowDef):
                raise InvalidNameError("the first parameter of a method is a `borrow` of its resource")
            _check_resource(self_type, name.resource, known)
        case Annotation.STATIC:
            if not known.has_resource_named(name.resource):
                raise InvalidNameError(f"there is no resource `{name.resource}` in this context")


def _check_accessor(name: PlainName | AnnotatedName, text: str, extern: Extern, keys: dict[str, str]) -> None:
    if not isinstance(extern, FuncEntity):
        raise InvalidNameError("it is not a func")
    if extern.is_async:
        raise InvalidNameError("a getter or setter cannot be async")
    of_object = isinstance(name, AnnotatedName) and name.annotation is Annotation.METHOD
    params = len(extern.params) - of_object
    if name.accessor is Accessor.GET:
        if params or extern.result is None:
            raise InvalidNameError("a getter takes nothing and returns a value")
        return
    if params != 1 or not _returns_nothing(extern.result):
        raise InvalidNameError("a setter takes one value and returns nothing, or a `result` without one")
    getter = text.replace("[set]", "[get]")
    if keys.get(unique_key(parse_name(getter), getter)) != getter:
        raise InvalidNameError(f"there is no `{getter}` before it")


def _returns_nothing(result: TypeRef | None) -> bool:
    if isinstance(result, DefinedType) and isinstance(result.definition, ResultDef):
        return result.definition.ok is None
    return result is None


def _constructed(func: FuncEntity) -> DefinedType:
    result: TypeRef | None = func.result
    if result is None:
        raise InvalidNameError("a constructor returns one value")
    if isinstance(result, DefinedType) and isinstance(result.definition, ResultDef):
        ok = result.definition.ok
        operand = result.operands[0] if isinstance(ok, int) else None
        result = operand if isinstance(operand, DefinedType) else None
    if not isinstance(result, DefinedType) or not isinstance(result.definition, OwnDef):
        raise InvalidNameError("a constructor returns `own<T>` or `result<own<T>>`")
    return result


def _check_resource(handle: DefinedType, name: str, known: NamedDefinitions) -> None:
    entity = handle.operands[0]
    assert isinstance(entity, ResourceEntity)
    found = known.resource_name(entity)
    if found is None:
        raise InvalidNameError("the function's resource has no name in this context")
    if found != name:
        raise InvalidNameError(f"the function's resource is called `{found}`, not `{name}`")

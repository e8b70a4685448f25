"""Evaluates definitions of value types and function types, and the rules that they must keep.

Source: component-model Explainer.md, "Type Definitions"; Binary.md, the notes on validation.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingen_runtime.component.binary.syntax import (
    BorrowDef,
    EnumDef,
    FlagsDef,
    FuncDef,
    FutureDef,
    ListDef,
    MapDef,
    OptionDef,
    OwnDef,
    RecordDef,
    ResultDef,
    StreamDef,
    TupleDef,
    ValTypeDef,
    ValTypeRef,
    VariantDef,
)
from ingen_runtime.component.entities import DefinedType, FuncEntity, Operand, TypeRef
from ingen_runtime.component.names import InvalidNameError, check_label
from ingen_runtime.component.scope import MAX_TYPE_DEPTH, MAX_TYPE_NODES, Scope
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.component.value_size import MAX_VALUE_SIZE, value_size
from ingen_runtime.errors import ComponentFormatError

_KEY_TYPES = frozenset(
    {
        PrimitiveType.BOOL,
        PrimitiveType.S8,
        PrimitiveType.U8,
        PrimitiveType.S16,
        PrimitiveType.U16,
        PrimitiveType.S32,
        PrimitiveType.U32,
        PrimitiveType.S64,
        PrimitiveType.U64,
        PrimitiveType.CHAR,
        PrimitiveType.STRING,
    }
)


def evaluate_val_type(scope: Scope, definition: ValTypeDef, offset: int) -> DefinedType:
    """Evaluate the definition of a value type.

    Raises: ComponentFormatError.
    """
    _check_definition(definition, offset)
    operands: list[Operand] = []
    if isinstance(definition, OwnDef | BorrowDef):
        operands.append(scope.resource(definition.resource, offset))
    for ref in _refs(definition):
        if isinstance(ref, int):
            operands.append(scope.defined_type(ref, offset))
    nodes = 1 + sum(operand.node_count for operand in operands if isinstance(operand, DefinedType))
    if nodes > MAX_TYPE_NODES:
        raise ComponentFormatError(f"the type has more than {MAX_TYPE_NODES} parts", offset)
    if any(isinstance(operand, DefinedType) and operand.depth >= MAX_TYPE_DEPTH for operand in operands):
        raise ComponentFormatError(f"value types nest deeper than {MAX_TYPE_DEPTH}", offset)
    scope.budget.charge(nodes)
    type_ = DefinedType(definition, tuple(operands))
    if isinstance(definition, StreamDef | FutureDef) and any(
        isinstance(operand, DefinedType) and operand.has_borrow for operand in operands
    ):
        raise ComponentFormatError("the payload of a stream or future cannot contain a `borrow`", offset)
    if isinstance(definition, MapDef):
        key = definition.key
        if (
            key if isinstance(key, PrimitiveType) else scope.defined_type(key, offset).type
        ) not in _KEY_TYPES:
            raise ComponentFormatError(
                "the key of a map is a bool, an integer, a char or a string, nothing else", offset
            )
    if value_size(type_.type) >= MAX_VALUE_SIZE:
        raise ComponentFormatError(
            f"the type exceeds the maximum byte size: a value has less than {MAX_VALUE_SIZE} bytes",
            offset,
        )
    return type_


def evaluate_ref(scope: Scope, ref: ValTypeRef, offset: int) -> TypeRef:
    """Evaluate a value type where it is used.

    Raises: ComponentFormatError.
    """
    return ref if isinstance(ref, PrimitiveType) else scope.defined_type(ref, offset)


def evaluate_func_type(scope: Scope, definition: FuncDef, offset: int) -> FuncEntity:
    """Evaluate the definition of a function type.

    Raises: ComponentFormatError.
    """
    check_labels("parameter", (label for label, _ in definition.params), offset)
    params = tuple((label, evaluate_ref(scope, ref, offset)) for label, ref in definition.params)
    result = None if definition.result is None else evaluate_ref(scope, definition.result, offset)
    if isinstance(result, DefinedType) and result.has_borrow:
        raise ComponentFormatError("the result of a function cannot contain a `borrow`", offset)
    func = FuncEntity(params, result, definition.is_async)
    scope.budget.charge(1 + len(params) + sum(type_.node_count for type_ in func.mentioned()))
    return func


def check_labels(what: str, labels: Iterable[str], offset: int) -> None:
    """Check that labels are in kebab case and, compared without case, unique.

    Raises: ComponentFormatError.
    """
    seen: dict[str, str] = {}
    for label in labels:
        try:
            check_label(label)
        except InvalidNameError as error:
            raise ComponentFormatError(f"{what} name: {error}", offset) from None
        key = label.lower()
        if key in seen:
            raise ComponentFormatError(
                f"{what} name `{label}` conflicts with previous name `{seen[key]}`", offset
            )
        seen[key] = label


def _check_definition(definition: ValTypeDef, offset: int) -> None:
    match definition:
        case RecordDef(fields):
            _check_some(fields, "a record has at least one field", offset)
            check_labels("field", (label for label, _ in fields), offset)
        case VariantDef(cases):
            _check_some(cases, "a variant has at least one case", offset)
            check_labels("case", (label for label, _ in cases), offset)
        case TupleDef(types):
            _check_some(types, "a tuple has at least one type", offset)
        case FlagsDef(labels):
            _check_some(labels, "flags have at least one label", offset)
            if len(labels) > 32:
                raise ComponentFormatError(f"flags have at most 32 labels, these have {len(labels)}", offset)
            check_labels("flag", labels, offset)
        case EnumDef(labels):
            _check_some(labels, "an enum has at least one label", offset)
            check_labels("enum case", labels, offset)
        case ListDef(_, 0):
            raise ComponentFormatError("a list of a fixed length has at least one element", offset)
        case StreamDef(PrimitiveType.CHAR):
            raise ComponentFormatError("`stream<char>` is not valid: its encoding is not settled yet", offset)
        case _:
            pass


def _check_some(items: tuple[object, ...], message: str, offset: int) -> None:
    if not items:
        raise ComponentFormatError(message, offset)


def _refs(definition: ValTypeDef) -> list[ValTypeRef]:
    """The value types that a definition uses, in the order in which it writes them."""
    match definition:
        case RecordDef(fields):
            return [ref for _, ref in fields]
        case VariantDef(cases):
            return [ref for _, ref in cases if ref is not None]
        case ListDef(element, _):
            return [element]
        case MapDef(key, value):
            return [key, value]
        case TupleDef(types):
            return list(types)
        case OptionDef(inner):
            return [inner]
        case ResultDef(ok, err):
            return [ref for ref in (ok, err) if ref is not None]
        case StreamDef(element_ref) | FutureDef(element_ref):
            return [] if element_ref is None else [element_ref]
        case PrimitiveType() | FlagsDef() | EnumDef() | OwnDef() | BorrowDef():
            return []

"""Finding out which part of a host's value does not fit its type, after generated code has stumbled over it.

Slow and thorough; also what generated code calls to make a value regular (a sequence into a list).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.layout import MAX_LIST_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH, elem_size
from ingen_runtime.canonical.resources import Resource
from ingen_runtime.canonical.values import Err, Ok, Some
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.errors import HostValueError

INTEGER_RANGES = {
    PrimitiveType.U8: (0, (1 << 8) - 1),
    PrimitiveType.U16: (0, (1 << 16) - 1),
    PrimitiveType.U32: (0, (1 << 32) - 1),
    PrimitiveType.U64: (0, (1 << 64) - 1),
    PrimitiveType.S8: (-(1 << 7), (1 << 7) - 1),
    PrimitiveType.S16: (-(1 << 15), (1 << 15) - 1),
    PrimitiveType.S32: (-(1 << 31), (1 << 31) - 1),
    PrimitiveType.S64: (-(1 << 63), (1 << 63) - 1),
}
_F32_MAX = 3.4028235677973366e38  # the least double that rounds to infinity as an f32


def to_int(value: Any) -> int:
    """An integer for what is no plain `int`: numpy's integers, enum.IntEnum.

    Raises: TypeError for a bool and for what is no integer.
    """
    if isinstance(value, bool):
        raise TypeError("a bool is no integer here")
    return operator.index(value)


def to_s8(value: Any) -> int:
    """An integer that fits an s8.

    Raises: TypeError, ValueError.
    """
    return _in_range(to_int(value), PrimitiveType.S8)


def to_s16(value: Any) -> int:
    """An integer that fits an s16.

    Raises: TypeError, ValueError.
    """
    return _in_range(to_int(value), PrimitiveType.S16)


def _in_range(value: int, type_: PrimitiveType) -> int:
    low, high = INTEGER_RANGES[type_]
    if low <= value <= high:
        return value
    raise ValueError(f"{value} is out of range")


def to_bytes(value: Any) -> bytes | memoryview:
    """The bytes of a `list<u8>`: any buffer of bytes that have no sign, or a list or tuple of integers.

    Raises: TypeError, ValueError.
    """
    if isinstance(value, list | tuple):
        if bool in set(map(type, value)):
            raise TypeError("a bool is no integer here")
        return bytes(value)
    view = memoryview(value)
    if view.itemsize != 1 or view.format[-1] == "b":  # signed: a negative one would wrap
        raise TypeError("a buffer of bytes is wanted")
    return view.cast("B") if view.c_contiguous and view.nbytes else view.tobytes()


def to_list(value: Any) -> list[Any] | tuple[Any, ...]:
    """A list for any sequence or any one-dimensional buffer; strings are none here.

    Raises: TypeError.
    """
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, str):
        raise TypeError("a string is no list here")
    if isinstance(value, Sequence):
        return list(value)
    items: list[Any] = memoryview(value).tolist()
    return items


def to_bits(value: Any) -> Any:
    """Never returns: the value is of another class.

    Raises: TypeError.
    """
    raise TypeError(f"{type(value).__name__} is another class")


def lower_bool(value: Any) -> Any:
    """Never returns: the value is no bool.

    Raises: TypeError.
    """
    raise TypeError(f"{type(value).__name__} is no bool")


def lower_char(value: Any) -> int:
    """The code point of a string with one character.

    Raises: TypeError, ValueError.
    """
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no char")
    code_point = ord(value)
    if 0xD800 <= code_point <= 0xDFFF:
        raise ValueError("a surrogate is no char")
    return code_point


def lower_chars(values: Any) -> bytes:
    """The code points of a list of characters, as u32.

    Raises: TypeError, ValueError.
    """
    text = "".join(values)
    if len(text) != len(values) or any(len(value) != 1 for value in values):
        raise ValueError("each item must be one character")
    return text.encode("utf-32-le")


def lower_bools(values: Any) -> bytes:
    """The bytes of a list of bools.

    Raises: TypeError.
    """
    if set(map(type, values)) - {bool}:
        raise TypeError("each item must be a bool")
    return bytes(values)


class Checker:
    """Finds the first part of a host's value that does not fit its type."""

    def __init__(self, classes: ValueClasses, resources: Mapping[ResourceType, Resource]) -> None:
        self._classes = classes
        self._resources = resources

    def find(self, type_: ValType, value: Any, path: str) -> HostValueError | None:
        """The error to raise for `value`, None where it fits."""
        match type_:
            case PrimitiveType():
                return self._primitive(type_, value, path)
            case RecordType():
                return self._record(type_, value, path)
            case VariantType():
                return self._variant(type_, value, path)
            case ListType(element):
                return self._list(type_, element, None, value, path)
            case FixedListType(element, length):
                return self._list(type_, element, length, value, path)
            case MapType():
                return self._map(type_, value, path)
            case TupleType(types):
                if not isinstance(value, tuple) or len(value) != len(types):
                    return _error(path, f"a tuple of {len(types)}", value)
                return self._first(
                    zip(types, value, (f"{path}[{i}]" for i in range(len(types))), strict=True)
                )
            case FlagsType():
                flags = self._classes.flags(type_)
                return None if type(value) is flags else _error(path, f"flags {flags.__name__}", value)
            case EnumType():
                enum = self._classes.enum(type_)
                return None if type(value) is enum else _error(path, f"enum {enum.__name__}", value)
            case OptionType(some):
                return self._option(some, value, path)
            case ResultType(ok, err):
                if type(value) is not Ok and type(value) is not Err:
                    return _error(path, "Ok or Err", value)
                side = ok if type(value) is Ok else err
                return self.payload(side, value.value, f"{path}.{'ok' if type(value) is Ok else 'err'}")
            case OwnType(resource) | BorrowType(resource):
                expected = self._resources[resource].mismatch(value) if resource in self._resources else None
                return None if expected is None else _error(path, expected, value)
            case StreamType() | FutureType():
                return None
            case _:
                assert_never(type_)

    def _first(self, parts: Any) -> HostValueError | None:
        return next((error for part in parts if (error := self.find(*part)) is not None), None)

    def payload(self, type_: ValType | None, value: Any, path: str) -> HostValueError | None:
        """The error to raise for what a case carries; where `type_` is None, that is nothing."""
        if type_ is not None:
            return self.find(type_, value, path)
        return None if value is None else _error(path, "None", value)

    def _primitive(self, type_: PrimitiveType, value: Any, path: str) -> HostValueError | None:
        match type_:
            case PrimitiveType.BOOL:
                return None if isinstance(value, bool) else _error(path, "a bool", value)
            case PrimitiveType.F32 | PrimitiveType.F64:
                return _float_error(type_, value, path)
            case PrimitiveType.CHAR:
                valid = isinstance(value, str) and len(value) == 1 and not "\ud800" <= value <= "\udfff"
                return None if valid else _error(path, "a str of one character (no surrogate)", value)
            case PrimitiveType.STRING:
                return _string_error(value, path)
            case PrimitiveType.ERROR_CONTEXT:
                return None
            case _:
                low, high = INTEGER_RANGES[type_]
                expected = f"{type_.value}: an int from {low} to {high}"
                try:
                    valid = low <= to_int(value) <= high
                except TypeError:
                    valid = False
                return None if valid else _error(path, expected, value)

    def _record(self, type_: RecordType, value: Any, path: str) -> HostValueError | None:
        record = self._classes.record(type_)
        for field, attribute in zip(type_.fields, record.attributes, strict=True):
            if not hasattr(value, attribute):
                return _error(path, f"a {record.class_.__name__}", value)
            if error := self.find(field.type, getattr(value, attribute), f"{path}.{field.label}"):
                return error
        return None

    def _variant(self, type_: VariantType, value: Any, path: str) -> HostValueError | None:
        classes = self._classes.variant(type_).cases
        for case, class_ in zip(type_.cases, classes, strict=True):
            if type(value) is class_:
                if case.type is None:
                    return None
                return self.find(case.type, value.value, f"{path}.{case.label}")
        return _error(path, " or ".join(class_.__qualname__ for class_ in classes), value)

    def _list(
        self, type_: ValType, element: ValType, length: int | None, value: Any, path: str
    ) -> HostValueError | None:
        is_bytes = element is PrimitiveType.U8 and not isinstance(value, list | tuple)
        items: Any
        try:
            items = to_bytes(value) if is_bytes else to_list(value)
        except TypeError:
            wanted = "bytes, or a buffer of bytes" if is_bytes else "a list or another sequence"
            return _error(path, wanted, value)
        if length is not None and len(items) != length:
            return HostValueError(path, f"{length} items", f"{len(items)}")
        byte_length = len(items) * elem_size(element)
        if length is None and byte_length > MAX_LIST_BYTE_LENGTH:
            return HostValueError(path, f"at most {MAX_LIST_BYTE_LENGTH} bytes", f"{byte_length}")
        if is_bytes:
            return None
        return self._first((element, item, f"{path}[{index}]") for index, item in enumerate(items))

    def _map(self, type_: MapType, value: Any, path: str) -> HostValueError | None:
        if not isinstance(value, Mapping):
            return _error(path, "a dict", value)
        for key, item in value.items():
            if error := self.find(type_.key, key, f"{path}.keys"):
                return error
            if error := self.find(type_.value, item, f"{path}[{key!r:.40}]"):
                return error
        return None

    def _option(self, some: ValType, value: Any, path: str) -> HostValueError | None:
        if value is None:
            return None
        if not isinstance(some, OptionType):
            return self.find(some, value, path)
        if type(value) is not Some:
            return _error(path, "None or Some", value)
        return self.find(some, value.value, f"{path}.some")


def _error(path: str, expected: str, value: Any) -> HostValueError:
    return HostValueError(path, expected, f"{type(value).__name__} {value!r:.60}")


def _string_error(value: Any, path: str) -> HostValueError | None:
    if not isinstance(value, str):
        return _error(path, "a str", value)
    try:
        byte_length = len(value.encode())
    except UnicodeEncodeError as error:
        surrogate = f"U+{ord(value[error.start]):04X} at index {error.start}"
        return HostValueError(path, "a str without lone surrogates", surrogate)
    if byte_length > MAX_STRING_BYTE_LENGTH:
        return HostValueError(path, f"at most {MAX_STRING_BYTE_LENGTH} bytes", f"{byte_length}")
    return None


def _float_error(type_: PrimitiveType, value: Any, path: str) -> HostValueError | None:
    if isinstance(value, str | bytes | bytearray):
        return _error(path, "a float", value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return _error(path, "a float", value)
    if type_ is PrimitiveType.F32 and not math.isinf(number) and abs(number) >= _F32_MAX:
        return _error(path, "a float that an f32 can hold", value)
    return None

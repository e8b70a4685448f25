"""What a host may pass, and what it gets told where that does not fit."""

from __future__ import annotations

import array
import enum
from collections import OrderedDict, UserList, deque
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ingen_runtime.canonical import (
    BorrowScope,
    Err,
    Ok,
    Some,
    StringEncoding,
    ValueClasses,
    ValuesPlan,
    check,
    compile_lift,
    compile_lower,
    lowering,
)
from ingen_runtime.component.types import (
    CaseType,
    EnumType,
    FieldType,
    FixedListType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.errors import HostValueError
from tests.runtime.canonical.guest import FakeFunction, Guest

P = PrimitiveType
CLASSES = ValueClasses()
POINT = RecordType((FieldType("x", P.S8), FieldType("max-y", P.F32)), "point")
SHAPE = VariantType((CaseType("circle", P.F64), CaseType("none", None), CaseType("at", POINT)), "shape")
COLOR = EnumType(("red", "dark-red"), "color")
RIGHTS = FlagsType(("read", "write"), "rights")
Point = CLASSES.record(POINT).class_
Circle, None_, At = CLASSES.variant(SHAPE).cases
Color: Any = CLASSES.enum(COLOR)
Rights: Any = CLASSES.flags(RIGHTS)


class Other(enum.Enum):
    RED = "red"


class OtherFlag(enum.Flag):
    READ = 1


class Number(enum.IntEnum):
    SEVEN = 7


class Index:
    def __index__(self) -> int:
        return 9


def through(type_: ValType, value: Any, encoding: StringEncoding = StringEncoding.UTF8) -> Any:
    """The value after it has been through a guest's memory."""
    guest = Guest()
    plan = ValuesPlan([type_], encoding, CLASSES, name="test")
    ptr = guest.allocate(8, 4096)
    plan.bind_store(guest.endpoint)(ptr, (value,), BorrowScope(), [])
    (stored,) = plan.bind_load(guest.endpoint)(ptr, [])
    raw = bytearray(16 * 16)
    plan.bind_lower(guest.endpoint)(raw, 0, (value,), BorrowScope(), [])
    assert plan.bind_lift(guest.endpoint)(raw, 0, []) == (stored,)
    return stored


@pytest.mark.parametrize(
    ("type_", "value", "same"),
    [
        (P.U8, Number.SEVEN, 7),
        (P.S16, Index(), 9),
        (P.F64, 3, 3.0),
        (P.F32, True, 1.0),
        (P.F64, Decimal("1.5"), 1.5),
        (P.F32, float("inf"), float("inf")),
        (P.F32, 1e-60, 0.0),
        (ListType(P.U8), bytearray(b"ab"), b"ab"),
        (ListType(P.U8), memoryview(b"abcd")[::2], b"ac"),
        (ListType(P.U8), array.array("B", [1, 2]), b"\1\2"),
        (ListType(P.U8), [1, 2], b"\1\2"),
        (ListType(P.U8), (), b""),
        (ListType(P.U8), memoryview(b""), b""),
        (FixedListType(P.U8, 2), bytearray(b"ab"), b"ab"),
        (ListType(P.U32), (1, 2), [1, 2]),
        (ListType(P.U32), range(3), [0, 1, 2]),
        (ListType(P.U32), deque([1]), [1]),
        (ListType(P.U32), UserList([1]), [1]),
        (ListType(P.U32), array.array("H", [1, 2]), [1, 2]),
        (ListType(P.F32), array.array("d", [1.5]), [1.5]),
        (ListType(P.U16), [Index(), 3], [9, 3]),
        (ListType(P.STRING), ("a", "b"), ["a", "b"]),
        (ListType(P.BOOL), (True, False), [True, False]),
        (MapType(P.STRING, P.U8), OrderedDict(a=1), {"a": 1}),
        (POINT, SimpleNamespace(x=1, max_y=2), Point(1, 2.0)),
        (OptionType(OptionType(P.U8)), Some(None), Some(None)),
        (OptionType(OptionType(P.U8)), None, None),
        (ResultType(None, None), Ok(), Ok(None)),
        (ResultType(None, P.U8), Err(3), Err(3)),
        (ListType(COLOR), [Color.DARK_RED, Color.RED], [Color.DARK_RED, Color.RED]),
        (ListType(RIGHTS), [Rights(0), ~Rights(0)], [Rights(0), Rights.READ | Rights.WRITE]),
    ],
)
def test_accepted(type_: ValType, value: Any, same: Any) -> None:
    assert through(type_, value) == same


INTEGER_LIMITS = [
    (type_, value)
    for type_, low, high in [
        (P.U8, 0, 255),
        (P.S8, -128, 127),
        (P.U16, 0, 65535),
        (P.S16, -32768, 32767),
        (P.U32, 0, 2**32 - 1),
        (P.S32, -(2**31), 2**31 - 1),
        (P.U64, 0, 2**64 - 1),
        (P.S64, -(2**63), 2**63 - 1),
    ]
    for value in (low - 1, high + 1)
]


@pytest.mark.parametrize(("type_", "value"), INTEGER_LIMITS)
@pytest.mark.parametrize("wrap", [None, ListType, OptionType], ids=["plain", "list", "option"])
def test_integers_never_wrap(type_: PrimitiveType, value: int, wrap: Any) -> None:
    with pytest.raises(HostValueError, match=f"{type_.value}: an int from"):
        through(wrap(type_) if wrap else type_, [value] if wrap is ListType else value)


@pytest.mark.parametrize(
    ("type_", "value", "path", "expected", "got"),
    [
        (P.U32, True, "v", "u32: an int from 0 to 4294967295", "bool True"),
        (P.U32, 1.0, "v", "u32: an int from 0 to 4294967295", "float 1.0"),
        (P.U32, "1", "v", "u32: an int from 0 to 4294967295", "str '1'"),
        (P.S8, None, "v", "s8: an int from -128 to 127", "NoneType None"),
        (P.BOOL, 1, "v", "a bool", "int 1"),
        (P.F64, "1.5", "v", "a float", "str '1.5'"),
        (P.F64, 10**400, "v", "a float", "int 1000"),
        (P.F32, 1e39, "v", "a float that an f32 can hold", "float 1e+39"),
        (P.CHAR, "", "v", "a str of one character", "str ''"),
        (P.CHAR, "ab", "v", "a str of one character", "str 'ab'"),
        (P.CHAR, b"a", "v", "a str of one character", "bytes b'a'"),
        (P.CHAR, "\ud800", "v", "a str of one character", "str"),
        (P.STRING, b"a", "v", "a str", "bytes b'a'"),
        (P.STRING, "a\udfff", "v", "a str without lone surrogates", "U+DFFF at index 1"),
        (ListType(P.U8), "ab", "v", "bytes", "str 'ab'"),
        (ListType(P.U8), 5, "v", "bytes", "int 5"),
        (ListType(P.U8), [256], "v[0]", "u8: an int from 0 to 255", "int 256"),
        (ListType(P.U8), [True], "v[0]", "u8: an int from 0 to 255", "bool True"),
        (ListType(P.U8), array.array("H", [1]), "v", "bytes", "array"),
        (ListType(P.U8), array.array("b", [-1]), "v", "bytes, or a buffer of bytes", "array"),
        (ListType(P.U32), [1, True], "v[1]", "u32", "bool True"),
        (ListType(P.U32), [1, 2, -1], "v[2]", "u32", "int -1"),
        (ListType(P.F32), [0.0, 1e39], "v[1]", "a float that an f32 can hold", "float"),
        (ListType(P.STRING), "ab", "v", "a list or another sequence", "str 'ab'"),
        (ListType(P.CHAR), "ab", "v", "a list or another sequence", "str 'ab'"),
        (ListType(P.CHAR), ["a", "bc"], "v[1]", "a str of one character", "str 'bc'"),
        (ListType(P.CHAR), ["a", ""], "v[1]", "a str of one character", "str ''"),
        (ListType(P.CHAR), ["\ud800"], "v[0]", "a str of one character", "str"),
        (ListType(P.BOOL), [True, 0], "v[1]", "a bool", "int 0"),
        (ListType(P.U32), {1: 2}, "v", "a list or another sequence", "dict {1: 2}"),
        (ListType(P.U32), {1}, "v", "a list or another sequence", "set {1}"),
        (ListType(P.U32), iter([1]), "v", "a list or another sequence", "list_iterator"),
        (FixedListType(P.U32, 2), [1], "v", "2 items", "1"),
        (FixedListType(P.U8, 2), b"abc", "v", "2 items", "3"),
        (TupleType((P.U8, P.U8)), (1,), "v", "a tuple of 2", "tuple (1,)"),
        (TupleType((P.U8, P.U8)), [1, 2], "v", "a tuple of 2", "list [1, 2]"),
        (TupleType((P.CHAR, P.CHAR)), "ab", "v", "a tuple of 2", "str 'ab'"),
        (TupleType((P.U8, P.U8)), (1, 300), "v[1]", "u8", "int 300"),
        (POINT, (1, 2.0), "v", "a Point", "tuple (1, 2.0)"),
        (POINT, Point(1000, 2.0), "v.x", "s8", "int 1000"),
        (POINT, Point(1, "2"), "v.max-y", "a float", "str '2'"),
        (ListType(POINT), [Point(1, 1.0), Point(1, None)], "v[1].max-y", "a float", "NoneType None"),
        (SHAPE, Circle, "v", "Shape.Circle or Shape.None_ or Shape.At", "type"),
        (SHAPE, At(Point(1, [])), "v.at.max-y", "a float", "list []"),
        (ListType(SHAPE), [None_(), None], "v[1]", "Shape.Circle", "NoneType None"),
        (COLOR, "red", "v", "enum Color", "str 'red'"),
        (COLOR, Other.RED, "v", "enum Color", "Other"),
        (ListType(COLOR), [Color.RED, 0], "v[1]", "enum Color", "int 0"),
        (RIGHTS, 1, "v", "flags Rights", "int 1"),
        (RIGHTS, OtherFlag.READ, "v", "flags Rights", "OtherFlag"),
        (OptionType(P.U8), "x", "v", "u8", "str 'x'"),
        (OptionType(OptionType(P.U8)), 5, "v", "None or Some", "int 5"),
        (OptionType(OptionType(P.U8)), Some(300), "v.some", "u8", "int 300"),
        (ResultType(P.U8, P.U8), 5, "v", "Ok or Err", "int 5"),
        (ResultType(P.U8, P.U8), Err(-1), "v.err", "u8", "int -1"),
        (ResultType(None, P.U8), Ok(1), "v.ok", "None", "int 1"),
        (MapType(P.STRING, P.U8), [("a", 1)], "v", "a dict", "list"),
        (MapType(P.STRING, P.U8), {"a": 300}, "v['a']", "u8", "int 300"),
        (MapType(P.STRING, P.U8), {1: 3}, "v.keys", "a str", "int 1"),
    ],
)
@pytest.mark.parametrize("encoding", list(StringEncoding))
def test_rejected(
    type_: ValType, value: Any, path: str, expected: str, got: str, encoding: StringEncoding
) -> None:
    guest, called = Guest(), list[Any]()
    plan = compile_lift(FuncType((("v", type_),), None), encoding, CLASSES)
    call = plan.bind(FakeFunction(called.append), guest.endpoint)
    with pytest.raises(HostValueError) as caught:
        call(value)
    assert caught.value.path == path
    assert expected in caught.value.expected
    assert caught.value.got.startswith(got)
    assert not called
    # Nothing has happened in the guest: it can be called again.
    assert guest.state.may_leave and not guest.state.busy

    def host() -> Any:
        return value

    if not isinstance(type_, ResultType):
        guest = Guest()
        core = compile_lower(FuncType((), type_), encoding, CLASSES).bind(host, guest.endpoint)
        with pytest.raises(HostValueError) as caught:
            core(bytearray(64), 0)
        assert caught.value.path == "result" + path[1:]
        assert guest.state.may_leave


def test_a_host_value_error_is_a_type_and_value_error() -> None:
    error = HostValueError("points[3].x", "a float", "str 'a'")
    assert str(error) == "points[3].x: expected a float, got str 'a'"
    assert isinstance(error, TypeError) and isinstance(error, ValueError)


def test_too_long_for_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (check, lowering):
        monkeypatch.setattr(module, "MAX_STRING_BYTE_LENGTH", 8)
        monkeypatch.setattr(module, "MAX_LIST_BYTE_LENGTH", 8)
    guest = Guest()
    cases: list[tuple[ValType, Any, Any]] = [
        (P.STRING, "12345678", "1234567ä"),
        (ListType(P.U8), b"12345678", b"123456789"),
        (ListType(P.U32), [1, 2], [1, 2, 3]),
    ]
    for type_, fits, too_long in cases:
        call = compile_lift(FuncType((("v", type_),), None), classes=ValueClasses()).bind(
            FakeFunction(lambda raw: None), guest.endpoint
        )
        call(fits)
        with pytest.raises(HostValueError, match="at most 8 bytes"):
            call(too_long)

"""The classes that stand for WIT types, made here or brought by a binding."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import pytest

from ingen_runtime.canonical import ResultError, ValueClasses, compile_lift, compile_lower
from ingen_runtime.canonical.names import attribute_name, class_name, member_name
from ingen_runtime.component.types import (
    CaseType,
    EnumType,
    FieldType,
    FlagsType,
    FuncType,
    PrimitiveType,
    RecordType,
    ResultType,
    VariantType,
)
from ingen_runtime.errors import ClassMismatchError
from tests.runtime.canonical.guest import Guest

P = PrimitiveType
POINT = RecordType((FieldType("x", P.U8), FieldType("class", P.U8)), "ns:pkg/shapes@1.2.0#point")
SIZE = RecordType(POINT.fields, "size")
SHAPE = VariantType((CaseType("circle", P.U8), CaseType("none", None)), "shape")


def test_names() -> None:
    assert attribute_name("max-speed") == "max_speed"
    assert attribute_name("HTTP-class") == "http_class"
    assert attribute_name("class") == "class_"
    assert member_name("dark-red") == "DARK_RED"
    assert class_name("ns:pkg/iface@1.0.0#http-error") == "HttpError"
    assert class_name("ns:pkg/http-error") == "HttpError"
    assert class_name("none") == "None_"


def test_equal_types_with_different_names_have_different_classes() -> None:
    classes = ValueClasses()
    assert POINT == SIZE
    point, size = classes.record(POINT), classes.record(SIZE)
    assert point.class_ is not size.class_
    assert point.class_ is classes.record(POINT).class_
    assert (point.class_.__name__, size.class_.__name__) == ("Point", "Size")
    type_, other = (FuncType((), each) for each in (POINT, SIZE))
    assert type_ == other
    assert compile_lift(type_, classes=classes) is not compile_lift(other, classes=classes)
    assert compile_lift(type_, classes=classes) is compile_lift(type_, classes=classes)


def test_a_type_that_several_interfaces_use_has_one_class() -> None:
    fields = (FieldType("x", P.U8),)
    classes = ValueClasses()
    one, other = (RecordType(fields, f"a:b/{interface}#point") for interface in ("shapes", "drawing"))
    assert classes.record(one).class_ is classes.record(other).class_
    wide = RecordType((FieldType("x", P.U16),), "a:b/drawing#point")
    assert classes.record(wide).class_ is not classes.record(one).class_


def test_classes_for_a_compatible_version_will_do() -> None:
    @dataclass
    class Point:
        x: int
        class_: int

    class Broken(ResultError):
        pass

    classes = ValueClasses({POINT.name or "": Point}, {POINT.name or "": Broken})

    def named(name: str) -> RecordType:
        return RecordType(POINT.fields, name)

    assert classes.record(named("ns:pkg/shapes@1.7.3#point")).class_ is Point
    assert classes.error(ResultType(None, named("ns:pkg/shapes@1.0.0#point"))) is Broken
    for other in ("ns:pkg/shapes@2.0.0#point", "ns:pkg/shapes@1.2.0#dot", "point"):
        assert classes.record(named(other)).class_ is not Point
        assert classes.error(ResultType(None, named(other))) is ResultError


def test_made_classes_read_well() -> None:
    classes = ValueClasses()
    point = classes.record(POINT).class_(1, class_=2)
    assert repr(point) == "Point(x=1, class_=2)"
    with pytest.raises(AttributeError):
        point.z = 3
    variant = classes.variant(SHAPE)
    assert variant.base is not None
    assert repr(variant.base.Circle(3)) == "Shape.Circle(value=3)"
    assert isinstance(variant.base.None_(), variant.base)
    match variant.base.Circle(7):
        case variant.base.Circle(radius):
            assert radius == 7
    color = classes.enum(EnumType(("red", "dark-red"), "color"))
    assert color("dark-red") is color["DARK_RED"]
    rights = classes.flags(FlagsType(("read", "write"), "rights"))
    assert rights["READ"] | rights["WRITE"] == rights(3)


@dataclass
class MyPoint:
    a: int
    b: int


@dataclass
class Circle:
    value: int


@dataclass
class Nothing:
    pass


class MyError(ResultError):
    pass


class Failure(enum.Enum):
    LOST = 1
    FOUND = 2


FAILURE = EnumType(("lost", "found"), "failure")
FIND = FuncType((("p", POINT),), ResultType(SHAPE, FAILURE))


def test_classes_of_a_binding() -> None:
    assert POINT.name is not None
    named: dict[str, Any] = {POINT.name: MyPoint, "shape": (Circle, Nothing), "failure": Failure}
    classes = ValueClasses(named, {"failure": MyError})
    assert compile_lift(FIND, classes=classes)._error is MyError
    guest, seen = Guest(), list[Any]()

    def find(point: MyPoint) -> Circle | Nothing:
        seen.append(point)
        if point.a:
            raise MyError(Failure.FOUND)
        return Nothing()

    core = compile_lower(FIND, classes=classes).bind(find, guest.endpoint)
    raw = bytearray(16 * 3)
    raw[0], raw[16], raw[32] = 0, 8, 128
    core(raw, 0)
    assert seen == [MyPoint(0, 8)]
    assert guest.memory.bytes[128:130] == b"\0\1"
    raw[0] = 1
    core(raw, 0)
    assert guest.memory.bytes[128:130] == b"\1\1"


class TwoBits(enum.Flag):
    A = 1
    B = 2


@pytest.mark.parametrize(
    ("type_", "class_", "message"),
    [
        (SIZE, Circle, "size: Circle has the fields value, the record x, class"),
        (SIZE, int, "size: .* is no dataclass"),
        (SHAPE, (Circle,), "shape: a variant wants a tuple of 2 case classes"),
        (SHAPE, (Circle, Circle), "shape: a variant wants a tuple of 2 case classes"),
        (SHAPE, (Nothing, Circle), r"shape: Nothing \(case circle\) wants the one field `value`"),
        (SHAPE, (Circle, MyPoint), r"shape: MyPoint \(case none\) wants no field"),
        (FAILURE, TwoBits, None),
        (FAILURE, int, "failure: an enum wants an Enum with 2 members"),
        (EnumType(("a",), "e"), Failure, "e: an enum wants an Enum with 1 members"),
        (FlagsType(("a",), "f"), TwoBits, "f: flags want a Flag with 1 members"),
        (FlagsType(("a", "b"), "f"), Failure, "f: flags want a Flag with 2 members"),
        (FlagsType(("a", "b"), "f"), enum.IntFlag("F", ["A", "B"]), "f: flags want a Flag"),
    ],
)
def test_a_class_that_does_not_fit(type_: Any, class_: Any, message: str | None) -> None:
    classes = ValueClasses({type_.name: class_})
    if message is None:
        compile_lift(FuncType((), type_), classes=classes).bind_parts(Guest().endpoint)
        return
    with pytest.raises(ClassMismatchError, match=message):
        compile_lift(FuncType((), type_), classes=classes).bind_parts(Guest().endpoint)

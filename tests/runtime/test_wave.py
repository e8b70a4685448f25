"""WAVE: values as text, and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingen_runtime.canonical import Err, Ok, Some, ValueClasses
from ingen_runtime.component.types import (
    CaseType,
    EnumType,
    FieldType,
    FixedListType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.wave import WaveError, parse_value, print_value
from tests.runtime.canonical.strategies import TYPES, values

P = PrimitiveType
CLASSES = ValueClasses()
PERMISSIONS = FlagsType(("read", "write", "exec"), "permissions")
STATUS = EnumType(("ok", "not-found"), "status")
OPTIONAL = RecordType((FieldType("must-have", P.U8), FieldType("may-have", OptionType(P.U8))), "optional")
ALL_OPTIONAL = RecordType((FieldType("may-have", OptionType(P.U8)),), "all-optional")
RESPONSE = VariantType(
    (CaseType("empty", None), CaseType("body", ListType(P.U8)), CaseType("err", P.STRING)), "response"
)
Optional = CLASSES.record(OPTIONAL).class_
AllOptional = CLASSES.record(ALL_OPTIONAL).class_
Empty, Body, ErrCase = CLASSES.variant(RESPONSE).cases
Permissions = CLASSES.flags(PERMISSIONS)
Status = CLASSES.enum(STATUS)

READ: list[tuple[ValType, str, Any]] = [
    (P.BOOL, "true", True),
    (P.U8, "255", 255),
    (P.S8, "-128", -128),
    (P.S64, "-9223372036854775808", -(1 << 63)),
    (P.U64, "18446744073709551615", (1 << 64) - 1),
    (P.F64, "6.022e+23", 6.022e23),
    (P.F64, "-inf", -math.inf),
    (P.F64, "3", 3.0),
    (P.F32, "0.1", 0.10000000149011612),
    (P.CHAR, "'☃'", "☃"),
    (P.CHAR, r"'\''", "'"),
    (P.CHAR, r"'\u{0}'", "\0"),
    (P.CHAR, "'\"'", '"'),
    (P.STRING, '"abc\\t123"', "abc\t123"),
    (P.STRING, r'"\\\'\"\n\r\u{1f30A}"', "\\'\"\n\r\U0001f30a"),
    (P.STRING, '"it\'s // no comment"', "it's // no comment"),
    (P.STRING, '"""\nA single line\n"""', "A single line"),
    (
        P.STRING,
        '"""\n    Indentation\n      by the end\n  """',
        "  Indentation\n    by the end",
    ),
    (P.STRING, '"""\r\n  kept: \\r\r\n  ""\\""\n  """', 'kept: \r\n""""'),
    (P.STRING, '"""\n"""', ""),
    (P.STRING, '"""\n\ninner\n\n"""', "\ninner\n"),
    (TupleType((P.STRING, P.U8)), '("abc", 123,)', ("abc", 123)),
    (ListType(P.S32), "[1, -2, 3]", [1, -2, 3]),
    (ListType(P.S32), " [ ] // nothing\n", []),
    (ListType(P.U8), "[79, 75]", b"OK"),
    (FixedListType(P.S8, 2), "[1, 2]", [1, 2]),
    (MapType(P.STRING, P.U8), '[("a", 1), ("b", 2)]', {"a": 1, "b": 2}),
    (OPTIONAL, "{must-have: 1}", Optional(1, None)),
    (OPTIONAL, "{may-have: 2, %must-have: 1,}", Optional(1, 2)),
    (OPTIONAL, "{must-have: 1, may-have: none}", Optional(1, None)),
    (ALL_OPTIONAL, "{:}", AllOptional(None)),
    (RESPONSE, "empty", Empty()),
    (RESPONSE, "body([79, 75])", Body(b"OK")),
    (RESPONSE, '%err("oops")', ErrCase("oops")),
    (STATUS, "%ok", Status("ok")),
    (STATUS, "not-found", Status("not-found")),
    (OptionType(P.U8), "1", 1),
    (OptionType(P.U8), "some(1)", 1),
    (OptionType(P.U8), "none", None),
    (OptionType(OptionType(P.U8)), "some(none)", Some(None)),
    (OptionType(OptionType(P.U8)), "some(1)", Some(1)),
    (ResultType(P.U8, None), "1", Ok(1)),
    (ResultType(P.U8, None), "ok(1)", Ok(1)),
    (ResultType(None, P.STRING), "ok", Ok()),
    (ResultType(None, P.STRING), 'err("oops")', Err("oops")),
    (ResultType(None, None), "err", Err()),
    (PERMISSIONS, "{write, read,}", Permissions(3)),
    (PERMISSIONS, "{}", Permissions(0)),
]


@pytest.mark.parametrize(("type_", "text", "value"), READ)
def test_read(type_: ValType, text: str, value: Any) -> None:
    assert parse_value(text, type_, CLASSES) == value


def test_read_nan() -> None:
    assert math.isnan(parse_value("nan", P.F32, CLASSES))


REJECTED: list[tuple[ValType, str, str, int]] = [
    (P.U8, "256", "u8 is from 0 to 255, not 256", 0),
    (P.U8, "9" * 5000, "u8 is from 0 to 255", 0),
    (P.U8, "1.0", "expected an integer for u8, found `1.0`", 0),
    (P.U8, "01", "no value", 0),
    (P.U8, "1 2", "expected the end of the text, found `2`", 2),
    (P.U8, "", "found the end of the text", 0),
    (P.F32, "1e39", "`1e39` is too large for f32", 0),
    (P.F64, ".5", "`.5` is no value", 0),
    (P.BOOL, "True", "`True` is no value and no label", 0),
    (P.BOOL, "1", "expected `true` or `false`, found `1`", 0),
    (P.CHAR, "'ab'", "no char", 0),
    (P.CHAR, "''", "no char", 0),
    (P.STRING, "world", 'expected a string in quotes, as in `"text"`, found `world`', 0),
    (P.STRING, '"a\nb"', "no end, or a line break", 0),
    (P.STRING, r'"\j"', "unknown escape", 0),
    (P.STRING, r'"ab\u{d800}"', "no Unicode character", 3),
    (P.STRING, r'"\u{110000}"', "no Unicode character", 1),
    (P.STRING, '"""x"""', "line break must follow", 3),
    (P.STRING, '"""\nx"""', "line of its own", 5),
    (P.STRING, '"""\n x\n  """', "indented less", 4),
    (P.STRING, '"""\n  Between """ words\n  """', "line of its own", 14),
    (P.STRING, '"""\n\\j\n"""', "unknown escape", 4),
    (TupleType((P.U8, P.U8)), "(1)", "has 2 elements, here are 1", 0),
    (TupleType((P.U8,)), "(1, 2)", "has 1 elements", 4),
    (ListType(P.U16), "[1, 2", "expected `,` or `]`", 5),
    (ListType(P.U16), '[1, "x"]', "expected an integer for u16", 4),
    (FixedListType(P.U8, 2), "[1]", "expected 2 elements", 0),
    (MapType(P.U8, P.U8), "[(1, 2), (1, 3)]", "this key is there twice", 9),
    (OPTIONAL, "{may-have: 1}", "the field `must-have` of optional is missing", 0),
    (OPTIONAL, "{must-have: 1, must-have: 2}", "there twice", 15),
    (OPTIONAL, "{musthave: 1}", "no field `musthave`: is it `must-have`?", 1),
    (OPTIONAL, "{1: 1}", "expected a field's label", 1),
    (OPTIONAL, "{}", "is missing", 0),
    (STATUS, "ok", "the case `ok` is written `%ok`", 0),
    (STATUS, "found", "status has no case `found`: is it `not-found`?", 0),
    (STATUS, "not_found", "`not_found` is no value", 0),
    (RESPONSE, "empty(1)", "the case `empty` has no payload", 5),
    (RESPONSE, "body", "expected `(`", 4),
    (OptionType(P.U8), "some", "expected `(`", 4),
    (OptionType(P.U8), "some(none)", "expected an integer", 5),
    (OptionType(OptionType(P.U8)), "1", "expected `some(...)` or `none`", 0),
    (ResultType(None, None), "ok()", "`ok` of result has no payload", 2),
    (ResultType(None, P.U8), "1", "expected `ok` or `err`", 0),
    (PERMISSIONS, "{read, read}", "the flag `read` is there twice", 7),
    (PERMISSIONS, "{red}", "no flag `red`: is it `read`?", 1),
    (OwnType(ResourceType("file")), "1", "values of the type file have no text form", 0),
    (P.ERROR_CONTEXT, "1", "no text form", 0),
]


@pytest.mark.parametrize(("type_", "text", "message", "offset"), REJECTED)
def test_reject(type_: ValType, text: str, message: str, offset: int) -> None:
    with pytest.raises(WaveError) as caught:
        parse_value(text, type_, CLASSES)
    assert message in str(caught.value)
    assert caught.value.offset == offset


PRINTED: list[tuple[ValType, Any, str]] = [
    (P.F64, 1.0, "1"),
    (P.F64, -0.0, "-0"),
    (P.F64, 1e300, "1e+300"),
    (P.F64, math.nan, "nan"),
    (P.F32, 0.10000000149011612, "0.1"),
    (P.F32, 3.4028234663852886e38, "3.4028235e+38"),
    (P.F32, 1.401298464324817e-45, "1e-45"),
    (P.F32, 16777216.0, "16777216"),
    (P.CHAR, "'", r"'\''"),
    (P.CHAR, '"', "'\"'"),
    (P.STRING, "it's \"\n\x7f\u200b\\", '"it\'s \\"\\n\\u{7f}\\u{200b}\\\\"'),
    (OPTIONAL, Optional(1, None), "{must-have: 1}"),
    (ALL_OPTIONAL, AllOptional(None), "{:}"),
    (RESPONSE, ErrCase("oops"), '%err("oops")'),
    (RESPONSE, Empty(), "empty"),
    (STATUS, Status("ok"), "%ok"),
    (OptionType(OptionType(P.U8)), Some(None), "some(none)"),
    (OptionType(P.U8), 1, "some(1)"),
    (ResultType(None, P.U8), Err(1), "err(1)"),
    (PERMISSIONS, Permissions(5), "{read, exec}"),
    (MapType(P.CHAR, P.U8), {"a": 1}, "[('a', 1)]"),
    (ListType(P.U8), b"OK", "[79, 75]"),
]


@pytest.mark.parametrize(("type_", "value", "text"), PRINTED)
def test_print(type_: ValType, value: Any, text: str) -> None:
    assert print_value(value, type_, CLASSES) == text


def test_print_refuses_resources() -> None:
    with pytest.raises(WaveError, match="have no text form"):
        print_value(object(), OwnType(ResourceType("file")), CLASSES)


@given(st.data())
def test_print_and_read_is_identity(data: st.DataObject) -> None:
    type_ = data.draw(TYPES)
    classes = ValueClasses()
    value = data.draw(values(type_, classes))
    again = parse_value(print_value(value, type_, classes), type_, classes)
    assert again == value and print_value(again, type_, classes) == print_value(value, type_, classes)


@given(TYPES, st.text(alphabet=st.sampled_from("{}()[]:,%'\"\\ab1-. \nokuinf")))
def test_any_text_is_read_or_refused(type_: ValType, text: str) -> None:
    try:
        parse_value(text, type_, ValueClasses())
    except WaveError as error:
        assert 0 <= error.offset <= len(text)


def test_error_shows_the_place() -> None:
    with pytest.raises(WaveError) as caught:
        parse_value("[1,\n 2, true]", ListType(P.U16), CLASSES)
    assert caught.value.render() == "expected an integer for u16, found `true`\n   2, true]\n      ^"


def test_error_in_a_long_line_shows_its_surroundings() -> None:
    with pytest.raises(WaveError) as caught:
        parse_value("[" + "1, " * 100 + "x]", ListType(P.U16), CLASSES)
    _, line, caret = caught.value.render().splitlines()
    assert len(line) < 120 and line[caret.index("^")] == "x"

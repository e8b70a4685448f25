"""Evaluation of components: types, their names, and limits on what a hostile file can cost."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ingen_runtime.component.binary import decode_component
from ingen_runtime.component.entities import FuncEntity, InstanceType
from ingen_runtime.component.evaluate import evaluate_component
from ingen_runtime.component.names import (
    Accessor,
    AnnotatedName,
    Annotation,
    InterfaceName,
    InvalidNameError,
    PlainName,
    compatible_track,
    parse_name,
)
from ingen_runtime.component.plan import ComponentPlan
from ingen_runtime.component.types import ListType, OwnType, PrimitiveType, RecordType
from ingen_runtime.errors import ComponentFormatError
from tests.sdkgen.oracle import OracleError
from tests.sdkgen.oracle import wasm_tools as oracle

Evaluate = Callable[[str], ComponentPlan]


@pytest.fixture(scope="module")
def evaluate(assemble: Callable[[str], bytes]) -> Evaluate:
    return lambda text: evaluate_component(decode_component(assemble(text)))


def test_types_bear_the_names_they_are_known_by(evaluate: Evaluate) -> None:
    plan = evaluate(
        """(component
          (type $shapes (instance
            (type $point' (record (field "x" f64)))
            (export "point" (type $point (eq $point')))
            (export "canvas" (type $canvas (sub resource)))
            (export "draw" (func (param "points" (list $point)) (result (own $canvas))))))
          (import "ingen:demo/shapes@1.0.0" (instance $i (type $shapes)))
          (alias export $i "point" (type $p))
          (import "area" (func (param "p" $p) (result f64))))"""
    )
    shapes, area = plan.type.imports["ingen:demo/shapes@1.0.0"], plan.type.imports["area"]
    assert isinstance(shapes, InstanceType) and isinstance(area, FuncEntity)
    draw = shapes.exports["draw"]
    assert isinstance(draw, FuncEntity)
    (_, points) = draw.type.params[0]
    assert isinstance(points, ListType) and isinstance(points.element, RecordType)
    assert points.element.name == "ingen:demo/shapes@1.0.0#point"
    assert area.type.params[0][1] == points.element
    assert isinstance(draw.type.result, OwnType)
    assert draw.type.result.resource.name == "ingen:demo/shapes@1.0.0#canvas"


def test_two_imports_of_one_instance_type_have_resources_of_their_own(evaluate: Evaluate) -> None:
    plan = evaluate(
        """(component
          (type $t (instance (export "r" (type (sub resource)))))
          (import "a" (instance (type $t)))
          (import "b" (instance (type $t))))"""
    )
    assert len(set(plan.type.import_bound)) == 2


def test_errors_have_the_offset_of_the_definition(assemble: Callable[[str], bytes]) -> None:
    data = assemble('(component (type u8) (type (record (field "a" u8) (field "A" u8))))')
    with pytest.raises(ComponentFormatError, match="field name `A` conflicts") as caught:
        evaluate_component(decode_component(data))
    assert caught.value.offset is not None
    assert data[caught.value.offset] == 0x72, "the opcode of the record"


def test_two_equal_texts_of_different_types_are_told_apart(evaluate: Evaluate) -> None:
    with pytest.raises(ComponentFormatError, match="different resource types"):
        evaluate(
            """(component
              (import "a" (type $a (sub resource)))
              (import "b" (instance $b (export "a" (type (sub resource)))))
              (alias export $b "a" (type $other))
              (import "f" (func $f (param "x" (own $a))))
              (component $c
                (import "a" (type $a (sub resource)))
                (import "f" (func (param "x" (own $a)))))
              (instance (instantiate $c (with "a" (type $other)) (with "f" (func $f)))))"""
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(type $t0 u8)" + "".join(f"(type $t{n + 1} (list $t{n}))" for n in range(150)), "nest deeper"),
        (
            "(type $t0 u8)" + "".join(f"(type $t{n + 1} (tuple $t{n} $t{n}))" for n in range(60)),
            "more than 100000 parts",
        ),
        (
            "(type $i0 (instance))"
            + "".join(
                f'(type $i{n + 1} (instance (export "a" (instance (type $i{n})))))' for n in range(150)
            ),
            "nest deeper",
        ),
        (
            "(type $i0 (instance))"
            + "".join(
                f'(type $i{n + 1} (instance (export "a" (instance (type $i{n})))'
                f' (export "b" (instance (type $i{n})))))'
                for n in range(60)
            ),
            "too large to check",
        ),
    ],
)
def test_types_that_explode(evaluate: Evaluate, text: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(ComponentFormatError, match=message):
        evaluate(f"(component {text})")
    assert time.process_time() - start < 20


def test_parse_name() -> None:
    assert parse_name("http-GET") == PlainName("http-GET")
    assert parse_name("[constructor]a") == AnnotatedName(Annotation.CONSTRUCTOR, "a", None)
    assert parse_name("[method]a.b-c") == AnnotatedName(Annotation.METHOD, "a", "b-c")
    assert parse_name("wasi:io/streams@0.2.0-rc.1") == InterfaceName("wasi", "io", "streams", "0.2.0-rc.1")
    assert parse_name("[get]a-b") == PlainName("a-b", Accessor.GET)
    assert parse_name("[static][set]a.b") == AnnotatedName(Annotation.STATIC, "a", "b", Accessor.SET)
    for wrong in ("[get]", "[get]a.b", "[set][get]a", "[constructor][get]a", "[get][method]a.b"):
        with pytest.raises(InvalidNameError):
            parse_name(wrong)
    for wrong in ("", "a_b", "-a", "a--b", "aB", "[method]a", "a:b", "A:b/c", "a:b/c@1", "a:b/c@01.0.0"):
        with pytest.raises(InvalidNameError):
            parse_name(wrong)


@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("a:b/c@1.2.3", "a:b/c@1"),
        ("a:b/c@0.2.3", "a:b/c@0.2"),
        ("a:b/c@0.0.3", None),
        ("a:b/c@1.0.0-rc.1", None),
        ("a:b/c@1.0.0+build", "a:b/c@1"),
        ("a:b/c", None),
    ],
)
def test_compatible_track(name: str, track: str | None) -> None:
    assert compatible_track(name) == track


def test_a_map_and_async_types(evaluate: Evaluate) -> None:
    plan = evaluate(
        """(component
          (import "f" (func async (param "m" (map string u32)) (result (stream u8))))
          (import "g" (func (param "l" (list u8 4)))))"""
    )
    func = plan.type.imports["f"]
    assert isinstance(func, FuncEntity) and func.type.is_async
    assert PrimitiveType.STRING in (func.type.params[0][1].key,)  # type: ignore[union-attr]  # it is a map


_RESOURCE = '(import "r" (type $r (sub resource)))'
_GET = '(import "[get]p" (func (result u32)))'
_METHOD_GET = '(import "[method][get]r.p" (func (param "self" (borrow $r)) (result u32)))'


@pytest.mark.parametrize(
    ("imports", "reason"),
    [
        (_GET + '(import "[set]p" (func (param "v" u32)))', None),
        (_GET + '(import "[set]p" (func (param "v" u32) (result (result (error u32)))))', None),
        (_METHOD_GET + '(import "[method][set]r.p" (func (param "self" (borrow $r)) (param "v" u32)))', None),
        ('(import "[static][get]r.p" (func (result u32)))', None),
        ('(import "[set]p" (func (param "v" u32)))', r"no `\[get\]p` before it"),
        (_GET + '(import "P" (func))', "conflicts with previous name"),
        (_METHOD_GET + '(import "[method]r.p" (func (param "self" (borrow $r))))', "conflicts"),
        (_METHOD_GET + '(import "[static][get]r.p" (func (result u32)))', "conflicts"),
        (_METHOD_GET + '(import "[static][set]r.p" (func (param "v" u32)))', "before it"),
        ('(import "[get]p" (func))', "a getter takes nothing and returns a value"),
        ('(import "[get]p" (func (param "x" u32) (result u32)))', "a getter takes nothing"),
        ('(import "[get]p" (func async (result u32)))', "cannot be async"),
        ('(import "[get]p" (instance))', "not a func"),
        (_GET + '(import "[set]p" (func))', "a setter takes one value"),
        (_GET + '(import "[set]p" (func (param "v" u32) (result u32)))', "a setter takes one value"),
        (_GET + '(import "[set]p" (func (param "v" u32) (result (result u8))))', "a setter takes one value"),
    ],
)
def test_getters_and_setters(
    evaluate: Evaluate, assemble: Callable[[str], bytes], imports: str, reason: str | None
) -> None:
    text = f"(component {_RESOURCE} {imports})"
    if reason is None:
        evaluate(text)
        oracle("validate", "--features", "all", stdin=assemble(text))
    else:
        with pytest.raises(ComponentFormatError, match=reason):
            evaluate(text)
        with pytest.raises(OracleError):
            oracle("validate", "--features", "all", stdin=assemble(text))

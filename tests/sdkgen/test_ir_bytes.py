"""The IR as bytes: equal after reading back, and no way to run anything."""

from __future__ import annotations

import os
import pickle

import pytest

from ingen_sdkgen.ir_bytes import dump_ir, load_ir
from ingen_sdkgen.model import (
    Function,
    FunctionKind,
    FunctionShape,
    Interface,
    InterfaceId,
    InterfaceOwner,
    Option,
    Package,
    PackageId,
    PackageName,
    Param,
    Primitive,
    Record,
    Resolve,
    Span,
    Stable,
    TypeDef,
    TypeId,
    World,
    WorldFunction,
    WorldInterface,
)

FUNCTION = Function(
    "f",
    FunctionKind(FunctionShape.FREESTANDING),
    (Param("x", Primitive.U8, Span(0, 7, 9)),),
    TypeId(0),
    docs="Says “hello”.",
    stability=Stable("1.0.0"),
)
IR = Resolve(
    worlds=(
        World(
            "w",
            {InterfaceId(0): WorldInterface(InterfaceId(0)), "g": WorldFunction(FUNCTION)},
            {},
            PackageId(0),
        ),
    ),
    interfaces=(Interface("i", {"o": TypeId(0)}, {"f": FUNCTION}, PackageId(0)),),
    types=(
        TypeDef("o", Option(Primitive.STRING), InterfaceOwner(InterfaceId(0)), span=Span(0, 1, 2)),
        TypeDef(None, Record(()), None),
    ),
    packages=(Package(PackageName("a", "b"), {"i": InterfaceId(0)}, {}),),
    main=PackageId(0),
)


def test_an_ir_comes_back_with_its_spans() -> None:
    back = load_ir(dump_ir(IR))
    assert back == IR
    assert back.types[0].span == Span(0, 1, 2)
    assert back.interfaces[0].functions["f"].params[0].span == Span(0, 7, 9)


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        pickle.dumps(Runs(), protocol=5),
        pickle.dumps([IR], protocol=5),
        pickle.dumps("text", protocol=5),
        dump_ir(IR)[:-5],
        b"cingen_sdkgen.model\nMapping\n.",
        b"cingen_sdkgen.model\nenum\n.",
        b"cbuiltins\neval\n(S'1'\ntR.",
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not the bytes of an IR"):
        load_ir(data)

"""Frozen classes behave as frozen slotted dataclasses do, and starting costs no import of slow modules."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import ClassVar

import pytest

from ingen_runtime.frozen import frozen


@frozen
class Point:
    """A point."""

    ORIGIN: ClassVar[str] = "centre"
    x: int
    y: int = 2


@frozen
class Other:
    x: int
    y: int = 2


@frozen(uncompared=("name",))
class Named:
    value: int
    name: str | None = None


@frozen(eq=False)
class Unique:
    value: int


@frozen
class Nothing:
    pass


@frozen
class Checked:
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("negative")


def test_construction() -> None:
    assert (Point(1).x, Point(1).y) == (1, 2)
    assert Point(y=3, x=1) == Point(1, 3)
    assert Point.ORIGIN == "centre"
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]  # the missing argument is the test
    with pytest.raises(TypeError):
        Point(1, 2, 3)  # type: ignore[call-arg]  # the superfluous argument is the test
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_equality_and_hash() -> None:
    assert Point(1) == Point(1, 2)
    assert hash(Point(1)) == hash(Point(1, 2))
    assert Point(1) != Point(2)
    other: object = Other(1)
    assert Point(1) != other
    assert Named(1, "a") == Named(1, "b")
    assert hash(Named(1, "a")) == hash(Named(1, "b"))
    assert Unique(1) != Unique(1)
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1


def test_frozen() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="'x'"):
        point.x = 2  # type: ignore[misc]  # the refusal is the test
    with pytest.raises(AttributeError, match="'x'"):
        del point.x
    with pytest.raises(AttributeError):
        object.__setattr__(point, "z", 1)


def test_copies_text_and_patterns() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert pickle.loads(pickle.dumps(Point(1, 5))) == Point(1, 5)
    assert copy.deepcopy(Point(1, 5)) == Point(1, 5)
    match Point(7, 8):
        case Point(x, y):
            assert (x, y) == (7, 8)


def test_slow_modules_are_not_imported_by_a_start() -> None:
    code = (
        "import sys, ingen_runtime.component.component, ingen_runtime.component.linker;"
        "print(*{'asyncio', 'dataclasses', 'inspect', 'platform', 'logging', 'wasmtime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

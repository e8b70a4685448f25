"""Ten thousand calls later nothing is left: no memory, no handles, no objects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ingen_runtime.bindings import ResultError
from tests.languages.behaviour.guests import Guests
from tests.languages.behaviour.test_resources import Thing, Things

pytestmark = pytest.mark.slow

CALLS = 10_000


def memory_bytes(host: Any) -> int:
    """How large the memories of a guest are."""
    found = sum(len(memory.view()) for memory in host._ingen_instance.store._memories)
    assert found > 0
    return found


class Echo:
    """Gives back what it is given."""

    def __getattr__(self, name: str) -> Any:
        return lambda *values: values[0] if len(values) == 1 else values


def test_values_leave_nothing(guests: Guests, language: str) -> None:
    host = guests.load(language, "values", "module", SimpleNamespace(echo=Echo()))
    echo = guests.package("values")._echo
    shape = echo.ShapeMany(["a", "list", "x" * 1000])
    many = (3, "three", 0.5, [1] * 100, "x", shape, 7, "c", True, echo.Point(1.0, 2.0))

    def call() -> None:
        assert host.echo.many(*many) == many

    for _ in range(100):
        call()
    level = memory_bytes(host), host.live_blocks()
    for _ in range(CALLS):
        call()
    assert (memory_bytes(host), host.live_blocks()) == level


def test_resources_leave_nothing(guests: Guests, language: str) -> None:
    Thing.alive.clear()
    host = guests.load(language, "things", "module", SimpleNamespace(things=Things()))
    things, classes = host.things, guests.package("things")._things
    handles = host._ingen_instance._context.state.handles

    def round_trip() -> None:
        a, b, *rest = things.make(["a", "b", "c", "d"])
        things.total([a, b])
        things.look([classes.Seen(a, 1)])
        things.look_at(classes.Seen(a, 1), b, a)
        pair = things.swap(classes.Pair(a, b))
        with pytest.raises(ResultError):
            things.Thing.checked("")
        last, _, _ = things.spilled((0,) * 8, (0,) * 6, pair.left, pair.right, rest)
        things.consume(last)
        pair.right.drop()

    with things.Thing("kept"):
        assert len(handles) == 1  # the host's thing, which the guest's has
        assert len(Thing.alive) == 1
    for _ in range(50):
        round_trip()
    level = memory_bytes(host), host.live_blocks()
    for _ in range(CALLS // 10):  # ten calls each
        round_trip()
    assert (memory_bytes(host), host.live_blocks()) == level
    assert len(handles) == 0
    assert Thing.alive == set()


def test_nothing_is_left_in_wasmtime(guests: Guests, language: str) -> None:
    host = guests.load(language, "things", "wasmtime", SimpleNamespace(things=Things()))
    for _ in range(100):
        a, b = host.things.make(["a", "b"])
        assert host.things.consume(a) == "consumed a"
        b.drop()
    assert host._ingen_instance.handles.objects == {}
    assert host.live_blocks() == 0

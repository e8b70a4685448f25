"""Attributes of interfaces and of resources, with their getters and setters."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ingen_runtime import Component
from tests.languages.behaviour.guests import Guests

pytestmark = pytest.mark.slow


class R:
    """The host's resource."""

    def __init__(self, foo: int) -> None:
        self._foo = foo

    def foo(self) -> int:
        return self._foo

    def set_foo(self, v: int) -> None:
        self._foo = v

    @staticmethod
    def bar() -> str:
        return "bar"


class T:
    """The host's interface."""

    r = R = R
    _size = 0

    def size(self) -> int:
        return self._size

    def set_size(self, v: int) -> None:
        self._size = v


@pytest.mark.parametrize("runner", ["module", "component"])
def test_attributes(guests: Guests, language: str, runner: str) -> None:
    """Each side adds one."""
    host = guests.load(language, "accessors", runner, SimpleNamespace(t=T()))
    assert host.t.size() == 1
    host.t.set_size(5)
    assert host.t.size() == 7
    assert host.t.R.bar() == "bar"
    with host.t.R(3) as r:
        assert r.foo() == 4
        r.set_foo(10)
        assert r.foo() == 12
    assert host.live_blocks() == 0


def test_attributes_without_bindings(guests: Guests, language: str) -> None:
    component = Component.from_file(guests.module(language, "accessors"))
    assert "size: get() -> u64;" in str(component.exports["test:accessors/t"])
    with component.instantiate({"test:accessors/t": T()}) as instance:
        t = instance.exports["test:accessors/t"]
        assert (t.size(), t.set_size(1), t.size()) == (1, None, 3)
        with t.R(3) as r:
            assert (r.foo(), r.set_foo(1), r.foo(), t.R.bar()) == (4, None, 3, "bar")

"""The same component, the same values: our host and `wasmtime.component` give the same results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wasmtime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasmtime import component as theirs

from ingen_runtime.canonical import Err, Ok, ResultError
from ingen_runtime.canonical.layout import contains, elem_size
from ingen_runtime.component.component import Component
from ingen_runtime.component.types import ListType, PrimitiveType, ResultType, ValType
from ingen_runtime.engine import wat_to_wasm
from ingen_runtime.errors import Trap
from tests.runtime.canonical.strategies import PLAIN_TYPES, values
from tests.runtime.their_values import Translation, is_expressible
from tests.runtime.type_components import HOST, component_of

_ENGINE = wasmtime.Engine()
EXPRESSIBLE = PLAIN_TYPES.filter(is_expressible)


class Pair:
    """A component for a type, in both hosts. The import `pass` keeps what it got and returns `returned`."""

    def __init__(self, type_: ValType) -> None:
        wasm = wat_to_wasm(component_of(type_))
        self._component = Component.from_bytes(wasm)
        self._theirs = theirs.Component(_ENGINE, wasm)
        func = self._component.exports["echo"].func
        assert func is not None and func.result is not None
        self.type = func.result
        self.classes = self._component.classes
        self.translation = Translation(self.classes)

    def ours(self, name: str, returned: Any = None) -> tuple[Callable[..., Any], list[Any]]:
        """An export in our host, and what `pass` gets."""
        got: list[Any] = []

        def pass_(value: Any) -> Any:
            got.append(value)
            if isinstance(self.type, ResultType):
                if isinstance(returned, Err):
                    raise ResultError(returned.value)
                return returned.value
            return returned

        function = self._component.instantiate({HOST: {"pass": pass_}}).exports[name]
        if name != "echo" or not isinstance(self.type, ResultType):
            return function, got

        def outcome(value: Any) -> Any:
            # What is raised or returned here is a value there.
            try:
                return Ok(function(value))
            except ResultError as error:
                return Err(error.value)

        return outcome, got

    def in_theirs(self, name: str, returned: Any = None) -> tuple[Callable[..., Any], list[Any]]:
        """The same in their host, for their values."""
        got: list[Any] = []

        def pass_(_: object, value: Any) -> Any:
            got.append(value)
            return returned

        store = wasmtime.Store(_ENGINE)
        linker = theirs.Linker(_ENGINE)
        with linker.root() as root, root.add_instance(HOST) as host:
            host.add_func("pass", pass_)
        func = linker.instantiate(store, self._theirs).get_func(store, name)
        assert func is not None

        def call(*arguments: Any) -> Any:
            return func(store, *arguments)

        return call, got


RESULTS = st.builds(ResultType, st.none() | PLAIN_TYPES, st.none() | PLAIN_TYPES).filter(is_expressible)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_values_pass_through(data: st.DataObject) -> None:
    pair = Pair(data.draw(EXPRESSIBLE | RESULTS))
    given_value = data.draw(values(pair.type, pair.classes))
    returned = data.draw(values(pair.type, pair.classes))
    translation, type_ = pair.translation, pair.type
    echo, got = pair.ours("echo", returned)
    result = echo(given_value)
    their_echo, their_got = pair.in_theirs("echo", translation.theirs(returned, type_))
    their_result = translation.ours(their_echo(translation.theirs(given_value, type_)), type_)
    assert [translation.normal(value, type_) for value in got] == [
        translation.normal(translation.ours(value, type_), type_) for value in their_got
    ]
    assert translation.normal(result, type_) == translation.normal(their_result, type_)
    assert translation.normal(result, type_) == translation.normal(returned, type_)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_values_lie_in_memory_alike(data: st.DataObject) -> None:
    pair = Pair(data.draw(EXPRESSIBLE))
    elements = data.draw(values(ListType(pair.type), pair.classes))
    dump, _ = pair.ours("dump")
    their_dump, _ = pair.in_theirs("dump")
    assert dump(elements) == their_dump(pair.translation.theirs(elements, ListType(pair.type)))


def _has_pointers(type_: ValType) -> bool:
    return contains(type_, lambda part: part is PrimitiveType.STRING or isinstance(part, ListType))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_any_bytes_are_the_same_value_or_a_trap(data: st.DataObject) -> None:
    pair = Pair(data.draw(EXPRESSIBLE.filter(lambda type_: not _has_pointers(type_))))
    size = elem_size(pair.type)
    small = st.sampled_from([0, 0, 0, 1, 2, 255])
    content = bytes(data.draw(st.lists(small, min_size=size, max_size=3 * size)))
    undump, _ = pair.ours("undump")
    their_undump, _ = pair.in_theirs("undump")
    try:
        result = undump(content)
    except Trap:
        result = None
    try:
        their_result = their_undump(content)
    except wasmtime.WasmtimeError:
        their_result = None
    if result is None or their_result is None:
        assert result is their_result
        return
    type_ = ListType(pair.type)
    translation = pair.translation
    assert translation.normal(result, type_) == translation.normal(
        translation.ours(their_result, type_), type_
    )

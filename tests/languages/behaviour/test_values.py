"""Every kind of value goes into a guest, from there to the host, and back the same way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingen_runtime.canonical import Err, Ok, ResultError
from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.component.types import FuncType, ResultType
from ingen_sdkgen.resolve import load
from tests.languages.behaviour.guests import RUNNERS, SAMPLES, Guests
from tests.languages.worlds import WIT
from tests.runtime.canonical.strategies import values
from tests.runtime.their_values import is_expressible

pytestmark = pytest.mark.slow

SAMPLE_OF = {"echo": "values", "newer": "newer"}
FUNCTIONS = [
    (str(interface.name), name)
    for interface in load(WIT / "values.wit").resolve.interfaces
    for name in interface.functions
]


class Answers:
    """An implementation of the interface that notes what it is given, and returns what it is told to."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()
        self.answer: Any = None

    def __getattr__(self, name: str) -> Any:
        def function(*arguments: Any) -> Any:
            self.given = arguments
            if isinstance(self.answer, Raised):
                raise ResultError(self.answer.value)
            return self.answer

        return function


class Raised(Err[Any]):
    """An error that a function ends with."""


class World:
    """A host's side of the worlds."""

    def __init__(self) -> None:
        self.echo = self.newer = Answers()


Hosts = list[tuple[str, Any, Answers]]


@pytest.fixture(scope="module")
def hosts(guests: Guests, language: str) -> dict[str, Hosts]:
    """What runs each interface's guest, with what answers it."""
    found: dict[str, Hosts] = {}
    for interface, name in SAMPLE_OF.items():
        found[interface] = []
        if language not in SAMPLES[name].languages:
            continue
        for runner in RUNNERS:
            if runner != "wasmtime" or SAMPLES[name].wasmtime:
                world = World()
                host = guests.load(language, name, runner, world)
                found[interface].append((runner, host, world.echo))
    return found


@pytest.mark.parametrize(("interface", "name"), FUNCTIONS)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_values_pass_through(hosts: dict[str, Hosts], interface: str, name: str, data: st.DataObject) -> None:
    if not hosts[interface]:
        pytest.skip(f"guests in this language cannot have all of the interface `{interface}`")
    _, ours, _ = hosts[interface][0]
    exports = ours._ingen_instance.exports[f"test:values/{interface}@0.1.0"]
    type_: FuncType = exports[name].type
    assert type_.result is not None
    classes = ours._ingen_instance.classes
    arguments = tuple(data.draw(values(param, classes)) for _, param in type_.params)
    answer = data.draw(values(type_.result, classes))
    for runner, host, answers in hosts[interface]:
        answers.answer = _as_returned(type_, answer)
        function = getattr(getattr(host, interface), attribute_name(name))
        if isinstance(answers.answer, Raised):
            with pytest.raises(ResultError) as caught:
                function(*arguments)
            assert caught.value.value == answers.answer.value, runner
        else:
            assert function(*arguments) == answers.answer, runner
        assert answers.given == arguments, runner
        assert host.live_blocks() == 0, runner


def _as_returned(type_: FuncType, value: Any) -> Any:
    """What a function returns or raises for a value of its result type."""
    if isinstance(type_.result, ResultType):
        return value.value if isinstance(value, Ok) else Raised(value.value)
    return value


def test_wasmtime_is_asked_about_everything(hosts: dict[str, Hosts]) -> None:
    _, host, _ = hosts["echo"][0]
    exports = host._ingen_instance.exports["test:values/echo@0.1.0"]
    types = [exports[name].type for interface, name in FUNCTIONS if interface == "echo"]
    parts = [part for type_ in types for part in (type_.result, *(param for _, param in type_.params))]
    assert all(map(is_expressible, parts))

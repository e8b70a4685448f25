"""A world with everything in it: guests make something else of what they get, the same in every language."""

from __future__ import annotations

import struct
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingen_runtime import Component
from ingen_runtime.bindings import Err, Ok, ResultError
from tests.languages.behaviour.guests import RUNNERS, Guests

pytestmark = pytest.mark.slow

U8, U16, U32, U64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
S8, S16, S32, S64 = (st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64))
TEXT = st.text(max_size=8)
HYPOTHESIS = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def wrapped(value: int, bits: int) -> int:
    """A number as so many bits hold it, with a sign."""
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


class Counter:
    """The host's."""

    alive = 0

    def __init__(self, start: int) -> None:
        self._next = start
        Counter.alive += 1

    def next(self) -> int:
        self._next = (self._next + 1) % (1 << 32)
        return self._next

    @staticmethod
    def sum(of: list[Counter], more: int) -> int:
        return (sum(counter._next for counter in of) + more) % (1 << 32)

    def drop(self) -> None:
        Counter.alive -= 1


class World:
    """The host's side of the world; `refused` is the level that it does not log."""

    def __init__(self, shared: ModuleType) -> None:
        self.counter = Counter
        self.shared = SimpleNamespace(shift=self.shift)
        self.messages: list[tuple[str, str]] = []
        self.refused: Any = None
        self._point = shared.Point

    def shift(self, x: Any) -> Any:
        """One to the right, and mirrored."""
        return self._point(wrapped(x.x + 1, 32), wrapped(-x.y, 32))

    def log(self, level: Any, message: str) -> None:
        if level is self.refused:
            raise ResultError(level)
        self.messages.append((level.name, message))


@pytest.fixture(scope="module")
def shared(guests: Guests) -> ModuleType:
    """The classes of the shared interface."""
    module: ModuleType = guests.package("sink")._shared
    return module


@pytest.fixture(scope="module")
def transforms(guests: Guests) -> ModuleType:
    """The classes of the transforming interface."""
    module: ModuleType = guests.package("sink")._transforms
    return module


@pytest.fixture(scope="module")
def hosts(guests: Guests, language: str, shared: ModuleType) -> list[tuple[Any, World]]:
    """What runs the guest, with its host."""
    made = []
    for runner in RUNNERS:
        world = World(shared)
        made.append((guests.load(language, "sink", runner, world), world))
    return made


Hosts = list[tuple[Any, World]]


def points(shared: ModuleType) -> st.SearchStrategy[Any]:
    return st.builds(shared.Point, S32, S32)


@HYPOTHESIS
@given(data=st.data())
def test_shapes_move(hosts: Hosts, shared: ModuleType, data: st.DataObject) -> None:
    at = points(shared)
    shape = data.draw(
        st.one_of(
            st.builds(shared.ShapeNothing),
            st.builds(shared.ShapeDot, at),
            st.builds(shared.ShapeLine, st.tuples(at, at)),
            st.builds(shared.ShapeLabel, TEXT),
            st.builds(shared.ShapePath, st.lists(at, max_size=5)),
        )
    )
    shift = World(shared).shift
    match shape:
        case shared.ShapeDot(value):
            moved = shared.ShapeDot(shift(value))
        case shared.ShapeLine((begin, end)):
            moved = shared.ShapeLine((shift(begin), shift(end)))
        case shared.ShapePath(path):
            moved = shared.ShapePath([shift(value) for value in path])
        case _:
            moved = shape
    point = data.draw(at)
    for host, _ in hosts:
        assert host.transforms.move_all(shape) == moved
        assert host.shared.shift(point) == shift(shared.Point(point.y, point.x))
        assert host.live_blocks() == 0


@HYPOTHESIS
@given(words=st.lists(TEXT, max_size=5), text=st.binary(max_size=20), at=U8, bits=st.integers(0, 7))
def test_lists_flags_and_enums(
    hosts: Hosts, shared: ModuleType, words: list[str], text: bytes, at: int, bits: int
) -> None:
    levels = list(shared.Level)
    for host, _ in hosts:
        made = host.transforms
        assert made.reverse(words) == [word * 2 for word in reversed(words)]
        assert made.split(text, at) == text.split(bytes([at]))
        assert made.invert(shared.Rights(bits)) == shared.Rights(7 - bits)
        assert [made.next(level) for level in levels] == [*levels[1:], levels[0]]
        assert host.live_blocks() == 0


@HYPOTHESIS
@given(data=st.data())
def test_records(hosts: Hosts, shared: ModuleType, transforms: ModuleType, data: st.DataObject) -> None:
    amount = st.floats(-1e9, 1e9)
    order = st.builds(
        transforms.Order,
        U64,
        TEXT,
        st.lists(TEXT, max_size=3),
        st.none() | points(shared),
        st.builds(Ok, amount) | st.builds(Err, TEXT),
    )
    orders = data.draw(st.lists(order, max_size=4))
    reasons = [each.paid.value for each in orders if isinstance(each.paid, Err)]
    total = 0.0
    for each in orders:
        total += 0.0 if isinstance(each.paid, Err) else each.paid.value
    most = shared.Level.LOW if not orders else shared.Level.MIDDLE if len(orders) < 3 else shared.Level.HIGH
    shift = World(shared).shift
    for host, _ in hosts:
        if reasons:
            with pytest.raises(ResultError) as caught:
                host.transforms.total(orders)
            assert caught.value.value == reasons
        else:
            assert host.transforms.total(orders) == transforms.Totals(len(orders), total, most)
        for each in orders:
            assert host.transforms.rework(each) == transforms.Order(
                each.id ^ (1 << 64) - 1,
                each.name,
                [*each.tags, each.name],
                None if each.place is None else shift(each.place),
                Ok(float(len(each.paid.value.encode())))
                if isinstance(each.paid, Err)
                else Err("less" if each.paid.value < 0 else "more"),
            )
        assert host.live_blocks() == 0


@HYPOTHESIS
@given(
    numbers=st.tuples(U8, S8, U16, S16, U32, S32, U64, S64),
    real=st.floats(width=32, allow_nan=False),
    positive=st.booleans(),
    first=st.characters(codec="utf-8"),
    rest=TEXT,
)
def test_every_width(
    hosts: Hosts, numbers: tuple[int, ...], real: float, positive: bool, first: str, rest: str
) -> None:
    a, b, c, d, e, f, g, h = numbers
    expected = (
        wrapped(b + d + f + h, 64),
        (a + c + e + g) % (1 << 64),
        real if positive else -real,
        first + rest,
    )
    for host, _ in hosts:
        found = host.transforms.widen(*numbers, real, positive, first, rest)
        assert found == expected
        assert struct.pack("d", found[2]) == struct.pack("d", expected[2])
        assert host.live_blocks() == 0


@HYPOTHESIS
@given(lists=st.lists(st.lists(TEXT, max_size=3), max_size=3), word=TEXT, between=TEXT)
def test_a_resource_of_the_guests(hosts: Hosts, lists: list[list[str]], word: str, between: str) -> None:
    for host, _ in hosts:
        words_class = host.in_place.Words
        made = [words_class(words) for words in lists]
        assert [words.joined(between) for words in made] == [between.join(words) for words in lists]
        every = [*lists, *([[*lists[0], word]] if lists else [])]
        if lists:
            assert made[0].add(word) == len(lists[0]) + 1
            every = [[*lists[0], word], *lists[1:]]
        flat = [text for words in every for text in words]
        longest = max(flat, key=lambda text: len(text.encode()), default=None)
        assert words_class.longest(made) == longest
        merged = host.in_place.merge(made)
        if merged is None:
            assert not lists
        else:
            with merged:
                assert merged.joined(between) == between.join(flat)
        assert host.live_blocks() == 0


@HYPOTHESIS
@given(data=st.data(), start=U32, times=st.integers(0, 6), refused=st.none() | st.integers(0, 2))
def test_a_run(
    hosts: Hosts, shared: ModuleType, data: st.DataObject, start: int, times: int, refused: int | None
) -> None:
    at = data.draw(points(shared))
    levels = list(shared.Level)
    logged = [levels[(start + 1 + i) % (1 << 32) % 3] for i in range(times)]
    level = None if refused is None else levels[refused]
    for host, world in hosts:
        world.messages, world.refused = [], level
        before = Counter.alive
        counter = Counter(start)
        if level in logged:
            with pytest.raises(ResultError) as caught:
                host.run(at, counter, times)
            assert caught.value.value is level
            logged_before = logged[: logged.index(level)]
        else:
            point, given_back = host.run(at, counter, times)
            moved = shared.Point(wrapped(at.x + counter._next + times + 1, 32), at.y)
            assert (point, given_back) == (world.shift(moved), counter)
            counter.drop()
            logged_before = logged
        assert world.messages == [(level.name, "counted") for level in logged_before]
        assert Counter.alive == before
        assert host.live_blocks() == 0


@pytest.mark.parametrize("form", ["module", "component"])
def test_types_that_interfaces_share_without_bindings(guests: Guests, language: str, form: str) -> None:
    wasm = guests.module(language, "sink").read_bytes()
    component = Component(wasm if form == "module" else guests.component(language, "sink"))
    imports = {"test:sink/shared@1.0.0": {"shift": lambda x: x}, "log": print, "counter": Counter}
    with component.instantiate(imports) as instance:
        shared = instance.exports["test:sink/shared@1.0.0"]
        transforms = instance.exports["test:sink/transforms@1.0.0"]
        dot = shared.Shape.Dot(shared.Point(1, 2))
        assert transforms.move_all(dot) == dot
        assert transforms.next(shared.Level.HIGH) is shared.Level.LOW

"""Resources of the host's and of the guest's, lent and given, between a host and a Rust guest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.resolve import load
from tests.languages.rust.toolchain import bindings, build

WIT = Path(__file__).parent / "wit" / "resources.wit"
TARGET = "wasm32-unknown-unknown"


class Thing:
    """The host's thing; `alive` holds those that no one has dropped."""

    alive: ClassVar[set[Thing]] = set()

    def __init__(self, name: str) -> None:
        self._name = name
        self.alive.add(self)

    def name(self) -> str:
        return self._name

    def rename(self, name: str) -> None:
        self._name = name

    def like(self, other: Thing) -> bool:
        return len(self._name) == len(other._name)

    @staticmethod
    def merge(a: Thing, b: Thing) -> Thing:
        a.drop()
        return Thing(f"{a._name}&{b._name}")

    @staticmethod
    def checked(name: str) -> Thing:
        if not name:
            raise ResultError("no name")
        return Thing(name)

    def drop(self) -> None:
        self.alive.remove(self)


class Counter:
    """Counts from a number below ten."""

    def __init__(self, start: int) -> None:
        if start > 9:
            raise ResultError(f"{start} is too large")
        self._next = start

    def next(self) -> int:
        return self._next


def spilled(a: tuple[int, ...], b: tuple[int, ...], c: Thing, d: Thing, e: list[Thing]) -> Any:
    """What is passed in memory as a whole."""
    c.rename(f"{c.name()} {d.name()}")
    for thing in e:
        thing.drop()
    return c, sum(a) + sum(b), len(e)


def consume(x: Thing) -> str:
    """The name of what ends here."""
    x.drop()
    return f"consumed {x.name()}"


THINGS = {
    "thing": Thing,
    "counter": Counter,
    "make": lambda names: [Thing(name) for name in names],
    "total": lambda things: sum(len(thing.name()) for thing in things),
    "swap": lambda p: type(p)(p.left, p.right) if p.right is None else type(p)(p.right, p.left),
    "look": lambda all_: [f"{seen.it.name()} {seen.times} times" for seen in all_],
    "look-at": lambda it, other, last: f"{it.it.name()} {other and other.name()} {last.name()}",
    "consume": consume,
    "hold": lambda x: x,
    "spilled": spilled,
}


def module(guest: str, world: str, folder: str, made: Path) -> Path:
    resolve = load(WIT).resolve
    found = find_world(resolve, world)
    assert found is not None
    files = {folder + name: text for name, text in bindings(resolve, found).items()}
    return build(guest, files, TARGET, made)


@pytest.fixture(scope="module")
def things_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return module("things", "both", "", tmp_path_factory.mktemp("things"))


@pytest.fixture
def instance(things_module: Path) -> Instance:
    Thing.alive.clear()
    return Component.from_file(things_module).instantiate({"test:resources/things": THINGS})


def live_blocks(instance: Instance) -> int:
    blocks: int = instance.exports["test:resources/memory"]["live-blocks"]()
    return blocks


def test_every_way_of_passing_handles(instance: Instance) -> None:
    things = instance.exports["test:resources/things"]
    a, b = things.Thing("a"), things.Thing("bee")
    assert (a.name(), b.name()) == ("<a>", "<bee>")
    a.rename("aye")
    assert a.like(b)
    merged = things.Thing.merge(a, b)
    assert merged.name() == "<aye&bee>"
    made = things.make(["x", "yy", "zzz"])
    assert [thing.name() for thing in made] == ["<x>", "<yy>", "<zzz>"]
    assert things.total(made) == 6
    pair = things.swap(things.Pair(made[0], made[1]))
    assert (pair.left.name(), pair.right.name()) == ("<yy>", "<x>")
    assert things.swap(things.Pair(pair.left, None)).left.name() == "<yy>"
    assert things.look([things.Seen(made[2], 2), things.Seen(b, 1)]) == ["zzz 2 times", "bee 1 times"]
    assert things.look_at(things.Seen(made[2], 2), b, merged) == "zzz bee aye&bee"
    assert things.look_at(things.Seen(made[2], 2), None, merged) == "zzz None aye&bee"
    numbers = ((1,) * 8, (2,) * 6)
    thing, total, count = things.spilled(*numbers, merged, b, things.make(["1", "2"]))
    assert (thing.name(), total, count) == ("<aye&bee bee>", 20, 2)
    assert things.consume(thing) == "consumed aye&bee bee"


def test_errors_instead_of_resources(instance: Instance) -> None:
    things = instance.exports["test:resources/things"]
    assert things.Thing.checked("c").name() == "<c>"
    with pytest.raises(ResultError, match="no name"):
        things.Thing.checked("")
    counter = things.Counter(7)
    assert [counter.next(), counter.next()] == [7, 8]
    with pytest.raises(ResultError, match="10 is too large"):
        things.Counter(10)


def test_nothing_is_left(instance: Instance) -> None:
    """Neither memory nor handles nor the host's things, however often they pass."""
    things = instance.exports["test:resources/things"]
    handles = instance._context.state.handles

    def round_trip() -> None:
        a, b, *rest = things.make(["a", "b", "c", "d"])
        things.total([a, b])
        things.look([things.Seen(a, 1)])
        things.look_at(things.Seen(a, 1), b, a)
        pair = things.swap(things.Pair(a, b))
        with pytest.raises(ResultError):
            things.Thing.checked("")
        last, _, _ = things.spilled((0,) * 8, (0,) * 6, pair.left, pair.right, rest)
        things.consume(last)
        pair.right.drop()

    with things.Thing("kept"):
        assert len(handles) == 1  # the host's thing in the guest's
    round_trip()
    level = live_blocks(instance)
    for _ in range(200):
        round_trip()
    assert live_blocks(instance) == level == 0
    assert Thing.alive == set()
    assert len(handles) == 0


def test_a_guest_drops_what_it_was_lent(tmp_path: Path) -> None:
    made = module("lent", "handed", "generated/", tmp_path)
    instance = Component.from_file(made).instantiate({"test:resources/things": THINGS})
    Thing.alive.clear()
    user = instance.exports["test:resources/user"]
    a, b, c = Thing("a"), Thing("b"), Thing("c")
    pair = user.use_imported(a, [b, a], c)
    assert (a.name(), pair.left.name(), pair.right.name()) == ("used", "b+used", "used")
    assert pair.left is c
    assert Thing.alive == {a, b, c, pair.right}
    assert live_blocks(instance) == 0

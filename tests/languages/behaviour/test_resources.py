"""Resources of the host's and of the guest's, lent and given, in every position."""

from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from ingen_runtime.bindings import ResultError
from ingen_runtime.errors import HostValueError
from tests.languages.behaviour.guests import Guests

pytestmark = pytest.mark.slow


def lends_several(runner: str) -> bool:
    """Whether a guest can lend several handles to one host function: wasmtime 50 then traps with `BUG:
    deferred host scope has no call context`.
    """
    return runner != "wasmtime"


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


class Things:
    """The host's interface."""

    thing = Thing
    counter = Counter

    def make(self, names: list[str]) -> list[Thing]:
        return [Thing(name) for name in names]

    def total(self, things: list[Thing]) -> int:
        return sum(len(thing.name()) for thing in things)

    def swap(self, p: Any) -> Any:
        return p if p.right is None else type(p)(p.right, p.left)

    def look(self, all: list[Any]) -> list[str]:
        return [f"{seen.it.name()} {seen.times} times" for seen in all]

    def look_at(self, it: Any, other: Thing | None, last: Thing) -> str:
        return f"{it.it.name()} {other and other.name()} {last.name()}"

    def consume(self, x: Thing) -> str:
        """The name of what ends here."""
        x.drop()
        return f"consumed {x.name()}"

    def hold(self, x: Any) -> Any:
        return x

    def spilled(
        self, a: tuple[int, ...], b: tuple[int, ...], c: Thing, d: Thing, e: list[Thing]
    ) -> tuple[Thing, int, int]:
        """What is passed in memory as a whole."""
        c.rename(f"{c.name()} {d.name()}")
        for thing in e:
            thing.drop()
        return c, sum(a) + sum(b), len(e)


@pytest.fixture
def host(guests: Guests, language: str, runner: str) -> Any:
    Thing.alive.clear()
    return guests.load(language, "things", runner, SimpleNamespace(things=Things()))


@pytest.fixture(scope="session")
def classes(guests: Guests) -> ModuleType:
    """The classes of the generated host for the interface."""
    module: ModuleType = guests.package("things")._things
    return module


def test_every_way_of_passing_handles(host: Any, classes: ModuleType, runner: str) -> None:
    things = host.things
    a, b = things.Thing("a"), things.Thing(name="bee")
    assert isinstance(a, classes.GuestThing)
    assert (a.name(), b.name()) == ("<a>", "<bee>")
    a.rename("aye")
    if lends_several(runner):
        assert a.like(b)
    merged = things.Thing.merge(a, b)
    assert merged.name() == "<aye&bee>"
    with pytest.raises(HostValueError, match="got a dropped one"):
        a.name()
    made = things.make(["x", "yy", "zzz"])
    assert all(isinstance(thing, things.Thing) for thing in made)
    assert [thing.name() for thing in made] == ["<x>", "<yy>", "<zzz>"]
    assert things.total(made[1:2]) == 2
    pair = things.swap(classes.Pair(made[0], made[1]))
    assert (pair.left.name(), pair.right.name()) == ("<yy>", "<x>")
    alone = things.swap(classes.Pair(pair.left, None))
    assert (alone.left.name(), alone.right) == ("<yy>", None)
    seen = classes.Seen(made[2], 2)
    assert things.look([seen]) == ["zzz 2 times"]
    if lends_several(runner):
        assert things.total([made[2], b]) == 6
        assert things.look([seen, classes.Seen(b, 1)]) == ["zzz 2 times", "bee 1 times"]
        assert things.look_at(seen, b, merged) == "zzz bee aye&bee"
        assert things.look_at(seen, None, merged) == "zzz None aye&bee"
    assert things.hold(classes.HeldNothing()) == classes.HeldNothing()
    one = things.hold(classes.HeldOne(alone.left)).value
    many = things.hold(classes.HeldMany([one, pair.right])).value
    assert [thing.name() for thing in many] == ["<yy>", "<x>"]
    numbers = ((1,) * 8, (2,) * 6)
    thing, total, count = things.spilled(*numbers, merged, b, things.make(["1", "2"]))
    assert (thing.name(), total, count) == ("<aye&bee bee>", 20, 2)
    assert things.consume(thing) == "consumed aye&bee bee"
    for left in (b, made[2], *many):
        left.drop()
    assert Thing.alive == set()
    assert host.live_blocks() == 0


def test_errors_instead_of_resources(host: Any) -> None:
    things = host.things
    with things.Thing.checked("c") as thing:
        assert thing.name() == "<c>"
    with pytest.raises(ResultError, match="no name"):
        things.Thing.checked("")
    with things.Counter(7) as counter:
        assert [counter.next(), counter.next()] == [7, 8]
    with pytest.raises(ResultError, match="10 is too large"):
        things.Counter(10)
    assert host.live_blocks() == 0


def test_a_guest_drops_what_it_was_lent(guests: Guests, language: str, runner: str) -> None:
    Thing.alive.clear()
    host = guests.load(language, "lent", runner, SimpleNamespace(things=Things()))
    a, b, c = Thing("a"), Thing("bee"), Thing("c")
    several = [b, a] if lends_several(runner) else [b]
    pair = host.user.use_imported(a, several, c)
    assert (a.name(), pair.right.name()) == ("used", "used")
    assert pair.left.name() == ("bee+used" if lends_several(runner) else "bee")
    assert pair.left is c
    assert Thing.alive == {a, b, c, pair.right}
    assert host.live_blocks() == 0


def test_a_guest_waits(guests: Guests, language: str) -> None:
    class Slow(Thing):
        async def rename(self, name: str) -> None:  # type: ignore[override]  # as an AsyncThing may
            await asyncio.sleep(0)
            super().rename(name)

    class SlowThings(Things):
        thing = Slow

        async def total(self, things: list[Thing]) -> int:  # type: ignore[override]  # as above
            await asyncio.sleep(0)
            return super().total(things)

    async def use() -> None:
        world = guests.package("lent").Handed
        module = guests.module(language, "lent")
        async with await world.load_async(module, SimpleNamespace(things=SlowThings())) as host:
            a, b = Slow("a"), Slow("b")
            pair = await host.user.use_imported(a, [a], b)
            assert (a.name(), pair.left.name(), pair.right.name()) == ("used", "used", "used")
            assert await host.live_blocks() == 0

    Thing.alive.clear()
    asyncio.run(use())

"""Things that are made of the host's things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from world import Exports, export
from world import things as host
from world.things import GuestThing, Held, HeldMany, HeldOne, Pair, Seen, ThingsExports


class Thing:
    """Has the host's."""

    def __init__(self, name: str) -> None:
        self.inner = host.Thing(name)

    def name(self) -> str:
        return f"<{self.inner.name()}>"

    def rename(self, name: str) -> None:
        self.inner.rename(name)

    def like(self, other: GuestThing) -> bool:
        return self.inner.like(unwrap(other))

    @staticmethod
    def merge(a: GuestThing, b: GuestThing) -> GuestThing:
        merged: GuestThing = wrap(host.Thing.merge(unwrap(a), unwrap(b)))
        return merged

    @staticmethod
    def checked(name: str) -> GuestThing:
        checked: GuestThing = wrap(host.Thing.checked(name))
        return checked


# Values with things in them have a guest's things in exports and a host's in imports, in one class: the
# annotations are those of imports.


def wrap(inner: host.Thing) -> Any:
    """A thing that has the host's."""
    made = Thing.__new__(Thing)
    made.inner = inner
    return made


def unwrap(thing: Any) -> host.Thing:
    """The host's thing in one of ours."""
    inner: host.Thing = thing.inner
    return inner


class Counter:
    """Begins where the host's does."""

    def __init__(self, start: int) -> None:
        with host.Counter(start) as inner:
            self._next = inner.next()

    def next(self) -> int:
        self._next += 1
        return self._next - 1


class Things(ThingsExports):
    thing = Thing
    counter = Counter

    def make(self, names: list[str]) -> Sequence[GuestThing]:
        return list(map(wrap, host.make(names)))

    def total(self, things: list[GuestThing]) -> int:
        return host.total(list(map(unwrap, things)))

    def swap(self, p: Pair) -> Pair:
        swapped = host.swap(Pair(unwrap(p.left), p.right and unwrap(p.right)))
        return Pair(wrap(swapped.left), swapped.right and wrap(swapped.right))

    def look(self, all: list[Seen]) -> Sequence[str]:
        return host.look([Seen(unwrap(seen.it), seen.times) for seen in all])

    def look_at(self, it: Seen, other: GuestThing | None, last: GuestThing) -> str:
        return host.look_at(
            Seen(unwrap(it.it), it.times), None if other is None else unwrap(other), unwrap(last)
        )

    def consume(self, x: GuestThing) -> str:
        return host.consume(unwrap(x))

    def hold(self, x: Held) -> Held:
        match x:
            case HeldOne(thing):
                x = HeldOne(unwrap(thing))
            case HeldMany(things):
                x = HeldMany(list(map(unwrap, things)))
            case _:
                pass
        match host.hold(x):
            case HeldOne(thing):
                return HeldOne(wrap(thing))
            case HeldMany(things):
                return HeldMany(list(map(wrap, things)))
            case nothing:
                return nothing

    def spilled(
        self,
        a: tuple[int, int, int, int, int, int, int, int],
        b: tuple[int, int, int, int, int, int],
        c: GuestThing,
        d: GuestThing,
        e: list[GuestThing],
    ) -> tuple[GuestThing, int, int]:
        thing, total, count = host.spilled(a, b, unwrap(c), unwrap(d), list(map(unwrap, e)))
        return wrap(thing), total, count


@export
class Guest(Exports):
    things = Things()

    def live_blocks(self) -> int:
        return 0

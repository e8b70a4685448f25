"""Makes something else of everything that it gets."""

from __future__ import annotations

from collections.abc import Sequence

from world import Counter, Err, Exports, Ok, ResultError, export, log
from world.in_place import InPlaceExports
from world.in_place import Words as AnyWords
from world.shared import Level, Point, Rights, Shape, ShapeDot, ShapeLine, ShapePath, SharedExports, shift
from world.transforms import Order, Totals, TransformsExports


def wrapped(value: int, bits: int, *, signed: bool) -> int:
    """A number as so many bits hold it."""
    least = -(1 << bits - 1) if signed else 0
    return (value - least) % (1 << bits) + least


class Shared(SharedExports):
    def shift(self, x: Point) -> Point:
        return shift(Point(x.y, x.x))


class Transforms(TransformsExports):
    def reverse(self, x: list[str]) -> Sequence[str]:
        return [word * 2 for word in reversed(x)]

    def move_all(self, x: Shape) -> Shape:
        match x:
            case ShapeDot(at):
                return ShapeDot(shift(at))
            case ShapeLine((start, end)):
                return ShapeLine((shift(start), shift(end)))
            case ShapePath(points):
                return ShapePath(list(map(shift, points)))
            case other:
                return other

    def invert(self, x: Rights) -> Rights:
        return ~x

    def next(self, x: Level) -> Level:
        levels = list(Level)
        return levels[(levels.index(x) + 1) % len(levels)]

    def total(self, orders: list[Order]) -> Totals:
        reasons = [order.paid.value for order in orders if isinstance(order.paid, Err)]
        if reasons:
            raise ResultError(reasons)
        count, total = 0, 0.0
        for order in orders:
            if isinstance(order.paid, Ok):
                count += 1
                total += order.paid.value
        most = Level.LOW if count == 0 else Level.MIDDLE if count <= 2 else Level.HIGH
        return Totals(count, total, most)

    def rework(self, x: Order) -> Order:
        paid: Ok[float] | Err[str]
        match x.paid:
            case Ok(amount):
                paid = Err("less" if amount < 0.0 else "more")
            case Err(reason):
                paid = Ok(float(len(reason.encode())))
        place = None if x.place is None else shift(x.place)
        return Order(x.id ^ ((1 << 64) - 1), x.name, [*x.tags, x.name], place, paid)

    def widen(
        self,
        a: int,
        b: int,
        c: int,
        d: int,
        e: int,
        f: int,
        g: int,
        h: int,
        i: float,
        j: bool,
        k: str,
        l: str,  # noqa: E741  # that is its name
    ) -> tuple[int, int, float, str]:
        return (
            wrapped(h + b + d + f, 64, signed=True),
            wrapped(g + a + c + e, 64, signed=False),
            i if j else -i,
            k + l,
        )

    def split(self, bytes: bytes, at: int) -> Sequence[bytes | bytearray | memoryview]:
        return bytes.split(at.to_bytes())


class Words:
    def __init__(self, first: list[str]) -> None:
        self.words = first

    def add(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)

    def joined(self, between: str) -> str:
        return between.join(self.words)

    @staticmethod
    def longest(all: list[AnyWords]) -> str | None:
        found = [word for words in map(own, all) for word in words.words]
        return max(found, key=lambda word: len(word.encode()), default=None)


def own(words: AnyWords) -> Words:
    """What this guest has made is of its class."""
    assert isinstance(words, Words)
    return words


class InPlace(InPlaceExports):
    words = Words

    def merge(self, all: list[AnyWords]) -> AnyWords | None:
        if not all:
            return None
        first, *rest = map(own, all)
        for words in rest:
            first.words += words.words
        return first


@export
class Guest(Exports):
    shared = Shared()
    transforms = Transforms()
    in_place = InPlace()

    def run(self, at: Point, count: Counter, times: int) -> tuple[Point, Counter]:
        levels = list(Level)
        for _ in range(times):
            log(levels[count.next() % 3], "counted")
        other = Counter(times)
        more = other.next()
        total = Counter.sum([count], more)
        other.drop()
        return shift(Point(wrapped(at.x + total, 32, signed=True), at.y)), count

    def live_blocks(self) -> int:
        return 0

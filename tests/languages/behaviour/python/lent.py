"""Uses things of the host's, lent and given."""

from __future__ import annotations

from world import Exports, export, things
from world.things import Pair
from world.user import Item, UserExports


class User(UserExports):
    def use_imported(self, it: Item, all: list[Item], keep: Item) -> Pair:
        it.rename("used")
        keep.rename("+".join(item.name() for item in all))
        return Pair(keep, things.Thing(it.name()) if things.total(all) > 1 else None)


@export
class Guest(Exports):
    user = User()

    def live_blocks(self) -> int:
        return 0

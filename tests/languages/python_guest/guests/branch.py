"""A guest of the world `branch`: it keeps one account of the host's bank."""

from __future__ import annotations

from branch_guest import Exports, export
from branch_guest.bank import Account
from branch_guest.teller import TellerExports


class Teller(TellerExports):
    def __init__(self) -> None:
        self.kept: Account | None = None

    def audit(self, account: Account) -> str:
        return account.owner()

    def keep(self, account: Account) -> int:
        if self.kept is not None:
            self.kept.drop()
        self.kept = account
        return account.deposit(5)

    def give(self) -> Account | None:
        given, self.kept = self.kept, None
        return given


@export
class Guest(Exports):
    teller = Teller()

    def live_blocks(self) -> int:
        return 0

"""A guest of the world `banking`: it has a bank of its own, and takes its largest customers elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from banking_guest import Exports, ResultError, export
from banking_guest.bank import BankExports, GuestAccount


class Account:
    def __init__(self, owner: str) -> None:
        self.name = owner
        self.money = 0

    def owner(self) -> str:
        return self.name

    def deposit(self, amount: int) -> int:
        self.money += amount
        return self.money

    def merge(self, other: GuestAccount) -> int:
        return self.deposit(other.deposit(0))

    def richer(self, other: GuestAccount) -> bool:
        return self.money > other.deposit(0)

    @staticmethod
    def open(owners: list[str]) -> Sequence[GuestAccount]:
        return [Account(owner) for owner in owners]


class Bank(BankExports):
    account = Account

    def total(self, accounts: list[GuestAccount]) -> int:
        return sum(account.deposit(0) for account in accounts)

    def close(self, accounts: list[GuestAccount]) -> int:
        return self.total(accounts)

    def swap(self, pair: tuple[GuestAccount, GuestAccount]) -> tuple[GuestAccount, GuestAccount]:
        return pair[1], pair[0]

    def find(self, accounts: list[GuestAccount], owner: str) -> GuestAccount:
        for account in accounts:
            if account.owner() == owner:
                return account
        raise ResultError(f"no account of {owner}")


@export
class Guest(Exports):
    bank = Bank()

    def live_blocks(self) -> int:
        return 0

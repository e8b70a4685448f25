"""Resources of C guests: those that they export, and those that they take from the host."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from tests.languages.c.test_run import LIVE_BLOCKS, build
from tests.languages.c.toolchain import componentize

BANK = "test:resources/bank@0.1.0"
TELLER = "test:resources/teller@0.1.0"

BANKING = """
#include "world.h"
extern int32_t live_blocks;
void *realloc(void *, size_t);
void free(void *);
struct exports_test_resources_bank_account_t { banking_string_t owner; uint32_t money; };
typedef exports_test_resources_bank_own_account_t own;
typedef exports_test_resources_bank_account_t account;
#define REP exports_test_resources_bank_own_account_rep
#define DROP exports_test_resources_bank_own_account_drop

void exports_test_resources_bank_account_destructor(account *rep) {
    banking_string_free(&rep->owner);
    free(rep);
}
own exports_test_resources_bank_account_constructor(banking_string_t owner) {
    account *made = realloc(NULL, sizeof *made);
    made->owner = owner;
    made->money = 0;
    return exports_test_resources_bank_own_account_new(made);
}
banking_string_t exports_test_resources_bank_account_owner(account *self) {
    return banking_string_copy_n(self->owner.ptr, self->owner.len);
}
uint32_t exports_test_resources_bank_account_deposit(account *self, uint32_t amount) {
    return self->money += amount;
}
uint32_t exports_test_resources_bank_account_merge(account *self, own other) {
    self->money += REP(other)->money;
    DROP(other);
    return self->money;
}
bool exports_test_resources_bank_account_richer(account *self, account *other) {
    return self->money > other->money;
}
banking_list_exports_test_resources_bank_own_account_t
exports_test_resources_bank_account_open(banking_list_string_t owners) {
    banking_list_exports_test_resources_bank_own_account_t made =
        banking_list_exports_test_resources_bank_own_account_make(owners.len);
    for (size_t i = 0; i < owners.len; i++) {
        made.ptr[i] = exports_test_resources_bank_account_constructor(owners.ptr[i]);
        owners.ptr[i].len = 0;
    }
    banking_list_string_free(&owners);
    return made;
}
uint64_t exports_test_resources_bank_total(
    banking_list_exports_test_resources_bank_borrow_account_t accounts) {
    uint64_t total = 0;
    for (size_t i = 0; i < accounts.len; i++) total += accounts.ptr[i]->money;
    if (accounts.len > 0) free(accounts.ptr);
    return total;
}
uint64_t exports_test_resources_bank_close(banking_list_exports_test_resources_bank_own_account_t accounts) {
    uint64_t total = 0;
    for (size_t i = 0; i < accounts.len; i++) total += REP(accounts.ptr[i])->money;
    banking_list_exports_test_resources_bank_own_account_free(&accounts);
    return total;
}
typedef banking_tuple2_exports_test_resources_bank_own_account_exports_test_resources_bank_own_account_t two;
void exports_test_resources_bank_swap(two *pair, two *ret) {
    ret->f0 = pair->f1;
    ret->f1 = pair->f0;
}
bool exports_test_resources_bank_find(
    banking_list_exports_test_resources_bank_own_account_t accounts, banking_string_t owner, own *ret,
    banking_string_t *err) {
    bool found = false;
    for (size_t i = 0; i < accounts.len; i++) {
        if (!found && REP(accounts.ptr[i])->owner.len == owner.len) {
            *ret = accounts.ptr[i];
            found = true;
        } else {
            DROP(accounts.ptr[i]);
        }
    }
    if (accounts.len > 0) free(accounts.ptr);
    banking_string_free(&owner);
    if (!found) *err = banking_string_copy("no such account");
    return found;
}
int32_t exports_banking_live_blocks(void) { return live_blocks; }
"""

BRANCH = """
#include "world.h"
void free(void *);
static test_resources_bank_own_account_t kept;
static bool has_kept;

branch_string_t exports_test_resources_teller_audit(exports_test_resources_teller_borrow_account_t account) {
    branch_string_t owner = test_resources_bank_account_owner(account);
    test_resources_bank_borrow_account_drop(account);
    return owner;
}
uint32_t exports_test_resources_teller_keep(exports_test_resources_teller_own_account_t account) {
    uint32_t money = test_resources_bank_account_deposit(test_resources_bank_own_account_borrow(account), 5);
    if (has_kept) test_resources_bank_own_account_drop(kept);
    kept = account;
    has_kept = true;
    return money;
}
bool exports_test_resources_teller_give(exports_test_resources_teller_own_account_t *ret) {
    if (!has_kept) return false;
    branch_string_t names[2];
    names[0] = branch_string_view("ann");
    names[1] = branch_string_view("bob");
    branch_list_string_t owners;
    owners.ptr = names;
    owners.len = 2;
    branch_list_test_resources_bank_own_account_t opened = test_resources_bank_account_open(owners);
    test_resources_bank_account_merge(test_resources_bank_own_account_borrow(kept), opened.ptr[0]);
    test_resources_bank_own_account_drop(opened.ptr[1]);
    opened.len = 1;
    free(opened.ptr);
    *ret = kept;
    has_kept = false;
    return true;
}
""" + LIVE_BLOCKS.format(world="branch")


@pytest.mark.parametrize("wrap", [False, True], ids=["module", "component"])
def test_an_exported_resource(tmp_path: Path, library: Path, wrap: bool) -> None:
    module = build("resources.wit", "banking", tmp_path, library, BANKING)
    component = Component.from_file(componentize(module) if wrap else module)
    # A module says that it imports all that its world does; a component only what it calls.
    with Linker().trap_missing().instantiate(component) as instance:
        bank = instance.exports[BANK]
        account = bank["account"]
        level = instance.call("live-blocks")
        for _ in range(100):
            ann, bob = account("ann"), account("bobby")
            assert ann.owner() == "ann"
            assert ann.deposit(5) == 5
            assert ann.deposit(6) == 11
            assert bob.deposit(3) == 3
            assert ann.richer(bob)
            assert bank["total"]([ann, bob]) == 14
            first, second = bank["swap"]((ann, bob))
            assert (first.owner(), second.owner()) == ("bobby", "ann")
            assert second.merge(first) == 14
            assert bank["close"]([second, *account.open(["a", "b"])]) == 14
            found = bank["find"](account.open(["x", "yy", "zzz"]), "--")
            assert found.owner() == "yy"
            found.drop()
            with pytest.raises(ResultError) as caught:
                bank["find"]([], "x")
            assert caught.value.value == "no such account"
            assert instance.call("live-blocks") == level


class Account:
    """The host's accounts; `open_accounts` are those that were not dropped."""

    open_accounts: ClassVar[set[Account]] = set()

    def __init__(self, owner: str) -> None:
        self._owner, self.money = owner, 0
        self.open_accounts.add(self)

    def owner(self) -> str:
        return self._owner

    def deposit(self, amount: int) -> int:
        self.money += amount
        return self.money

    def merge(self, other: Account) -> int:
        self.open_accounts.discard(other)
        return self.deposit(other.money + 1)

    @staticmethod
    def open(owners: list[str]) -> list[Account]:
        return [Account(owner) for owner in owners]

    def drop(self) -> None:
        self.open_accounts.discard(self)


def test_an_imported_resource(tmp_path: Path, library: Path) -> None:
    module = build("resources.wit", "branch", tmp_path, library, BRANCH)
    component = Component.from_file(module)
    linker = Linker({BANK: {"account": Account}}).trap_missing()
    with linker.instantiate(component) as instance:
        teller = instance.exports[TELLER]
        ann = Account("ann")
        level = instance.call("live-blocks")
        assert teller["give"]() is None
        for _ in range(100):
            assert teller["audit"](ann) == "ann"
            money = ann.money
            assert teller["keep"](ann) == money + 5
            assert teller["give"]() is ann
            assert ann.money == money + 6
            assert instance.call("live-blocks") == level
            assert Account.open_accounts == {ann}

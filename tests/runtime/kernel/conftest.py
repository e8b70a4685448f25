"""A folder that a guest is given, with a secret beside it, for each way to look up paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.files import FileAccount
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.resolve import KernelResolver, Resolver, WalkingResolver


@pytest.fixture(params=["kernel", "walking"])
def resolver(request: pytest.FixtureRequest) -> Resolver:
    if request.param == "walking":
        return WalkingResolver()
    if not KernelResolver.works():
        pytest.skip("this system has no openat2")
    return KernelResolver()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What must not be reached; the given folder is in it."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("key")
    (tmp_path / "given").mkdir()
    return tmp_path


@pytest.fixture
def given(outside: Path) -> Path:
    """The host's view of the folder that the guest is given."""
    return outside / "given"


@pytest.fixture
def account(resolver: Resolver) -> Iterator[FileAccount]:
    account = FileAccount(Limits(), resolver)
    yield account
    account.opened.close_all()


@pytest.fixture
def root(account: FileAccount, given: Path) -> Directory:
    """The guest's view of it."""
    return Directory.preopen(account, given)


@pytest.fixture
def read_only_root(account: FileAccount, given: Path) -> Directory:
    return Directory.preopen(account, given, writable=False)

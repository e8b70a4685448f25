"""The cache: what was stored comes back, and nothing that is wrong with the folder matters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from ingen_sdkgen import cache as cache_module
from ingen_sdkgen.cache import Cache, digest, switched_off

PAYLOAD = 1000
ENTRY = PAYLOAD + len(cache_module._header(b""))


def entry(folder: Path) -> Path:
    (path,) = folder.glob("*.cache")
    return path


def test_a_stored_entry_comes_back(tmp_path: Path) -> None:
    Cache(tmp_path / "new" / "folder").store("a", b"payload")
    assert Cache(tmp_path / "new" / "folder").load("a") == b"payload"
    assert Cache(tmp_path / "new" / "folder").load("b") is None
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
        lambda data: b"something else altogether" * 10,
    ],
)
def test_a_damaged_entry_is_absent(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    cache = Cache(tmp_path)
    cache.store("a", b"payload")
    entry(tmp_path).write_bytes(damage(entry(tmp_path).read_bytes()))
    assert cache.load("a") is None
    cache.store("a", b"payload")
    assert cache.load("a") == b"payload"


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store("a", b"payload")
    tmp_path.chmod(0o777)
    assert cache.load("a") is None
    cache.store("b", b"payload")
    tmp_path.chmod(0o700)
    assert cache.load("b") is None
    assert cache.load("a") == b"payload"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away"
)
def test_a_folder_of_another_user_is_not_trusted(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store("a", b"payload")
    os.chown(tmp_path, 12345, -1)
    assert cache.load("a") is None


def test_a_place_that_cannot_hold_a_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in [tmp_path / "file", tmp_path / "file" / "below", None]:
        cache = Cache(folder)
        cache.store("a", b"payload")
        assert cache.load("a") is None


def test_an_entry_that_is_a_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.cache").mkdir()
    tmp_path.chmod(0o700)
    cache = Cache(tmp_path)
    cache.store("a", b"payload")
    assert cache.load("a") is None


def test_the_entries_that_were_not_used_for_longest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_TOTAL_BYTES", 4 * ENTRY + ENTRY // 2)
    cache = Cache(tmp_path / "c")
    for at, name in enumerate("abcd"):
        cache.store(name, name.encode() * PAYLOAD)
        os.utime(tmp_path / "c" / f"{name}.cache", (at, at))
    assert cache.load("a") is not None  # used: now the newest
    cache.store("e", b"e" * PAYLOAD)
    assert [name for name in "abcde" if cache.load(name)] == ["a", "e"]


def test_a_file_that_a_stopped_run_left_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    cache.store("a", b"payload")
    left, fresh = tmp_path / "c" / ".x.1.tmp", tmp_path / "c" / ".y.1.tmp"
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(left, (1, 1))
    cache.store("b", b"payload")
    assert not left.exists()
    assert fresh.exists()


def test_a_huge_entry_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRY_BYTES", 10)
    cache = Cache(tmp_path)
    cache.store("a", b"x" * 11)
    assert cache.load("a") is None


def test_a_digest_depends_on_where_parts_are_cut() -> None:
    assert digest([b"ab", b"c"]) != digest([b"a", b"bc"])
    assert digest([b"ab"]) != digest([b"ab", b""])
    assert digest([b"ab"]) == digest(iter([b"ab"]))


def test_the_users_cache_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "chosen"))
    with switched_off():
        Cache.of_user().store("a", b"payload")
    assert not (tmp_path / "chosen").exists()
    Cache.of_user().store("a", b"payload")
    with switched_off():
        assert Cache.of_user().load("a") is None
    assert Cache.of_user().load("a") == b"payload"


def test_the_environment_chooses_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "chosen"))
    Cache.of_user().store("a", b"payload")
    assert (tmp_path / "chosen").is_dir()


@pytest.mark.parametrize("base", ["/chosen", "relative", ""])
def test_the_default_folder_is_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.delenv("INGEN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", base)
    expected = Path(platformdirs.user_cache_dir("ingen", appauthor=False))
    assert cache_module._default_folder() == expected

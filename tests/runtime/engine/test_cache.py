"""The code cache: found again, keyed by everything that matters, and never in the way."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from ingen_runtime.engine import (
    CodeCache,
    CoreFunc,
    CoreInstance,
    CoreModule,
    CoreStore,
    Engine,
    EngineConfig,
    wat_to_wasm,
)

WASM = wat_to_wasm('(module (func (export "answer") (result i32) (i32.const 42)))')


def _answer(module: CoreModule) -> int:
    export = CoreInstance(CoreStore(module.engine), module).export("answer")
    assert isinstance(export, CoreFunc)
    answer: int = export()
    return answer


def _module(folder: Path, config: EngineConfig | None = None, wasm: bytes = WASM) -> CoreModule:
    return CoreModule(Engine(config, CodeCache(folder)), wasm)


def _only_entry(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


def test_code_is_compiled_once(tmp_path: Path) -> None:
    first, second = _module(tmp_path), _module(tmp_path)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert _answer(first) == _answer(second) == 42


def test_content_and_configuration_decide_the_entry(tmp_path: Path) -> None:
    _module(tmp_path)
    assert not _module(tmp_path, EngineConfig(consume_fuel=True)).from_cache
    assert not _module(tmp_path, wasm=wat_to_wasm("(module)")).from_cache
    assert len(list(tmp_path.iterdir())) == 3


def test_the_entries_used_longest_ago_are_removed_when_there_is_too_much(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path, max_bytes=9_000)
    for age, name in enumerate(("new.cwasm", "old.plan", "older.cwasm", "a user's.txt")):
        cache.write(tmp_path / name, bytes(2000))
        os.utime(tmp_path / name, (time.time() - 1000 * age, 0))
    cache.write(tmp_path / "large.cwasm", bytes(4000))
    assert len(list(tmp_path.iterdir())) == 5
    cache.write(tmp_path / "now.cwasm", bytes(2000))
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "now.cwasm",
        "large.cwasm",
        "a user's.txt",
    }


def test_an_entry_that_is_in_use_can_be_removed(tmp_path: Path) -> None:
    module = _module(tmp_path)
    CodeCache(tmp_path, max_bytes=0).write(tmp_path / "other.cwasm", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.cwasm"]
    assert _answer(module) == 42
    assert not _module(tmp_path).from_cache


def test_what_a_stopped_writer_left_is_removed(tmp_path: Path) -> None:
    for name, age_s in (("left.tmp", 7200), ("under way.tmp", 10)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    _module(tmp_path)
    assert not (tmp_path / "left.tmp").exists()
    assert (tmp_path / "under way.tmp").exists()


@pytest.mark.parametrize(
    "damage", ["truncated", "empty", "flipped", "garbage", "zeroed tail", "trailer only"]
)
def test_a_damaged_entry_is_ignored_and_replaced(tmp_path: Path, damage: str) -> None:
    _module(tmp_path)
    entry = _only_entry(tmp_path)
    code = entry.read_bytes()
    middle = len(code) // 2
    entry.write_bytes(
        {
            "truncated": code[:middle],
            "empty": b"",
            "flipped": code[:middle] + bytes([code[middle] ^ 1]) + code[middle + 1 :],
            "garbage": b"garbage" * 1000,
            "zeroed tail": code[:middle] + bytes(len(code) - middle),
            "trailer only": code[-20:],
        }[damage]
    )
    again = _module(tmp_path)
    assert not again.from_cache
    assert _answer(again) == 42
    assert _only_entry(tmp_path).read_bytes() == code
    assert _module(tmp_path).from_cache


def test_an_entry_that_others_can_write_is_not_run(tmp_path: Path) -> None:
    _module(tmp_path)
    _only_entry(tmp_path).chmod(0o666)
    assert not _module(tmp_path).from_cache


def test_an_unusable_folder_means_no_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    module = _module(blocked / "cache")
    assert not module.from_cache
    assert _answer(module) == 42


def test_the_environment_decides_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INGEN_CACHE", raising=False)
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path))
    cache = CodeCache.default()
    assert cache is not None
    assert cache.folder == tmp_path / "code"
    monkeypatch.setenv("INGEN_CACHE", "0")
    assert CodeCache.default() is None
    monkeypatch.delenv("INGEN_CACHE")
    monkeypatch.delenv("INGEN_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = CodeCache.default()
    assert cache is not None
    assert cache.folder.is_relative_to(tmp_path)


def _write_and_run(folder: Path) -> int:
    return _answer(_module(folder))


def test_processes_may_write_the_same_entry(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_write_and_run, [tmp_path] * 6) == [42] * 6
    assert _only_entry(tmp_path).suffix == ".cwasm"

"""Large components are kept whole: loaded from there, and never when anything about them changed."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from ingen_runtime import Component
from ingen_runtime.component import saved
from ingen_runtime.engine import CodeCache, Engine, EngineConfig

TEXT = """
(component
  (import "host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (result (own $thing))))
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (core module $code
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global (export "count") (mut i32) (i32.const 1))
    (table (export "table") 1 funcref)
    (func (export "sum") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
    (func (export "pick") (param i32 i32) (result i32) (local.get ANSWER))
    (data (i32.const 0) "PADDING"))
  (core func $add (canon lower (func $host "add")))
  (core instance $code (instantiate $code (with "env" (instance (export "add" (func $add))))))
  (type $pair' (record (field "a" u32) (field "b" u32)))
  (export $pair "pair" (type $pair'))
  (alias export $host "thing" (type $thing))
  (component $inner (import "f" (func $f (param "a" u32) (param "b" u32) (result u32)))
    (export "f" (func $f)))
  (func $sum (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $code "sum")))
  (instance $nested (instantiate $inner (with "f" (func $sum))))
  (export "nested" (instance $nested))
  (func $pick (param "pair" $pair) (result u32) (canon lift (core func $code "pick")))
  (export "pick" (func $pick))
  (@custom "note" "kept"))
"""


class Host:
    class Thing:
        pass

    @staticmethod
    def add(a: int, b: int) -> int:
        return a + b


@pytest.fixture
def file(tmp_path: Path, assemble: Callable[[str], bytes]) -> Path:
    return _write(tmp_path, assemble, 0)


def _write(folder: Path, assemble: Callable[[str], bytes], answer: int) -> Path:
    """A component file whose times are old enough."""
    text = TEXT.replace("PADDING", "x" * 60_000).replace("ANSWER", str(answer))
    path = folder / "component.wasm"
    path.write_bytes(assemble(text))
    return path


@pytest.fixture(autouse=True)
def _small_components_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "SMALLEST", 0)
    monkeypatch.setattr(saved, "is_settled", lambda status: True)


def _load(path: Path, config: EngineConfig | None = None) -> tuple[Component, bool]:
    """The component, in an engine of its own, and whether it was decoded."""
    decoded: list[bool] = []
    build = Component._build

    def note(self: Component, data: bytes) -> None:
        decoded.append(True)
        build(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Component, "_build", note)
        component = Component.from_file(path, engine=Engine(config, CodeCache(path.parent / "cache")))
    return component, bool(decoded)


def _entries(path: Path, suffix: str) -> list[Path]:
    return sorted((path.parent / "cache").glob(f"*{suffix}"))


def _check(component: Component, answer: int = 0) -> None:
    with component.instantiate({"host": Host}) as instance:
        assert instance.exports["nested"]["f"](20, 22) == 42
        assert instance.exports["pick"](instance.exports["pair"](3, 4)) == (3, 4)[answer]


def test_a_component_is_decoded_once(file: Path) -> None:
    (first, decoded), (second, decoded_again) = _load(file), _load(file)
    assert (decoded, decoded_again) == (True, False)
    for component in (first, second):
        _check(component)
    assert str(first.imports["host"]) == str(second.imports["host"])
    assert repr(first) == repr(second)
    kept = [(section.name, bytes(section.data)) for section in second.custom_sections]
    assert kept == [(section.name, bytes(section.data)) for section in first.custom_sections]
    assert ("note", b"kept") in kept


def test_content_and_configuration_decide_the_entry(file: Path, assemble: Callable[[str], bytes]) -> None:
    _load(file)
    assert _load(file, EngineConfig(consume_fuel=True))[1]
    _write(file.parent, assemble, 1)
    changed, decoded = _load(file)
    assert decoded
    _check(changed, 1)


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "garbage", "gone", "writable by others"])
@pytest.mark.parametrize("suffix", [".plan", ".cwasm"])
def test_what_was_touched_is_ignored_and_replaced(file: Path, suffix: str, damage: str) -> None:
    _load(file)
    (entry,) = _entries(file, suffix)
    content = entry.read_bytes()
    middle = len(content) // 2
    match damage:
        case "truncated":
            entry.write_bytes(content[:middle])
        case "empty":
            entry.write_bytes(b"")
        case "flipped":
            entry.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "garbage":
            entry.write_bytes(b"\xff" * len(content))
        case "gone":
            entry.unlink()
        case _:
            if not hasattr(os, "getuid"):
                pytest.skip("no file modes here")
            entry.chmod(0o666)
    component, decoded = _load(file)
    assert decoded
    _check(component)
    assert not _load(file)[1]


class _Forbidden:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made-by-a-pickle",)


@pytest.mark.parametrize("content", [pickle.dumps(_Forbidden()), pickle.dumps([1, 2]), b"no pickle", b"."])
def test_an_entry_names_nothing_but_plans(
    file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    _load(file)
    (entry,) = _entries(file, ".plan")
    CodeCache(entry.parent).write(entry, content)
    component, decoded = _load(file)
    assert decoded
    _check(component)
    assert not (file.parent / "made-by-a-pickle").exists()


def test_a_file_that_just_changed_gets_no_entry(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(saved, "SMALLEST", 0)
    assert not saved.is_settled(file.stat())
    _load(file)
    assert _entries(file, ".plan") == []


def test_small_components_and_engines_without_a_cache_keep_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert saved.place(Engine(), file.stat()) is None
    monkeypatch.setattr(saved, "SMALLEST", file.stat().st_size + 1)
    _load(file)
    assert _entries(file, ".plan") == []

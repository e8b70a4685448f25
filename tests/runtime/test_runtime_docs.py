"""The examples of the pages on the runtime do what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from ingen_runtime.engine import wat_to_wasm
from tests.runtime.component.stream_guest import GUEST

DOCS = Path(__file__).resolve().parents[2] / "docs"

COMPONENT = """
(component
  (import "log" (func $log (param "text" string)))
  (core module $libc (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $libc (instantiate $libc))
  (core func $core-log (canon lower (func $log) (memory (core memory $libc "memory"))))
  (core module $m
    (import "" "log" (func $log (param i32 i32)))
    (import "" "memory" (memory 1))
    (data (i32.const 64) "greeting somebody")
    (func (export "greet") (param i32 i32) (result i32)
      (call $log (i32.const 64) (i32.const 17))
      (i32.store (i32.const 8) (local.get 0))
      (i32.store (i32.const 12) (local.get 1))
      (i32.const 8))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "area") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "halve") (param i32) (result i32)
      (i32.store8 (i32.const 8) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 12)
        (i32.shr_u (local.get 0) (i32.eqz (i32.and (local.get 0) (i32.const 1)))))
      (i32.const 8))
    (func $fail (export "fail") unreachable)
    (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m
    (with "" (instance (export "log" (func $core-log)) (export "memory" (memory $libc "memory"))))))
  (type $size' (record (field "width" u32) (field "height" u32)))
  (export $size "size" (type $size'))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $i "greet") (memory (core memory $libc "memory"))
      (realloc (core func $libc "realloc"))))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func $area (param "size" $size) (result u32) (canon lift (core func $i "area")))
  (export "area" (func $area))
  (func (export "halve") (param "n" u32) (result (result u32 (error u32)))
    (canon lift (core func $i "halve") (memory (core memory $libc "memory"))))
  (func (export "fail") (canon lift (core func $i "fail")))
  (func (export "spin") (canon lift (core func $i "spin"))))
"""


PROGRAM = """
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $at i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 64) (i32.const 1024)))
    (i32.store (i32.const 8) (i32.const 1024))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    (loop $again
      (if (i32.eqz (i32.load8_u offset=1024 (local.get $at)))
        (then (i32.store8 offset=1024 (local.get $at) (i32.const 32))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $at) (i32.load (i32.const 4)))))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
"""

DICE = """
(component
  (import "wasi:random/random@0.2.3" (instance $random (export "get-random-u64" (func (result u64)))))
  (import "sides" (func $sides (result u64)))
  (core func $core-random (canon lower (func $random "get-random-u64")))
  (core func $core-sides (canon lower (func $sides)))
  (core module $m
    (import "" "random" (func $random (result i64)))
    (import "" "sides" (func $sides (result i64)))
    (func (export "roll") (result i64)
      (i64.add (i64.const 1) (i64.rem_u (call $random) (call $sides)))))
  (core instance $i (instantiate $m
    (with "" (instance (export "random" (func $core-random)) (export "sides" (func $core-sides))))))
  (func (export "roll") (result u64) (canon lift (core func $i "roll"))))
"""


@pytest.mark.parametrize(("page", "count"), [("runtime.md", 15), ("wasi.md", 13)])
def test_examples(page: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("greeter.wasm").write_bytes(wat_to_wasm(COMPONENT))
    Path("hello.wasm").write_bytes(wat_to_wasm(PROGRAM))
    Path("dice.wasm").write_bytes(wat_to_wasm(DICE))
    Path("streams.wasm").write_bytes(wat_to_wasm(GUEST))
    # Fences are no output.
    lines = (DOCS / page).read_text().splitlines()
    text = "\n".join(["" if line.startswith("```") else line for line in lines])
    examples = doctest.DocTestParser().get_doctest(text, {}, page, str(DOCS / page), 0)
    assert len(examples.examples) >= count
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append)
    assert not report, "".join(report)

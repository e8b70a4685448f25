"""`python -m ingen_runtime FILE FUNCTION ARGUMENT…`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingen_runtime import command
from ingen_runtime.command import main
from ingen_runtime.engine import wat_to_wasm
from ingen_runtime.exit_status import EXIT_BUG, EXIT_OK, EXIT_USAGE, EXIT_USER

COMPONENT = r"""
(component
  (import "log" (func $log))
  (core func $core-log (canon lower (func $log)))
  (core module $m
    (import "" "log" (func $log))
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 8) (local.get 0))
      (i32.store (i32.const 12) (local.get 1))
      (i32.const 8))
    (func (export "half") (param i32) (result i32)
      (i32.store8 (i32.const 8) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 12) (i32.shr_u (local.get 0) (i32.const 1)))
      (i32.const 8))
    (func (export "or-zero") (param i32 i32) (result i32)
      (select (local.get 1) (i32.const 0) (local.get 0)))
    (func (export "log-it") (call $log))
    (func (export "spin") (loop (br 0)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1000))))
  (core instance $i (instantiate $m (with "" (instance (export "log" (func $core-log))))))
  (type $point' (record (field "x" s32) (field "y" s32)))
  (export $point "point" (type $point'))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
  (func $add-point (param "p" $point) (result s32) (canon lift (core func $i "add")))
  (export "add-point" (func $add-point))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "half") (param "n" u32) (result (result u32 (error u32)))
    (canon lift (core func $i "half") (memory (core memory $i "memory"))))
  (func (export "or-zero") (param "n" (option u32)) (result u32) (canon lift (core func $i "or-zero")))
  (func (export "log-it") (canon lift (core func $i "log-it")))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "grow") (result s32) (canon lift (core func $i "grow")))
  (func $sum (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
  (instance $inner (export "sum" (func $sum)))
  (export "demo:math/ops@1.2.0" (instance $inner))
  (export "demo:math/more@1.2.0" (instance $inner)))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("command") / "demo.wasm"
    path.write_bytes(wat_to_wasm(COMPONENT))
    return str(path)


CALLS = [
    (["add", "1", "-2"], "-1"),
    (["greet", '"wörld"'], '"wörld"'),
    (["add-point", "{x: 3, y: 4}"], "7"),
    (["half", "8"], "ok(4)"),
    (["or-zero", "some(3)"], "3"),
    (["or-zero", "3"], "3"),
    (["or-zero"], "0"),
    (["demo:math/ops@1.2.0#sum", "1", "2"], "3"),
    (["demo:math/ops#sum", "1", "2"], "3"),
    (["ops.sum", "1", "2"], "3"),
    (["more#sum", "1", "2"], "3"),
]


@pytest.mark.parametrize(("call", "output"), CALLS)
def test_call(file: str, call: list[str], output: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([file, *call]) == EXIT_OK
    assert capsys.readouterr().out == f"{output}\n"


FAILURES = [
    (["half", "7"], EXIT_USER, "err(3)", ""),
    (["log-it"], EXIT_USER, "", "error: stopped: the import `log` was called, which nothing implements"),
    (["add", "1", "x"], EXIT_USER, "", "error: b: expected an integer for s32, found `x`\n  x\n  ^\n"),
    (["greet", "world"], EXIT_USER, "", 'error: name: expected a string in quotes, as in `"text"`'),
    (["add", "1"], EXIT_USAGE, "", "error: 2 arguments are needed, not 1: add: func(a: s32, b: s32) -> s32"),
    (["or-zero", "1", "2"], EXIT_USAGE, "", "error: 0 to 1 arguments are needed, not 2"),
    (["gret"], EXIT_USAGE, "", "exports no function `gret`: is it `greet`?"),
    (["frobnicate"], EXIT_USAGE, "", "without a FUNCTION, all are listed"),
    (["sum", "1", "2"], EXIT_USAGE, "", "is one of demo:math/ops@1.2.0#sum, demo:math/more@1.2.0#sum"),
]


@pytest.mark.parametrize(("call", "status", "output", "message"), FAILURES)
def test_failure(
    file: str, call: list[str], status: int, output: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([file, *call]) == status
    captured = capsys.readouterr()
    assert captured.out.rstrip("\n") == output
    assert message in captured.err


def test_list(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([file]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert "half: func(n: u32) -> result<u32, u32>" in lines
    assert "demo:math/ops@1.2.0#sum: func(a: s32, b: s32) -> s32" in lines


def test_limits(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--timeout", "0.05", file, "spin"]) == EXIT_USER
    assert "error: deadline passed" in capsys.readouterr().err
    assert main([file, "grow"]) == EXIT_OK
    assert main(["--memory", "1", file, "grow"]) == EXIT_OK
    assert capsys.readouterr().out == "1\n-1\n"


@pytest.mark.parametrize(
    "option",
    [["--timeout", "nan"], ["--timeout", "inf"], ["--timeout=-1"], ["--timeout", "soon"], ["--memory", "0"],
     ["--memory=-1"], ["--memory", str(1 << 64)]],
)  # fmt: skip
def test_limits_out_of_range(file: str, option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*option, file, "spin"])
    assert caught.value.code == EXIT_USAGE
    assert f"error: argument {option[0].partition('=')[0]}: " in capsys.readouterr().err


def test_no_component(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "demo.txt"
    assert main([str(path)]) == EXIT_USER
    assert f"error: {path}: No such file" in capsys.readouterr().err
    path.write_text("hello")
    assert main([str(path), "f"]) == EXIT_USER
    assert capsys.readouterr().err.startswith("error: ")


def test_resources_have_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resource.wasm"
    path.write_bytes(
        wat_to_wasm("""
        (component
          (type $r' (resource (rep i32)))
          (export $r "r" (type $r'))
          (core module $m (func (export "f") (result i32) i32.const 0))
          (core instance $i (instantiate $m))
          (func $f (result (own $r)) (canon lift (core func $i "f")))
          (export "f" (func $f)))
        """)
    )
    assert main([str(path), "f"]) == EXIT_USAGE
    assert "values of the type r have no text form: f: func() -> r" in capsys.readouterr().err


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == EXIT_USAGE
    assert capsys.readouterr().err.endswith("error: the following arguments are required: FILE\n")


def test_bug(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(command, "_find", fail)
    assert main([file, "add"]) == EXIT_BUG
    assert "a bug in ingen; please report it: ZeroDivisionError: oh" in capsys.readouterr().err


def test_as_a_process(file: str) -> None:
    command_line = [sys.executable, "-m", "ingen_runtime", file, "add", "-1", "3"]
    done = subprocess.run(command_line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_OK, "2\n", "")

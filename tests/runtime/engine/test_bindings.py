"""The declarations of wasmtime's C API agree with those that its own package generates from the headers."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wasmtime import _bindings as generated

import ingen_runtime
from ingen_runtime.engine import bindings

STRUCTURES = [
    (bindings.ByteVec, generated.wasm_byte_vec_t),
    (bindings.PointerVec, generated.wasm_frame_vec_t),
    (bindings.PointerVec, generated.wasm_valtype_vec_t),
    (bindings.Extern, generated.wasmtime_extern_t),
    (bindings.Func, generated.wasmtime_func_t),
    (bindings.Instance, generated.wasmtime_instance_t),
    (bindings.AsyncContinuation, generated.wasmtime_async_continuation_t),
]


@pytest.mark.parametrize(("ours", "theirs"), STRUCTURES, ids=lambda structure: structure.__name__)
def test_structures_have_the_layout_of_the_headers(ours: Any, theirs: Any) -> None:
    assert ctypes.sizeof(ours) == ctypes.sizeof(theirs)
    offsets = [getattr(ours, field[0]).offset for field in ours._fields_]
    assert offsets == [getattr(theirs, field[0]).offset for field in theirs._fields_]


def test_tagged_and_raw_values_have_the_layout_of_the_headers() -> None:
    assert ctypes.sizeof(generated.wasmtime_extern_t) == bindings.EXTERN_SIZE
    assert generated.wasmtime_extern_t.of.offset == bindings.EXTERN_OF_OFFSET
    assert ctypes.sizeof(generated.wasmtime_val_t) == bindings.VAL_SIZE
    assert generated.wasmtime_val_t.of.offset == bindings.VAL_OF_OFFSET
    assert ctypes.sizeof(generated.wasmtime_exnref_t) == bindings.EXNREF_SIZE
    assert ctypes.sizeof(generated.wasmtime_val_raw_t) == bindings.RAW_SLOT_SIZE


def _declared() -> list[str]:
    source = Path(bindings.__file__).read_text(encoding="utf-8")
    return re.findall(r'_function\(\s*"(\w+)"', source)


def test_every_declared_function_is_found() -> None:
    assert len(_declared()) > 60


def _width(argument: Any) -> int:
    return ctypes.sizeof(argument)


@pytest.mark.parametrize("name", _declared())
def test_functions_take_arguments_of_the_widths_in_the_headers(name: str) -> None:
    theirs = getattr(generated, f"_{name}")
    ours = bindings._dll[name]
    if ours.argtypes:  # hot functions are called without
        assert [_width(argument) for argument in ours.argtypes] == [
            _width(argument) for argument in theirs.argtypes
        ]


def _run(code: str, *paths: Path) -> str:
    runtime = Path(ingen_runtime.__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(map(str, [*paths, runtime]))},
        check=False,
    )
    assert result.returncode == 1
    return result.stderr.strip().splitlines()[-1]


def test_another_major_version_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "wasmtime").mkdir()
    (tmp_path / "wasmtime/__init__.py").touch()
    (tmp_path / "wasmtime-51.0.0.dist-info").mkdir()
    assert _run("import ingen_runtime.engine", tmp_path) == (
        "ImportError: ingen_runtime needs the package wasmtime 50, but 51.0.0 is installed: "
        'pip install "wasmtime==50.*"'
    )


def test_a_missing_package_is_named_in_the_error() -> None:
    code = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "wasmtime" else find(name)
import ingen_runtime.engine
"""
    assert _run(code) == (
        "ImportError: ingen_runtime needs the package wasmtime 50, which is not installed: "
        'pip install "wasmtime==50.*"'
    )

"""The binary form of the IR: the bytes of wasm-tools, and the same IR when it is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_sdkgen.encode import EncodeError, StringEncoding, encode_component_type, encode_package
from ingen_sdkgen.encode.scope import custom_section
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.resolve import load_text
from tests.sdkgen.canonical import canonical, carried_by_binary
from tests.sdkgen.json_ir import from_json
from tests.sdkgen.oracle import (
    FEATURES,
    AcceptedCase,
    OracleError,
    accepted_cases,
    wasm_tools,
    wit_binary,
    wit_json,
    wit_text,
)
from tests.sdkgen.samples import EVERYTHING, SHARED_TYPES
from tests.sdkgen.test_printer import main_package


def without_producers(binary: bytes) -> bytes:
    """`binary` without its last section, where wasm-tools names itself."""
    return binary[: binary.rindex(b"\x09producers") - 2]


def resolve_case(case: AcceptedCase) -> Resolve:
    return from_json(case.expected, main_package(wit_text(case.input, *FEATURES)))


def is_empty(resolve: Resolve) -> bool:
    package = resolve.packages[resolve.main]
    return not package.interfaces and not package.worlds


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted_cases_have_the_bytes_of_wasm_tools(case: AcceptedCase) -> None:
    resolve = resolve_case(case)
    if is_empty(resolve):
        with pytest.raises(EncodeError, match="no interface and no world"):
            encode_package(resolve)
        return
    assert encode_package(resolve) == without_producers(wit_binary(case.input, *FEATURES))


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted_cases_can_be_read_back(case: AcceptedCase) -> None:
    resolve = resolve_case(case)
    if is_empty(resolve):
        return
    main = str(resolve.packages[resolve.main].name)
    decoded = canonical(wit_json(encode_package(resolve)))
    assert decoded == carried_by_binary(decoded, canonical(case.expected), main)


@pytest.mark.parametrize("text", [EVERYTHING, SHARED_TYPES])
def test_samples_have_the_bytes_of_wasm_tools(text: str) -> None:
    resolve = from_json(wit_json(text, "--all-features"))
    binary = encode_package(resolve)
    assert binary == without_producers(wit_binary(text, "--all-features"))
    assert canonical(wit_json(binary)) == canonical(wit_json(text, "--all-features"))


@pytest.mark.parametrize("case", accepted_cases())
def test_worlds_of_accepted_cases_have_the_section_of_wasm_tools(case: AcceptedCase, tmp_path: Path) -> None:
    resolve = resolve_case(case)
    for name, world in resolve.packages[resolve.main].worlds.items():
        assert encode_component_type(resolve, world) == embedded(case.input, name, "utf8", tmp_path)


@pytest.mark.parametrize(
    ("encoding", "option"),
    [
        (StringEncoding.UTF8, "utf8"),
        (StringEncoding.UTF16, "utf16"),
        (StringEncoding.LATIN1_UTF16, "compact-utf16"),
    ],
)
def test_string_encodings(encoding: StringEncoding, option: str, tmp_path: Path) -> None:
    path = tmp_path / "input.wit"
    path.write_text("package a:b; world w { import f: func(s: string); }")
    resolve = from_json(wit_json(path))
    assert encode_component_type(resolve, WorldId(0), encoding) == embedded(path, "w", option, tmp_path)


def embedded(path: Path, world: str, encoding: str, folder: Path) -> bytes:
    """The `component-type` section that wasm-tools writes."""
    module = folder / "empty.wasm"
    module.write_bytes(b"\0asm\x01\0\0\0")
    options = ("--encoding", encoding, *FEATURES, "--world", world)
    binary = wasm_tools("component", "embed", *options, path, module)
    marker = b"\x0ecomponent-type"
    section = binary[binary.index(marker) + len(marker) :]
    return without_producers(section)


MODULE = """
(module
  (import "$root" "log" (func $log (param i32 i32)))
  (import "demo:guest/host" "[method]counter.next" (func $next (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "demo:guest/shapes#area") (param f64 f64) (result f64)
    (f64.mul (local.get 0) (local.get 1))))
"""
GUEST = """
package demo:guest;

interface host {
  resource counter {
    next: func() -> u32;
  }
}

interface shapes {
  record rectangle { width: f64, height: f64 }
  area: func(of: rectangle) -> f64;
}

world guest {
  import host;
  import log: func(message: string);
  export add: func(a: u32, b: u32) -> u32;
  export shapes;
}
"""


def test_a_module_with_the_section_becomes_a_component() -> None:
    resolve = from_json(wit_json(GUEST))
    section = custom_section("component-type:guest", encode_component_type(resolve, WorldId(0)))
    module = wasm_tools("parse", stdin=MODULE.encode()) + section
    component = wasm_tools("component", "new", stdin=module)
    wasm_tools("validate", stdin=component)
    text = wit_text(component)
    for item in (
        "import demo:guest/host;",
        "import log: func(message: string);",
        "export demo:guest/shapes;",
    ):
        assert item in text
    assert "record rectangle" in text
    assert "next: func() -> u32;" in text


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("interface x {} world X {}", "`x` and `X` clash"),
        ("interface x-1 {} interface x1 {}", "`x-1` and `x1` clash"),
        ("interface i { type t = list<u8, 0>; }", "1 to 1073741824 elements in binary form, and not 0"),
        ("interface i { f: func(x: list<u8, 1073741825>); }", "and not 1073741825"),
        ("interface i { type c = char; f: func(x: stream<c>); }", "`stream<char>` has no binary form"),
        ("world w { resource r; import f: func(x: stream<borrow<r>>); }", "a stream carries a borrowed"),
        (
            "interface i { resource r; record b { r: borrow<r> } f: func(x: future<list<b>>); }",
            "a future carries a borrowed",
        ),
    ],
)
def test_what_no_component_can_have_is_refused(items: str, message: str) -> None:
    text = f"package a:b; {items}"
    with pytest.raises(EncodeError, match=message):
        encode_package(load_text(text).resolve)
    with pytest.raises(OracleError):
        wit_binary(text)


def test_what_looks_like_it_is_not_refused() -> None:
    items = "resource r; f: func(x: stream<r>, y: stream<list<char>>, z: future<char>);"
    text = f"package a:b; interface i {{ {items} }}"
    wasm_tools("validate", "--features", "all", stdin=encode_package(load_text(text).resolve))

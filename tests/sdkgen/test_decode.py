"""Binary WIT to the IR: what wasm-tools reads from the same bytes, and errors for all that is broken."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode import decode, decode_package
from ingen_sdkgen.encode import encode_component_type, encode_package
from ingen_sdkgen.encode.scope import custom_section
from ingen_sdkgen.model_json import render_json, to_json
from tests.sdkgen.canonical import canonical
from tests.sdkgen.json_ir import from_json
from tests.sdkgen.mutation import mutate_binary
from tests.sdkgen.oracle import (
    FEATURES,
    AcceptedCase,
    OracleError,
    accepted_cases,
    wasm_tools,
    wit_binary,
    wit_json,
    wit_json_text,
)
from tests.sdkgen.samples import EVERYTHING, SHARED_TYPES

PREAMBLE = b"\0asm\x0d\0\x01\0"
EMPTY_MODULE = b"\0asm\x01\0\0\0"


def wat(text: str) -> bytes:
    return wasm_tools("parse", stdin=text.encode())


def module(*worlds: tuple[str, str]) -> bytes:
    """A core module with a `component-type` section for each WIT text and the name of its world."""
    out = EMPTY_MODULE
    for text, world in worlds:
        resolve = from_json(wit_json(text, "--all-features"))
        name = f"component-type:{world}"
        main = len(resolve.packages) - 1
        section = encode_component_type(resolve, resolve.packages[main].worlds[world])
        out += custom_section(name, section)
    return out


def component(path: Path, world: str, folder: Path) -> bytes:
    """A component of that world, which does nothing."""
    embedded = folder / "embedded.wasm"
    wasm_tools("component", "embed", "--dummy", "--all-features", "--world", world, path, "-o", embedded)
    return wasm_tools("component", "new", embedded)


@pytest.mark.parametrize("case", accepted_cases())
def test_encoded_packages_read_as_wasm_tools_reads_them(case: AcceptedCase) -> None:
    binary = wit_binary(case.input, *FEATURES)
    assert to_json(decode(binary)) == wit_json(binary)
    assert render_json(decode(binary)) == wit_json_text(binary)


# Of this case's worlds, wasm-tools takes minutes to make a component.
QUICK_CASES = [case for case in accepted_cases() if case.id != "stress-export-elaborate"]


@pytest.mark.parametrize("case", QUICK_CASES)
def test_components_of_accepted_worlds_read_as_wasm_tools_reads_them(
    case: AcceptedCase, tmp_path: Path
) -> None:
    for package in case.expected["packages"]:
        for name in package["worlds"]:
            path, _, version = package["name"].partition("@")
            world = f"{path}/{name}" + (f"@{version}" if version else "")
            try:
                binary = component(case.input, world, tmp_path)
            except OracleError:
                # Not every world can be had as a component: two versions of an interface may collide.
                continue
            assert render_json(decode(binary)) == wit_json_text(binary)


@pytest.mark.parametrize("text", [EVERYTHING, SHARED_TYPES])
def test_samples_survive_both_ways(text: str) -> None:
    source = wit_json(text, "--all-features")
    binary = encode_package(from_json(source))
    assert render_json(decode(binary)) == wit_json_text(binary)
    assert canonical(to_json(decode_package(binary))) == canonical(source)


def test_a_module_with_one_world() -> None:
    binary = module((EVERYTHING, "w"))
    assert render_json(decode(binary)) == wit_json_text(binary)


def test_a_module_with_worlds_that_share_items() -> None:
    host = """
        interface host {
          resource counter { next: func() -> u32; }
          type t = list<u8>;
          f: func(x: t) -> list<u32>;
        """
    first = f"""
        package demo:guest@0.2.0;
        {host} }}
        world first {{
          import host; import log: func(message: string); record q {{ a: u8 }}
          export inline: interface {{ z: func(); }}
        }}
    """
    second = f"""
        package demo:other;
        interface local {{ use demo:guest/host@0.2.0.{{counter as c, t}}; g: func(c: c) -> list<list<u32>>; }}
        world second {{
          import demo:guest/host@0.2.0; import local; import log: func(message: string);
          record q {{ a: u8 }} record q2 {{ a: q }} import w: func(z: q2) -> list<q2>;
          export inline2: interface {{ record k {{ z: u8 }} z: func(k: k); }}
        }}
        package demo:guest@0.2.0 {{ {host} newer: func(); }} }}
    """
    binary = module((first, "first"), (second, "second"))
    assert render_json(decode(binary)) == wit_json_text(binary)


def test_worlds_of_a_module_must_not_contradict() -> None:
    one = "package a:b; world w { import f: func(); }"
    other = "package a:c; world w { import f: func(a: u8); }"
    with pytest.raises(ComponentFormatError, match="two sections differ in what the world item `f` is"):
        decode(module((one, "w"), (other, "w")))


def conformance_binaries(conformance: Path, folder: Path) -> Iterator[bytes]:
    """The components in the scripts of the component model's own test suite."""
    for number, script in enumerate(sorted((conformance / "component-model").rglob("*.wast"))):
        out = folder / str(number)
        out.mkdir()
        # A script in a syntax that was given up leaves what comes before.
        with contextlib.suppress(OracleError):
            wasm_tools("json-from-wast", script, "-o", out / "commands.json", "--wasm-dir", out)
        for path in sorted(out.glob("*.wasm")):
            binary = path.read_bytes()
            if binary.startswith(PREAMBLE):
                yield binary


@pytest.mark.slow
def test_conformance_components_read_as_wasm_tools_reads_them(conformance: Path, tmp_path: Path) -> None:
    read = 0
    for binary in conformance_binaries(conformance, tmp_path):
        try:
            expected = wit_json_text(binary)
        except OracleError:
            # Invalid, or not to be expressed in WIT. Ours may read it, and must not fail otherwise.
            with contextlib.suppress(ComponentFormatError):
                decode(binary)
            continue
        assert render_json(decode(binary)) == expected
        read += 1
    assert read > 200


# --- Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module)", "without a `component-type` section"),
        ('(component (import "r" (type $r (sub resource))) (export "e" (type $r)))', "`e` is a type"),
        ('(component (type (component)) (export "x" (type 0)))', "with one export, found 0"),
        (
            '(component (type (component (export "a:b/i" (func (type 0))) (type (func)))) )',
            "out of bounds",
        ),
    ],
)
def test_what_wit_cannot_express(text: str, message: str) -> None:
    binary = wat(text) if "out of bounds" not in message else OUT_OF_BOUNDS
    with pytest.raises(ComponentFormatError, match=message):
        decode(binary)


# (component (type (component (export "f" (func (type 9))))) (export "x" (type 0)))
OUT_OF_BOUNDS = PREAMBLE + b"\x07\x09\x01\x41\x01\x04\x00\x01f\x01\x09" + b"\x0b\x07\x01\x00\x01x\x03\x00\x00"


def record_component(definition: bytes) -> bytes:
    """A component that imports the type `t`, which has the binary definition `definition`."""
    return PREAMBLE + bytes([7, len(definition) + 1, 1]) + definition + b"\x0a\x07\x01\x00\x01t\x03\x00\x00"


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (b"\x72\x00", "needs a field"),
        (b"\x71\x00", "needs a case"),
        (b"\x6d\x00", "needs a case"),
        (b"\x6e\x00", "needs a flag"),
        (b"\x6f\x00", "a tuple without types"),
        (b"\x72\x02\x01a\x7d\x01A\x7d", "`A` is the name of a field twice"),
        (b"\x6d\x01\x03A_b", "`A_b` is not in kebab case"),
        (b"\x6e\x21" + b"".join(bytes([2, 0x61 + n // 26, 0x61 + n % 26]) for n in range(33)), "32 flags"),
        (b"\x63\x76\x7d", "keys of a map"),
        (b"\x69\x00", "out of bounds"),
    ],
)
def test_types_that_the_ir_excludes(definition: bytes, message: str) -> None:
    with pytest.raises(ComponentFormatError, match=message):
        decode(record_component(definition))


def test_a_sound_type_is_read() -> None:
    resolve = decode(record_component(b"\x72\x01\x01a\x7d"))
    assert resolve.types[0].name == "t"


def test_a_package_is_no_component_and_no_module() -> None:
    with pytest.raises(ComponentFormatError, match="found a component"):
        decode_package(PREAMBLE)
    with pytest.raises(ComponentFormatError, match="found a core module"):
        decode_package(EMPTY_MODULE)
    with pytest.raises(ComponentFormatError, match="magic"):
        decode_package(b"package a:b;")


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        (b"", "version"),
        (b"\x07{}", "version"),
        (b"\x01{", "no JSON"),
        (b"\x01" + b"[" * 100_000, "no JSON"),
        (b"\x01[]", "expected an object"),
        (b"\x01\xff", "no JSON"),
        (b'\x01{"docs":1}', "expected a string"),
        (b'\x01{"docs":"\\ud800"}', "surrogate"),
        (b'\x01{"worlds":{"x":{}}}', "no world `x`"),
        (b'\x01{"interfaces":{"x":{}}}', "no interface `x`"),
        (b'\x01{"interfaces":{"i":{"types":{"x":{}}}}}', "no type `x`"),
        (b'\x01{"interfaces":{"i":{"types":{"r":{"items":{"x":"y"}}}}}}', "has no `x`"),
        (b'\x01{"interfaces":{"i":{"funcs":{"x":{}}}}}', "no function `x`"),
        (b'\x01{"interfaces":{"i":{"stability":{"stable":{"since":"1"}}}}}', "`1` is not a version"),
        (b'\x01{"interfaces":{"i":{"stability":{"unstable":{"feature":"A b"}}}}}', "name of a feature"),
        (b'\x01{"interfaces":{"i":{"stability":{}}}}', "expected a gate"),
        (b'\x01{"worlds":{"w":{"types":{"f":{}}}}}', "no type `f`"),
        (b'\x01{"worlds":{"w":{"interfaces":{"f":{}}}}}', "no such world item `f`"),
        (b'\x01{"worlds":{"w":{"interface_import_docs":{"x":"y"}}}}', "no such world item `x`"),
    ],
)
def test_broken_documentation(docs: bytes, message: str) -> None:
    source = "package a:b; interface i { record r { a: u8 } } world w { import f: func(); }"
    binary = encode_package(from_json(wit_json(source)))
    start = binary.index(b"package-docs") - 3
    with pytest.raises(ComponentFormatError, match=message):
        decode(binary[:start] + custom_section("package-docs", docs))


def test_documentation_of_the_first_version() -> None:
    source = "package a:b; interface i { f: func(); g: func(); } world w { export h: func(); }"
    binary = encode_package(from_json(wit_json(source)))
    start = binary.index(b"package-docs") - 3
    docs = {
        "interfaces": {"i": {"funcs": {"f": "text", "g": None}}},
        "worlds": {"w": {"funcs": {"h": "more"}}},
    }
    binary = binary[:start] + custom_section("package-docs", b"\0" + json.dumps(docs).encode())
    assert render_json(decode(binary)) == wit_json_text(binary)


def test_instantiations_that_multiply_are_refused() -> None:
    levels = "".join(
        f"(component $c{n} (alias outer 1 $c{n - 1} (component $d)) "
        "(instance (instantiate $d)) (instance (instantiate $d)))"
        for n in range(1, 40)
    )
    binary = wat(f"(component (component $c0 (type (func))) {levels} (instance (instantiate $c39)))")
    started = time.process_time()
    with pytest.raises(ComponentFormatError, match="too long to evaluate"):
        decode(binary)
    assert time.process_time() - started < 5


def test_instantiations_that_nest_are_refused() -> None:
    levels = "".join(
        f"(component $c{n} (alias outer 1 $c{n - 1} (component $d)) (instance (instantiate $d)))"
        for n in range(1, 400)
    )
    binary = wat(f"(component (component $c0) {levels} (instance (instantiate $c399)))")
    with pytest.raises(ComponentFormatError, match="nest deeper"):
        decode(binary)


def test_types_without_a_name_that_nest_are_refused() -> None:
    def nested(depth: int) -> bytes:
        lists = "".join(f"(type (list {n}))" for n in range(depth))
        function = f'(type (func (param "x" {depth})))'
        return wat(f'(component (type (list u8)) {lists} {function} (import "f" (func (type {depth + 1}))))')

    assert len(decode(nested(99)).types) == 100
    with pytest.raises(ComponentFormatError, match="types nest deeper than 100"):
        decode(nested(100))
    with pytest.raises(ComponentFormatError, match="types nest deeper than 100"):
        decode(nested(5000))


def sound_binaries(folder: Path) -> list[bytes]:
    path = folder / "input.wit"
    path.write_text(SHARED_TYPES)
    return [
        encode_package(from_json(wit_json(EVERYTHING, "--all-features"))),
        encode_package(from_json(wit_json(SHARED_TYPES))),
        module((EVERYTHING, "w"), (SHARED_TYPES, "w2")),
        component(path, "w2", folder),
    ]


def test_broken_binaries_are_refused_or_read(tmp_path: Path) -> None:
    """4,000 mutations: nothing but ComponentFormatError is raised, and none takes a second."""
    source = random.Random(20)
    read = refused = 0
    for binary in sound_binaries(tmp_path):
        for _ in range(1000):
            broken = mutate_binary(binary, source)
            started = time.process_time()
            try:
                render_json(decode(broken))
                read += 1
            except ComponentFormatError:
                refused += 1
            assert time.process_time() - started < 1
    assert refused > 1000
    assert read > 20

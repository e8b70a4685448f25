"""Components as toolchains make them: Python by componentize-py, C by zig and wasm-tools, Rust."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasmtime import component as theirs

from benchmarks.startup import python_component
from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.plan import ComponentPlan, ComponentStep, ModuleStep
from tests.conftest import absent
from tests.runtime.stub_host import StubHost


def module_count(plan: ComponentPlan) -> int:
    """The core modules of a component and of those in it."""
    nested = [step.component for step in plan.steps if isinstance(step, ComponentStep)]
    return sum(isinstance(step, ModuleStep) for step in plan.steps) + sum(map(module_count, nested))


@pytest.mark.slow
def test_python() -> None:
    if importlib.util.find_spec("componentize_py") is None:
        absent("componentize-py is absent: pip install componentize-py")
    path = python_component()
    assert path.stat().st_size > 15 << 20
    component = Component.from_file(path)
    assert module_count(component.plan) == 14
    host = StubHost(component, {"wasi:random/random#get-random-bytes": bytes})
    instance = component.instantiate(host.imports)
    assert instance.exports["add"](1, 2) == 3
    assert "wasi:cli/environment#get-arguments" in [name for name, _ in host.calls]
    with pytest.raises(ValueError, match="a: expected u32: an int from 0 to 4294967295"):
        instance.exports["add"](-1, 2)


C_WIT = """
package test:c;

world program {
  import log: func(text: string);
  record pair { small: u8, large: s64 }
  export reverse: func(data: list<u8>) -> list<u8>;
  export larger: func(pairs: list<pair>, least: s64) -> list<pair>;
  export divide: func(a: s32, b: s32) -> result<s32, string>;
}
"""

C_SOURCE = r"""
#include <stdint.h>
#include <stddef.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct { uint8_t small; int64_t large; } pair;
typedef struct { void *ptr; uint32_t length; } list;

__attribute__((import_module("$root"), import_name("log"))) void log_text(const char *text, uint32_t length);

static unsigned char heap[1 << 20] __attribute__((aligned(16)));
static uint32_t used;

EXPORT("cabi_realloc") void *reallocate(void *old, uint32_t old_size, uint32_t align, uint32_t size) {
    used = (used + align - 1) & -align;
    if (used + size > sizeof heap) __builtin_trap();
    unsigned char *made = heap + used;
    used += size;
    for (uint32_t i = 0; old != NULL && i < old_size; i++) made[i] = ((unsigned char *)old)[i];
    return made;
}

static list returned;

EXPORT("reverse") list *reverse(unsigned char *data, uint32_t length) {
    log_text("reversing", 9);
    for (uint32_t i = 0; i < length / 2; i++) {
        unsigned char kept = data[i];
        data[i] = data[length - 1 - i];
        data[length - 1 - i] = kept;
    }
    returned = (list){data, length};
    return &returned;
}

EXPORT("cabi_post_reverse") void post_reverse(list *result) { used = 0; }

EXPORT("larger") list *larger(pair *pairs, uint32_t length, int64_t least) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < length; i++)
        if (pairs[i].large >= least) pairs[kept++] = pairs[i];
    returned = (list){pairs, kept};
    return &returned;
}

EXPORT("cabi_post_larger") void post_larger(list *result) { used = 0; }

typedef struct {
    uint32_t is_error;
    union { int32_t value; struct { const char *ptr; uint32_t length; }; };
} quotient;
static quotient divided;

EXPORT("divide") quotient *divide(int32_t a, int32_t b) {
    divided.is_error = b == 0;
    if (b == 0) {
        divided.ptr = "division by zero";
        divided.length = 16;
    } else {
        divided.value = (int32_t)((int64_t)a / b);
    }
    return &divided;
}
"""


@pytest.fixture(scope="module")
def c_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A core module of C that carries its world."""
    if importlib.util.find_spec("ziglang") is None:
        absent("the C compiler is absent: pip install ziglang")
    from ingen_sdkgen.encode import encode_component_type
    from ingen_sdkgen.encode.scope import custom_section
    from ingen_sdkgen.model import WorldId
    from ingen_sdkgen.reading import read

    folder = tmp_path_factory.mktemp("c")
    (folder / "program.c").write_text(C_SOURCE)
    (folder / "program.wit").write_text(C_WIT)
    options = ["-target", "wasm32-freestanding", "-O1", "-nostdlib", "-Wl,--no-entry", "-Wl,--export-dynamic"]
    command = [sys.executable, "-m", "ziglang", "cc", *options, "program.c", "-o", "program.wasm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    resolve = read(folder / "program.wit")
    section = encode_component_type(resolve, WorldId(0))
    module = folder / "module.wasm"
    module.write_bytes((folder / "program.wasm").read_bytes() + custom_section("component-type:c", section))
    return module


@pytest.fixture(scope="module")
def c_component(c_module: Path, wasm_tools: Path) -> Path:
    """The component that wasm-tools makes of it."""
    made = c_module.with_name("component.wasm")
    subprocess.run([wasm_tools, "component", "new", c_module, "-o", made], check=True, capture_output=True)
    return made


@pytest.fixture(scope="module", params=["c_module", "c_component"])
def c_instance(request: pytest.FixtureRequest) -> tuple[Instance, StubHost]:
    component = Component.from_file(request.getfixturevalue(request.param))
    host = StubHost(component)
    return component.instantiate(host.imports), host


def test_c(c_instance: tuple[Instance, StubHost]) -> None:
    instance, host = c_instance
    assert instance.exports["reverse"](b"abc") == b"cba"
    assert host.calls == [("log", ("reversing",))]
    assert instance.exports["divide"](-7, 2) == -3
    with pytest.raises(ResultError) as caught:
        instance.exports["divide"](1, 0)
    assert caught.value.value == "division by zero"


S64 = st.integers(-(1 << 63), (1 << 63) - 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=100), pairs=st.lists(st.tuples(st.integers(0, 255), S64), max_size=20), least=S64
)
def test_c_gives_what_their_host_gives(
    c_instance: tuple[Instance, StubHost],
    c_component: Path,
    data: bytes,
    pairs: list[tuple[int, int]],
    least: int,
) -> None:
    instance, _ = c_instance
    engine = wasmtime.Engine()
    store, linker = wasmtime.Store(engine), theirs.Linker(engine)
    with linker.root() as root:
        root.add_func("log", lambda _, text: None)
    other = linker.instantiate(store, theirs.Component.from_file(engine, str(c_component)))
    reverse, larger = other.get_func(store, "reverse"), other.get_func(store, "larger")
    assert reverse is not None and larger is not None
    assert instance.exports["reverse"](data) == reverse(store, data) == data[::-1]
    reverse.post_return(store)
    their_pairs = []
    for small, large in pairs:
        record = theirs.Record()
        record.__dict__.update(small=small, large=large)
        their_pairs.append(record)
    func = instance.exports["larger"]
    class_ = instance.classes.record(func.type.params[0][1].element).class_
    ours = [(each.small, each.large) for each in func([class_(*each) for each in pairs], least)]
    found = [(each.small, each.large) for each in larger(store, their_pairs, least)]
    assert ours == found == [each for each in pairs if each[1] >= least]


RUST_SOURCE = """
fn main() {
    println!("hello from {}", std::env::args().count());
}
"""


def rust_compiler() -> str:
    """A rustc that compiles for wasm32-wasip2."""
    if importlib.util.find_spec("ingen_sdkgen.toolchains") is None:
        pytest.skip("nothing here installs a Rust compiler for wasm32-wasip2 yet")
    toolchains = importlib.import_module("ingen_sdkgen.toolchains")
    try:
        return str(toolchains.rust_compiler("wasm32-wasip2"))
    except toolchains.MissingTool as missing:
        absent(str(missing))


@pytest.mark.slow
def test_rust(tmp_path: Path) -> None:
    (tmp_path / "hello.rs").write_text(RUST_SOURCE)
    command = [rust_compiler(), "--target", "wasm32-wasip2", "-O", "hello.rs", "-o", "hello.wasm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    component = Component.from_file(tmp_path / "hello.wasm")
    written: list[bytes] = []
    streams = "wasi:io/streams#[method]output-stream"
    host = StubHost(
        component,
        {
            f"{streams}.blocking-write-and-flush": lambda stream, data: written.append(data),
            f"{streams}.check-write": lambda stream: 4096,
            f"{streams}.write": lambda stream, data: written.append(data),
        },
    )
    instance = component.instantiate(host.imports)
    (run,) = [name for name in instance.exports if name.startswith("wasi:cli/run@")]
    instance.exports[run]["run"]()
    assert b"".join(written) == b"hello from 0\n"

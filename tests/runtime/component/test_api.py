"""Components from Python: linking host objects, calling exports, resources, async host functions, errors."""

from __future__ import annotations

import asyncio
import subprocess
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.linker import Linker
from ingen_runtime.engine import Engine, EngineConfig, StoreLimits, wat_to_wasm
from ingen_runtime.errors import (
    ComponentFormatError,
    HostValueError,
    LinkError,
    PoisonedError,
    ReentranceError,
    Trap,
    TrapKind,
)

WIT = """
package test:api@0.2.1;
interface logger {
  resource sink { constructor(name: string); write: func(text: string) -> u32; }
  log: func(message: string) -> u32;
}
interface counters {
  record point { x: f64, y: f64 }
  enum color { red, dark-green }
  resource counter { constructor(start: u32); next: func() -> u32; zero: static func() -> counter; }
  swap: func(p: point) -> point;
  check: func(c: color) -> result<u32, string>;
}
world api {
  import logger;
  import ask: func(question: u32) -> u32;
  export counters;
  export greet: func(name: string) -> string;
  export relay: func(question: u32) -> u32;
  export write-all: func(text: string) -> u32;
}
"""

CORE = """
(module
  (import "test:api/logger@0.2.1" "log" (func $log (param i32 i32) (result i32)))
  (import "test:api/logger@0.2.1" "[constructor]sink" (func $sink (param i32 i32) (result i32)))
  (import "test:api/logger@0.2.1" "[method]sink.write" (func $write (param i32 i32 i32) (result i32)))
  (import "test:api/logger@0.2.1" "[resource-drop]sink" (func $drop-sink (param i32)))
  (import "$root" "ask" (func $ask (param i32) (result i32)))
  (import "[export]test:api/counters@0.2.1" "[resource-new]counter" (func $new (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "no")
  (global $free (mut i32) (i32.const 1024))
  (func $alloc (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
                            (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $alloc (local.get 2) (local.get 3)))
  (func (export "greet") (param i32 i32) (result i32)
    (drop (call $log (local.get 0) (local.get 1)))
    (i32.store (i32.const 16) (local.get 0))
    (i32.store (i32.const 20) (local.get 1))
    (i32.const 16))
  (func (export "cabi_post_greet") (param i32))
  (func (export "relay") (param i32) (result i32) (i32.add (call $ask (local.get 0)) (i32.const 1)))
  (func (export "write-all") (param i32 i32) (result i32)
    (local $sink i32) (local $written i32)
    (local.set $sink (call $sink (i32.const 64) (i32.const 2)))
    (local.set $written (call $write (local.get $sink) (local.get 0) (local.get 1)))
    (call $drop-sink (local.get $sink))
    (local.get $written))
  (func $make (param i32) (result i32)
    (local $at i32)
    (local.set $at (call $alloc (i32.const 4) (i32.const 4)))
    (i32.store (local.get $at) (local.get 0))
    (call $new (local.get $at)))
  (func (export "test:api/counters@0.2.1#[constructor]counter") (param i32) (result i32)
    (call $make (local.get 0)))
  (func (export "test:api/counters@0.2.1#[static]counter.zero") (result i32) (call $make (i32.const 0)))
  (func (export "test:api/counters@0.2.1#[method]counter.next") (param i32) (result i32)
    (local $value i32)
    (local.set $value (i32.load (local.get 0)))
    (i32.store (local.get 0) (i32.add (local.get $value) (i32.const 1)))
    (local.get $value))
  (func (export "test:api/counters@0.2.1#[dtor]counter") (param i32)
    (drop (call $ask (i32.const 1000))))
  (func (export "test:api/counters@0.2.1#swap") (param f64 f64) (result i32)
    (f64.store (i32.const 32) (local.get 1))
    (f64.store (i32.const 40) (local.get 0))
    (i32.const 32))
  (func (export "test:api/counters@0.2.1#check") (param i32) (result i32)
    (i32.store (i32.const 16) (local.get 0))
    (i32.store (i32.const 20) (select (i32.const 64) (i32.const 7) (local.get 0)))
    (i32.store (i32.const 24) (i32.const 2))
    (i32.const 16)))
"""

COUNTERS = "test:api/counters@0.2.1"
LOGGER = "test:api/logger@0.2.1"


class Sink:
    """A resource of the host."""

    dropped: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> int:
        return len(text)

    def drop(self) -> None:
        self.dropped.append(self.name)


class Logger:
    """Implements the interface with attributes."""

    Sink = Sink

    def __init__(self) -> None:
        self.messages: list[str] = []

    def log(self, message: str) -> int:
        self.messages.append(message)
        return len(message)


@pytest.fixture(scope="module")
def binaries(wasm_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The module with its `component-type` section, and the component that wasm-tools makes of it."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "api.wit").write_text(WIT)
    (folder / "core.wat").write_text(CORE)
    module, component = folder / "module.wasm", folder / "component.wasm"
    embed = ["component", "embed", str(folder / "api.wit"), str(folder / "core.wat"), "-o", str(module)]
    for arguments in (embed, ["component", "new", str(module), "-o", str(component)]):
        done = subprocess.run([str(wasm_tools), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return {"module": module.read_bytes(), "component": component.read_bytes()}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(EngineConfig(parallel_compilation=False))


@pytest.fixture(params=["module", "component"])
def component(binaries: dict[str, bytes], engine: Engine, request: pytest.FixtureRequest) -> Component:
    return Component.from_bytes(binaries[request.param], engine=engine)


def start(component: Component, **imports: Any) -> Instance:
    given: dict[str, Any] = {LOGGER: Logger(), "ask": lambda question: question * 2}
    return component.instantiate({**given, **imports})


def test_call(component: Component) -> None:
    logger = Logger()
    instance = start(component, **{LOGGER: logger})
    assert instance.exports["greet"]("you") == "you"
    assert instance.exports.greet("wörld ☃") == "wörld ☃"
    assert instance.call("relay", 20) == 41
    assert logger.messages == ["you", "wörld ☃"]
    assert set(instance.exports) == {COUNTERS, "greet", "relay", "write-all"}


def test_interfaces_are_objects_modules_or_mappings(component: Component) -> None:
    module = types.ModuleType("logger")
    module.log, module.Sink = len, Sink  # type: ignore[attr-defined]  # as a module of the user's would have
    mapping = {"log": len, "[constructor]sink": Sink, "[method]sink.write": Sink.write}
    for given in (module, mapping, Logger()):
        assert start(component, **{LOGGER: given}).exports.write_all("four") == 4


def test_resource_of_the_host(component: Component) -> None:
    Sink.dropped.clear()
    assert start(component).exports.write_all("text") == 4
    assert Sink.dropped == ["no"]


def test_resource_of_the_guest(component: Component) -> None:
    asked: list[int] = []

    def ask(question: int) -> int:
        asked.append(question)
        return 0

    instance = start(component, ask=ask)
    counter_class = instance.exports.counters.Counter
    with counter_class(5) as counter:
        assert [counter.next(), counter.next()] == [5, 6]
        other = counter_class.zero()
        assert isinstance(other, counter_class)
        assert other.next() == 0
        other.drop()
    assert asked == [1000, 1000], "each destructor ran once"
    with pytest.raises(HostValueError, match="dropped"):
        counter.next()
    with pytest.raises(HostValueError):
        counter_class("five")


def test_values_have_classes(component: Component) -> None:
    counters = start(component).exports[COUNTERS]
    assert counters.swap(counters.Point(1.0, 2.0)) == counters.Point(2.0, 1.0)
    assert counters.check(counters.Color.RED) == 7
    with pytest.raises(ResultError) as caught:
        counters.check(counters.Color.DARK_GREEN)
    assert caught.value.value == "no"


def test_versions_that_are_compatible(component: Component) -> None:
    imports = {"test:api/logger@0.2.9": Logger(), "ask": int}
    assert component.instantiate(imports).exports.greet("x") == "x"
    with pytest.raises(LinkError, match=r"test:api/logger@0.2.1"):
        component.instantiate({"test:api/logger@0.3.0": Logger(), "ask": int})


def test_link_errors(component: Component) -> None:
    with pytest.raises(LinkError, match="2 imports are missing") as caught:
        component.instantiate()
    assert caught.value.import_name in (LOGGER, "ask")
    with pytest.raises(LinkError, match=r"is it `test:api/loger@0.2.1`"):
        component.instantiate({"test:api/loger@0.2.1": Logger(), "ask": int})
    with pytest.raises(LinkError, match="needs a callable, not int"):
        start(component, ask=5)
    with pytest.raises(LinkError, match="#log"):
        start(component, **{LOGGER: {"sink": Sink}})


TYPES_ALONE = """
(component
  (import "test:api/types@1.0.0" (instance $types (type $e' (enum "a" "b")) (export "e" (type $e (eq $e')))))
  (alias export $types "e" (type $e))
  (import "test:api/uses@1.0.0" (instance (alias outer 1 $e (type $e)) (export "f" (func (result $e))))))
"""


def test_interfaces_of_types_alone_need_no_implementation() -> None:
    component = Component.from_bytes(wat_to_wasm(TYPES_ALONE))
    component.instantiate({"test:api/uses@1.0.0": {"f": lambda: None}})
    with pytest.raises(LinkError, match=r"^1 import is missing: `test:api/uses@1\.0\.0`"):
        component.instantiate()


def test_a_component_without_its_wasi() -> None:
    component = Component.from_bytes(wat_to_wasm('(component (import "wasi:io/poll@0.2.9" (func)))'))
    with pytest.raises(LinkError, match=r"`; those of WASI come from `ingen_runtime\.wasi\.p2\.w\w+`$"):
        component.instantiate()


def test_imports_are_a_mapping(component: Component) -> None:
    imports: Any = print
    with pytest.raises(TypeError, match=r"^imports are a mapping of import names .*, not builtin_function"):
        component.instantiate(imports)


def test_missing_imports_may_trap(component: Component) -> None:
    instance = Linker({"ask": int}).trap_missing().instantiate(component)
    assert instance.exports.relay(1) == 2
    with pytest.raises(Trap, match=r"logger@0\.2\.1#log.*nothing implements"):
        instance.exports.greet("x")


def test_host_exceptions_arrive_as_raised(component: Component) -> None:
    def ask(question: int) -> int:
        raise KeyError(question)

    instance = start(component, ask=ask)
    with pytest.raises(KeyError):
        instance.exports.relay(3)
    with pytest.raises(PoisonedError) as caught:
        instance.exports.greet("x")
    assert isinstance(caught.value.__cause__, KeyError)


def test_reentrance(component: Component) -> None:
    instances: list[Instance] = []
    instances.append(start(component, ask=lambda question: instances[0].exports.relay(question)))
    with pytest.raises(ReentranceError):
        instances[0].exports.relay(1)


def test_values_are_checked(component: Component) -> None:
    instance = start(component)
    for value in (-1, 1 << 32, "1", 1.5, None):
        with pytest.raises(HostValueError):
            instance.exports.relay(value)
    assert instance.exports.relay(1) == 3, "a wrong argument does not end the instance"


def test_a_missing_argument_is_told_by_the_functions_name(component: Component) -> None:
    with pytest.raises(TypeError, match=r"^greet\(\) missing 1 required positional argument: 'name'$"):
        start(component).exports.greet()


def test_arguments_by_name(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        counters = instance.exports[COUNTERS]
        assert await instance.exports.relay.call_async(question=1) == instance.exports.relay(question=1)
        with counters.Counter(start=3) as counter:
            assert await counter.next.call_async() == 3
        with pytest.raises(TypeError, match=r"^relay\(\) got an unexpected keyword argument 'x'$"):
            await instance.exports.relay.call_async(x=1)

    asyncio.run(main())


def test_a_guest_has_no_more_handles_than_its_limit(engine: Engine, assemble: Callable[[str], bytes]) -> None:
    component = Component(assemble(HOARDER), engine=engine)

    class Thing:
        pass

    host = {"things": {"thing": Thing, "make": Thing}}
    assert component.instantiate(host, limits=StoreLimits(handles=10)).exports.hoard(10) == 10
    with pytest.raises(Trap) as caught:
        component.instantiate(host, limits=StoreLimits(handles=10)).exports.hoard(11)
    assert caught.value.kind is TrapKind.HANDLE_TABLE_FULL


HOARDER = """
(component
  (import "things" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "make" (func (result (own $thing))))))
  (core func $make (canon lower (func $things "make")))
  (core module $m
    (import "" "make" (func $make (result i32)))
    (func (export "hoard") (param $count i32) (result i32)
      (local $made i32)
      (loop $again
        (drop (call $make))
        (local.set $made (i32.add (local.get $made) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $made) (local.get $count))))
      (local.get $made)))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make))))))
  (func (export "hoard") (param "count" u32) (result u32) (canon lift (core func $i "hoard"))))
"""


def test_async_host_functions(component: Component) -> None:
    async def ask(question: int) -> int:
        await asyncio.sleep(0)
        return question * 3

    async def main() -> list[Any]:
        instances = [start(component, ask=ask) for _ in range(5)]
        calls = [instance.call_async("relay", number) for number, instance in enumerate(instances)]
        return list(await asyncio.gather(*calls))

    assert asyncio.run(main()) == [1, 4, 7, 10, 13]
    with pytest.raises(Trap) as caught:
        start(component, ask=ask).exports.relay(1)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


def test_async_host_function_raises(component: Component) -> None:
    async def ask(question: int) -> int:
        raise LookupError("nobody knows")

    async def main() -> None:
        instance = start(component, ask=ask)
        with pytest.raises(LookupError, match="nobody knows"):
            await instance.exports.relay.call_async(1)
        with pytest.raises(PoisonedError):
            await instance.call_async("relay", 1)

    asyncio.run(main())


def test_introspection(component: Component) -> None:
    assert str(component.exports["greet"]) == "greet: func(name: string) -> string;"
    assert str(component.imports["ask"]) == "ask: func(question: u32) -> u32;"
    text = str(component.exports[COUNTERS])
    for line in (
        "record point { x: f64, y: f64 }",
        "  constructor(start: u32);",
        "  next: func() -> u32;",
        "  zero: static func() -> counter;",
        "swap: func(p: point) -> point;",
        "check: func(c: color) -> result<u32, string>;",
    ):
        assert line in text
    assert component.exports[COUNTERS].items["swap"].func is not None
    instance = start(component)
    assert "greet" in repr(instance)
    assert instance.exports.greet.__doc__ == "greet: func(name: string) -> string"
    assert {"greet", "write_all", "counters"} <= set(dir(instance.exports))


def test_no_component(engine: Engine, assemble: Callable[[str], bytes]) -> None:
    with pytest.raises(ComponentFormatError, match="component-type"):
        Component.from_bytes(assemble("(module)"), engine=engine)
    broken = assemble("(component (core module (func i32.add)))")
    with pytest.raises(ComponentFormatError, match="invalid core module") as caught:
        Component.from_bytes(broken, engine=engine)
    assert caught.value.offset is not None and caught.value.offset > 8


def test_instances_of_one_store(engine: Engine, assemble: Callable[[str], bytes]) -> None:
    provider = Component.from_bytes(
        assemble(
            """(component
              (core module $m (func (export "f") (param i32) (result i32)
                (i32.mul (local.get 0) (i32.const 7))))
              (core instance $i (instantiate $m))
              (func $f (param "x" u32) (result u32) (canon lift (core func $i "f")))
              (instance $api (export "f" (func $f)))
              (export "a:b/c" (instance $api)))"""
        ),
        engine=engine,
    )
    user = Component.from_bytes(
        assemble(
            """(component
              (import "a:b/c" (instance $api (export "f" (func (param "x" u32) (result u32)))))
              (core func $f (canon lower (func $api "f")))
              (core module $m (import "" "f" (func $f (param i32) (result i32)))
                (func (export "g") (param i32) (result i32) (call $f (local.get 0))))
              (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
              (func (export "g") (param "x" u32) (result u32) (canon lift (core func $i "g"))))"""
        ),
        engine=engine,
    )
    first = provider.instantiate()
    second = user.instantiate({"a:b/c": first.exports["a:b/c"]}, store=first.store)
    assert second.exports.g(6) == 42
    with pytest.raises(LinkError, match="one store"):
        user.instantiate({"a:b/c": first.exports["a:b/c"]})

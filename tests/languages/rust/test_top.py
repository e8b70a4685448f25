"""What stands in a world itself, and guests with the standard library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasmtime import component as oracle

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.resolve import load
from tests.languages.rust.toolchain import bindings, build

WIT = Path(__file__).parent / "wit" / "top.wit"


def guest(target: str, folder: Path) -> Path:
    resolve = load(WIT).resolve
    world = find_world(resolve, "top")
    assert world is not None
    return build("standard", bindings(resolve, world), target, folder)


class HostItem:
    def __init__(self, a: int) -> None:
        self.a = a

    def get(self) -> int:
        return self.a


def test_what_a_world_has_of_its_own(tmp_path: Path) -> None:
    messages: list[str] = []

    def log(level: Any, message: str) -> None:
        messages.append(f"{level.name} {message}")
        if len(messages) > 1:
            raise ResultError(type(level).HIGH)

    imports = {
        "test:top/shared@1.0.0": {"f": lambda x: type(x)(x.a + 1)},
        "host-item": HostItem,
        "[constructor]host-item": HostItem,
        "[method]host-item.get": HostItem.get,
        "log": log,
    }
    exports = Component.from_file(guest("wasm32-unknown-unknown", tmp_path)).instantiate(imports).exports
    kept = [exports["in-place"].Kept(number) for number in (1, 2)]
    assert [item.type() for item in exports["in-place"]["pass"](kept)] == [2, 1]
    shared = exports["test:top/shared@1.0.0"]
    assert shared.f(shared.P(5)) == shared.P(16)
    p, item = exports.run(shared.P(5), HostItem(7))
    assert (p.a, item.get(), messages) == (5, 12, ["LOW 7 of P { a: 5 }"])
    with pytest.raises(ResultError) as error:
        exports.run(shared.P(5), HostItem(7))
    assert "HIGH" in repr(error.value.value)


def test_the_standard_library_in_wasmtime(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A component for WASI as rustc makes it: the library's own world is joined with ours."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    component = oracle.Component.from_file(engine, str(guest("wasm32-wasip2", tmp_path)))
    linker = oracle.Linker(engine)
    linker.add_wasip2()
    item = oracle.ResourceType.host(1)
    with linker.root() as root:
        root.add_resource("host-item", item, lambda store, rep: None)
        root.add_func("[constructor]host-item", lambda store, a: oracle.ResourceHost.own(a, 1))
        root.add_func("[method]host-item.get", lambda store, it: it.to_host(store).rep)
        root.add_func("log", lambda store, level, message: "high")
        with root.add_instance("test:top/shared@1.0.0") as shared:
            shared.add_func("f", lambda store, x: x)
    instance = linker.instantiate(store, component)
    run = instance.get_func(store, "run")
    assert run is not None
    p = oracle.Record()
    vars(p).update(a=5)
    result = run(store, p, oracle.ResourceHost.own(7, 1))
    assert result == "high"
    assert capfd.readouterr().err == "high\n"

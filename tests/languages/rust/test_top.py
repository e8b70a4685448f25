"""Guests with the standard library, and guests for every target."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import wasmtime
from wasmtime import component as oracle

from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.languages.rust import Options
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.resolve import load, load_text
from tests.languages.behaviour.guests import Guests, build_rust
from tests.languages.rust.toolchain import TARGETS, bindings, build

WIT = Path(__file__).parent / "wit" / "top.wit"
GUEST = Path(__file__).parent / "guests" / "standard.rs"


def guest(target: str, folder: Path) -> Path:
    resolve = load(WIT).resolve
    world = find_world(resolve, "top")
    assert world is not None
    return build([GUEST], bindings(resolve, world), target, folder)


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


TWO = """package test:two;
world one { import log: func(x: string); export shout: func(text: string) -> string; }
world two { import warn: func(x: list<string>); export split: func(text: string) -> list<string>; }
"""


@pytest.mark.parametrize("target", TARGETS)
def test_two_worlds_in_one_guest(target: str, tmp_path: Path) -> None:
    resolve = load_text(TWO).resolve
    files = {
        **bindings(resolve, WorldId(0)),
        **bindings(resolve, WorldId(1), Options(realloc=False)),
    }
    component = Component.from_file(build([GUEST.with_name("pair.rs")], files, target, tmp_path))
    said: list[object] = []
    linker = Linker({"log": said.append, "warn": said.append}).trap_missing()  # the library's own: WASI
    with linker.instantiate(component) as instance:
        assert instance.exports.shout("aloud") == "ALOUD"
        assert instance.exports.split("one two") == ["one", "two"]
    assert said == ["aloud", ["splitting", "one two"]]


class Identity:
    """Gives back what it is given."""

    def __getattr__(self, name: str) -> object:
        return lambda x: x


@pytest.mark.parametrize("target", TARGETS)
def test_every_target(guests: Guests, target: str, tmp_path: Path) -> None:
    """What each makes runs as it is: for wasm32-wasip2 a component, which rustc has made."""
    module = build_rust("values", tmp_path, target)
    with guests.package("values").Through.load(module, SimpleNamespace(echo=Identity())) as host:
        for text in ("", "na\xefve \N{CRAB}", "x" * 70_000):
            assert host.echo.string(text) == text
            assert host.echo.list_list([[text], [], ["a", text]]) == [[text], [], ["a", text]]
        assert host.live_blocks() == 0

"""One world out of an IR: what it reaches stays, in order, and is numbered anew."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ingen_sdkgen.diagnostics import ItemNotFound
from ingen_sdkgen.model import PackageId, Resolve, TypeDef, WorldFunction
from ingen_sdkgen.model_json import to_json
from ingen_sdkgen.reading import read
from ingen_sdkgen.restrict import find_world, restrict_to_world
from ingen_sdkgen.wit.printer import print_wit

SOURCE = """\
package demo:main@1.0.0;

interface unused { use demo:b/things.{thing}; type t = thing; }
interface kinds {
    use demo:a/things.{thing as other};
    resource handle { constructor(x: u8); m: func(y: borrow<handle>) -> own<handle>; s: static func(); }
    record r { a: list<tuple<u8, other>>, b: map<string, option<other>>, c: list<u8, 4> }
    variant v { p, q(r) }
    enum e { one }
    flags f { bit }
    flow: func(s: stream<v>, t: future<result<e, f>>) -> result<_, e>;
}
world first { import unused; import plain: func(); }
world second {
    use kinds.{r as renamed, handle};
    resource own-handle { get: func() -> own<handle>; }
    export run: func(x: renamed) -> option<own-handle>;
    export inline: interface { use kinds.{v}; f: func(x: v); }
    import labelled: demo:a/things;
}

package demo:a { interface things { type thing = string; } }
package demo:b { interface things { type thing = u32; } }
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Resolve:
    path = tmp_path_factory.mktemp("wit") / "main.wit"
    path.write_text(SOURCE)
    return read(path)


def test_a_world_is_found_by_either_name(whole: Resolve) -> None:
    assert find_world(whole, "second") == find_world(whole, "demo:main/second@1.0.0")
    assert whole.worlds[find_world(whole, "first")].name == "first"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("secnd", "did you mean `second`?"),
        ("demo:main/second@1.0.1", "did you mean `demo:main/second@1.0.0`?"),
        ("zzz", "what there is: `first`, `second`"),
    ],
)
def test_a_world_that_is_not_there_is_named_with_a_hint(whole: Resolve, name: str, hint: str) -> None:
    with pytest.raises(ItemNotFound) as caught:
        find_world(whole, name)
    assert caught.value.message == f"package `demo:main@1.0.0` has no world `{name}`"
    assert caught.value.hint == hint


def test_only_what_the_world_reaches_is_left(whole: Resolve) -> None:
    part = restrict_to_world(whole, find_world(whole, "second"))
    assert [world.name for world in part.worlds] == ["second"]
    assert [str(package.name) for package in part.packages] == ["demo:a", "demo:main@1.0.0"]
    assert part.main == PackageId(1)
    assert sorted(part.interface_name(i) or "" for i in part.packages[part.main].interfaces.values()) == [
        "demo:main/kinds@1.0.0"
    ]
    function = part.worlds[0].exports["run"]
    assert isinstance(function, WorldFunction)
    reached = function.function.params[0].type
    assert isinstance(reached, int)
    definition = part.types[reached]
    assert isinstance(definition, TypeDef)
    assert definition.name == "renamed"


def test_a_world_of_plain_functions_needs_only_its_package(whole: Resolve) -> None:
    part = restrict_to_world(whole, find_world(whole, "first"))
    assert [str(package.name) for package in part.packages] == ["demo:b", "demo:main@1.0.0"]


@pytest.mark.parametrize("world", ["first", "second"])
def test_the_part_is_a_package_of_its_own(
    whole: Resolve, world: str, tmp_path: Path, wasm_tools: Path
) -> None:
    """wasm-tools and we read the printed part back to just what was printed."""
    part = restrict_to_world(whole, find_world(whole, world))
    path = tmp_path / "part.wit"
    path.write_text(print_wit(part))
    assert to_json(read(path)) == to_json(part)
    printed = subprocess.run(
        [wasm_tools, "component", "wit", "--json", path], capture_output=True, text=True, check=True
    )
    assert json.loads(printed.stdout) == to_json(part)


def test_restricting_twice_changes_nothing(whole: Resolve) -> None:
    part = restrict_to_world(whole, find_world(whole, "second"))
    assert restrict_to_world(part, find_world(part, "second")) == part

"""What a user can choose, and what generated files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.languages.rust import Options
from ingen_sdkgen.resolve import load
from tests.languages.rust.toolchain import bindings, check
from tests.languages.worlds import WIT


def generated(tmp_path: Path, options: Options | None = None, wit: str | None = None) -> dict[str, str]:
    (tmp_path / "small.wit").write_text(wit or (WIT / "small.wit").read_text("utf-8"), "utf-8")
    resolve = load(tmp_path / "small.wit").resolve
    world = find_world(resolve, "small")
    assert world is not None
    return bindings(resolve, world, options)


def compiles(tmp_path: Path, files: dict[str, str]) -> None:
    modules = [name.removesuffix(".rs") for name in files]
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "lib.rs").write_text("".join(f"pub mod {module};\n" for module in modules), "utf-8")
    check(tmp_path / "lib.rs", None)


def test_documentation(tmp_path: Path) -> None:
    text = generated(tmp_path)["small.rs"]
    assert "/// Things * / to do." in text
    assert "/// ```text\n        /// not Rust\n        /// ```\n" in text
    assert "/// ```wit\n        /// neither\n        /// ```\n" in text
    assert "/// How far right.\n                pub x: f32," in text
    assert "/// Deprecated since 1.0.0.\n" in text


def test_derives(tmp_path: Path) -> None:
    files = generated(tmp_path, Options(derives=("::core::cmp::PartialOrd", "Clone")))
    assert "#[derive(Debug, Clone, Copy, PartialEq, ::core::cmp::PartialOrd)]\n" in files["small.rs"]
    compiles(tmp_path, files)


def test_another_file_defines_the_allocator(tmp_path: Path) -> None:
    assert "cabi_realloc" in generated(tmp_path)["small.rs"]
    files = generated(tmp_path, Options(realloc=False))
    assert "cabi_realloc" not in files["small.rs"]
    compiles(tmp_path, files)


def test_renames(tmp_path: Path) -> None:
    api = "my:small/api@1.0.0"
    renames = {
        api: "interface",
        f"{api}#point": "Position",
        f"{api}#point.x": "type",
        f"{api}#shape.dot": "Point",
        f"{api}#kind.one": "First",
        f"{api}#rights.read": "MAY_READ",
        f"{api}#file": "OpenFile",
        f"{api}#file.get": "shapes",
        f"{api}#open": "open_file",
        "#greet": "welcome",
    }
    files = generated(tmp_path, Options(renames=renames, file="chosen", stubs=True))
    text = files["chosen.rs"]
    for expected in (
        "pub mod interface {",
        "pub struct Position {",
        "pub r#type: f32,",
        "Point(Position),",
        "First,",
        "pub const MAY_READ: Self",
        "pub trait GuestOpenFile",
        "fn shapes(&self) -> Vec<Shape>",
        "pub fn open_file(name: &str, rights: Rights) -> Result<OpenFile, Shape>",
        "fn welcome(name: String) -> String;",
    ):
        assert expected in text, expected
    assert "crate::chosen;" in files["chosen_stubs.rs"]
    compiles(tmp_path, {"chosen.rs": text})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(renames={"#greed": "x"}), r"`#greed`: is renamed, but .* did you mean `#greet`\?"),
        (Options(renames={"#greet": "no name"}), r"`#greet`: cannot be renamed to 'no name'"),
        (Options(renames={"#greet": "self"}), r"`#greet`: cannot be renamed to 'self'"),
        (Options(file="no-name"), r"`no-name`: no Rust module can be called that"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: Options, message: str) -> None:
    with pytest.raises(CodegenError, match=message):
        generated(tmp_path, options)


def test_two_versions_of_a_package(tmp_path: Path) -> None:
    wit = """package my:small;
    package other:lib@1.0.0 { interface i { f: func(); } }
    package other:lib@2.0.0-rc.1 { interface i { f: func(); } }
    world small { import other:lib/i@1.0.0; import other:lib/i@2.0.0-rc.1; }
    """
    files = generated(tmp_path, wit=wit)
    assert "pub mod lib_1_0_0 {" in files["small.rs"]
    assert "pub mod lib_2_0_0_rc_1 {" in files["small.rs"]
    compiles(tmp_path, files)

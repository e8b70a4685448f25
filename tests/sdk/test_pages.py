"""The pages on the SDK do what they say: their programs are built and run, their examples executed."""

from __future__ import annotations

import asyncio
import doctest
import os
import re
import shutil
import subprocess
from ipaddress import ip_interface
from pathlib import Path

import pytest

from ingen_emulator.vm import Place, Vm
from ingen_runtime.component.component import Component
from ingen_runtime.kernel.memory_streams import CallbackOutput
from ingen_runtime.network.virtual import VirtualVpc
from ingen_sdkgen import toolchains
from ingen_sdkgen.cli import main
from tests.conftest import ROOT, absent
from tests.sdk.building import PROJECT, scenarios
from tests.sdk.worlds import Guest

DOCS = ROOT / "docs"

EXPECTED = """\
mine (worker) in north
10.0.0.2 answers: true
the server says hello
"""


def section(title: str) -> dict[str, str]:
    """The blocks of code in a section of the page for guests, by language."""
    page = (DOCS / "sdk-guests.md").read_text("utf-8")
    text = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


async def run(program: Path) -> str:
    """What a program prints in a VM that has a server beside it."""
    vpc = VirtualVpc()
    server = Guest("c", vpc.attach("server", [ip_interface("10.0.0.2/24")]))
    network = vpc.attach("mine", [ip_interface("10.0.0.1/24")])
    printed: list[bytes] = []
    async with asyncio.timeout(60), Vm("mine", network, role="worker", place=Place(region="north")) as vm:
        task = asyncio.create_task(server.run("echo-server", "10.0.0.2:7", "1"))
        await server.listening()
        output = CallbackOutput(lambda data: printed.append(bytes(data)))
        status = await vm.run(Component.from_file(program), ["hello"], stdout=output, stderr=output)
        assert await task == "5 bytes"
    assert status == 0
    return b"".join(printed).decode()


def tool(*command: str | Path, folder: Path, **environment: str) -> None:
    """Run a compiler; a failure ends the test with what it printed."""
    words = list(map(str, command))
    result = subprocess.run(
        words, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        pytest.fail(f"{' '.join(words)}\n{result.stderr}"[:20_000], pytrace=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside the checkout, as the page has it."""
    (tmp_path / "ingen").symlink_to(ROOT)
    folder = tmp_path / "hello"
    (folder / "src").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("target", ["wasm32-wasip1", "wasm32-wasip2"])
def test_the_program_in_rust(target: str, project: Path) -> None:
    blocks = section("Rust")
    (project / "Cargo.toml").write_text(blocks["toml"], "utf-8")
    (project / "src" / "main.rs").write_text(blocks["rust"], "utf-8")
    try:
        compiler, cargo = toolchains.rust_compiler(target), toolchains.cargo()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    tool(cargo, "build", "--offline", "--target", target, folder=project, RUSTC=str(compiler))
    assert asyncio.run(run(project / "target" / target / "debug" / "hello.wasm")) == EXPECTED


@pytest.mark.slow
def test_the_program_in_c(project: Path) -> None:
    (project / "hello.c").write_text(section("C")["c"], "utf-8")
    try:
        zig = toolchains.zig()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    sdk = sorted((ROOT / "sdk" / "c").glob("*.c"))
    arguments = ["cc", "--target=wasm32-wasi", "-O2", "-I../ingen/sdk/c"]
    tool(*zig, *arguments, "hello.c", *sdk, "-o", "hello.wasm", folder=project)
    assert asyncio.run(run(project / "hello.wasm")) == EXPECTED


@pytest.mark.slow
def test_the_program_in_python(project: Path) -> None:
    blocks = section("Python")
    (project / "ingen-sdkgen.toml").write_text(blocks["toml"], "utf-8")
    (project / "src" / "hello.py").write_text(blocks["python"], "utf-8")
    try:
        toolchains.componentize_py()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    assert main(["build", "--quiet"]) == 0
    assert asyncio.run(run(project / "hello.wasm")) == EXPECTED


def test_the_examples_for_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios("c")
    shutil.copy(PROJECT / "build" / "c.wasm", tmp_path / "guest.wasm")
    monkeypatch.chdir(tmp_path)
    page = DOCS / "sdk-hosts.md"
    # Fences are no output.
    lines = page.read_text("utf-8").splitlines()
    text = "\n".join("" if line.startswith("```") else line for line in lines)
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert len(examples.examples) >= 10
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append)
    assert not report, "".join(report)

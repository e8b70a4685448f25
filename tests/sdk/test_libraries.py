"""The SDK's libraries outside of guests: what is generated is up to date, and they can be tested natively."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingen_runtime.component.component import Component
from ingen_sdkgen import toolchains
from ingen_sdkgen.cli import main
from tests.conftest import ROOT, absent
from tests.sdk.building import PROJECT

CRATE = ROOT / "sdk" / "rust"


def test_what_is_generated_for_the_scenarios_is_up_to_date() -> None:
    assert main(["gen", "--check", "--project", str(PROJECT)]) == 0


# --- Rust -----------------------------------------------------------------------------------------------


def cargo(*arguments: str, target: Path) -> None:
    """Run cargo in the crate of the SDK; a failure ends the test with what it printed."""
    try:
        program = toolchains.cargo()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    command = [str(program), *arguments]
    result = subprocess.run(command, cwd=CRATE, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"[:20_000], pytrace=False)


@pytest.mark.slow
def test_the_crate(tmp_path: Path) -> None:
    cargo("test", "--offline", target=tmp_path)


@pytest.mark.slow
def test_clippy_has_nothing_to_say_about_the_crate(tmp_path: Path) -> None:
    if shutil.which("cargo-clippy") is None:
        absent("clippy is absent: rustup component add clippy")
    cargo("clippy", "--offline", "--all-targets", "--", "-Dwarnings", target=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["wasm32-wasip1", "wasm32-wasip2"])
def test_programs_link_with_the_crate(target: str, tmp_path: Path) -> None:
    """With the allocator of the crate's own, which nothing else defines in a program."""
    try:
        compiler = toolchains.rust_compiler(target)
    except toolchains.MissingTool as missing:
        absent(str(missing))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.rs").write_text(
        'fn main() { println!("{:?}", ingen_wasm_sdk::lookup("database")); }\n', "utf-8"
    )
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "program"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n'
        f'[dependencies]\ningen-wasm-sdk = {{ path = "{CRATE.as_posix()}" }}\n',
        "utf-8",
    )
    command = [str(toolchains.cargo()), "build", "--offline", "--target", target]
    environment = {**os.environ, "RUSTC": str(compiler)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    wasm = (tmp_path / "target" / target / "debug" / "program.wasm").read_bytes()
    imported = [name for name in Component.from_bytes(wasm).imports if name.startswith("ingen:")]
    assert "ingen:sdk/dns@0.1.0" in imported


# --- C --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("ingen_sdk.c", ["cc", "-std=c99", "-Wpedantic"]),
        ("ingen_bindings.c", ["cc", "-std=c99", "-Wpedantic"]),
        (None, ["c++", "-std=c++17", "-Wpedantic"]),
    ],
)
def test_the_c_library_has_no_warnings(source: str | None, arguments: list[str], tmp_path: Path) -> None:
    try:
        zig = toolchains.zig()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    folder = ROOT / "sdk" / "c"
    user = tmp_path / "user.cc"
    code = '#include "ingen_sdk.h"\nbool f() { ingen_env_t env; return ingen_env_get(&env, nullptr); }\n'
    user.write_text(code, "utf-8")
    command = [
        *(*zig, *arguments, "--target=wasm32-wasi", "-O1"),
        *("-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{folder}"),
        *("-c", str(user if source is None else folder / source), "-o", str(tmp_path / "made.o")),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert not result.stderr


# --- Python ---------------------------------------------------------------------------------------------


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Python library can be imported."""
    monkeypatch.syspath_prepend(ROOT / "sdk" / "python")
    yield


def test_python_addresses(sdk: None) -> None:
    from ingen_wasm_sdk import Endpoint

    for text in ("10.0.0.1:80", "[fd00::1]:65535"):
        assert str(Endpoint.parse(text)) == text
    for text in ("10.0.0.1", "10.0.0.1:65536", "fd00::1:80", "[10.0.0.1]:80", ":80", "10.0.0.1:٣"):
        with pytest.raises(ValueError):
            Endpoint.parse(text)


@given(st.ip_addresses())
def test_python_addresses_survive_both_ways(address: IPv4Address | IPv6Address) -> None:
    from ingen_wasm_sdk.addresses import from_bindings, to_bindings

    assert from_bindings(to_bindings(address)) == address
    assert from_bindings(to_bindings(str(address))) == address


VARIABLES = {
    "EVM_NAME": "vm1",
    "EVM_ROLE": "database",
    "EVM_DATA_FOLDER": "/data,/shared",
    "EGP_DATA_FOLDER": "/process",
    "EVM_PRIVATE_IPV4": "10.0.0.1",
}


def test_python_environment_without_a_host(sdk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingen_wasm_sdk import EgpEnv, InvalidError

    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    env = EgpEnv.get()
    assert (env.vm_name, env.role, env.region) == ("vm1", "database", "")
    assert env.vm_data_folders == (Path("/data"), Path("/shared"))
    assert (env.ipv4, env.ipv6) == (ip_address("10.0.0.1"), None)
    for name in ("EVM_NAME", "EVM_ROLE", "EVM_DATA_FOLDER", "EGP_DATA_FOLDER"):
        with pytest.raises(InvalidError, match=f"^invalid: {name} is not set$"):
            EgpEnv.from_variables({**VARIABLES, name: ""})
    with pytest.raises(InvalidError, match=r"EVM_PRIVATE_IPV4 is '10\.0', which is no such address"):
        EgpEnv.from_variables({**VARIABLES, "EVM_PRIVATE_IPV4": "10.0"})


@contextmanager
def fake_host() -> Iterator[None]:
    """A host with one connection that sends back what it gets, and otherwise with errors."""
    from ingen_wasm_sdk import bindings
    from ingen_wasm_sdk.bindings import icmp, tcp, types

    class Echo:
        waiting = b""
        ended = False

        @staticmethod
        def connect(remote: types.Endpoint, options: tcp.ConnectOptions | None) -> Echo:
            if remote.address == types.IpAddressIpv4((10, 0, 0, 3)):
                raise types.ErrorException(types.ErrorRefused())
            assert options is not None and options.timeout_us == 1_500_000
            return Echo()

        def write(self, data: bytes) -> int:
            self.waiting += data[:2]
            return len(data[:2])

        def read(self, limit: int) -> bytes:
            data, self.waiting = self.waiting[:limit], self.waiting[limit:]
            if not data and not self.ended:
                raise types.ErrorException(types.ErrorWouldBlock())
            return data

        def shutdown(self, direction: tcp.Direction) -> None:
            assert direction is tcp.Direction.WRITE
            self.ended = True

    class Dns:
        def lookup(self, name: str) -> list[types.IpAddress]:
            if name != "echo":
                raise types.ErrorException(types.ErrorNotFound())
            return [types.IpAddressIpv4((10, 0, 0, 3)), types.IpAddressIpv4((10, 0, 0, 4))]

    class Icmp:
        def ping(self, target: types.IpAddress, options: icmp.PingOptions | None) -> icmp.PingReply:
            assert options == icmp.PingOptions(None, None, None, 9, None, 250_000)
            raise types.ErrorException(types.ErrorDenied("another VPC"))

    class Host:
        icmp = Icmp()
        dns = Dns()

        tcp = SimpleNamespace(connection=Echo)

    with bindings.fake_host(Host()):  # type: ignore[arg-type]  # what the test does not call is left out
        yield


def test_python_with_a_fake_host(sdk: None) -> None:
    from ingen_wasm_sdk import DeniedError, NotFoundError, WouldBlockError, connect, lookup, ping

    with fake_host():
        assert lookup("echo") == [ip_address("10.0.0.3"), ip_address("10.0.0.4")]
        with pytest.raises(NotFoundError, match=r"^not-found$"):
            connect(("nobody", 7))
        with connect(("echo", 7), timeout_s=1.5) as connection:
            connection.send_all(b"hello")
            assert connection.receive_exactly(4) == b"hell"
            assert connection.receive() == b"o"
            with pytest.raises(WouldBlockError) as blocked:
                connection.receive()
            assert isinstance(blocked.value, BlockingIOError)
            connection.send_all(b"bye")
            connection.shutdown("write")
            assert connection.receive_all() == b"bye"
            with pytest.raises(EOFError, match="ended 3 bytes too early"):
                connection.receive_exactly(3)
        with pytest.raises(ConnectionRefusedError, match=r"^refused$"):
            connect(("10.0.0.3", 7))
        with pytest.raises(DeniedError, match=r"^denied: another VPC$") as denied:
            ping("10.0.0.9", ttl=9, timeout_s=0.25)
        assert denied.value.detail == "another VPC"


def test_bindings_of_an_interface_from_one_package_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        toolchains.componentize_py()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    (tmp_path / "wit" / "deps").mkdir(parents=True)
    bindings = ROOT / "sdk" / "python" / "ingen_wasm_sdk" / "bindings"
    shutil.copy(bindings / "_ingen_world.wit", tmp_path / "wit" / "deps" / "sdk.wit")
    (tmp_path / "wit" / "own.wit").write_text(
        "package my:guests;\nworld app { import ingen:sdk/dns@0.1.0; export f: func(); }\n", "utf-8"
    )
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "guest.py").write_text("import app\n", "utf-8")
    (tmp_path / "lib").symlink_to(ROOT / "sdk" / "python")
    text = 'wit = "wit"\n[[guest]]\nlanguage = "python"\nout = "src/app"\nbuild = { libraries = ["lib"] }\n'
    (tmp_path / "ingen-sdkgen.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 1
    assert "both `my:guests/app` and `ingen:sdk/guest@0.1.0` import `ingen:sdk/" in capfd.readouterr().err

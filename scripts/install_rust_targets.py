"""Make a Rust compiler for WebAssembly available: python scripts/install_rust_targets.py

After it, `rustc` (or the one that this installs) compiles for wasm32-wasip1, wasm32-wasip2 and
wasm32-unknown-unknown. Tried in this order:

1. what is there already: nothing is done;
2. `rustup target add`, for the toolchain that is active in this folder;
3. the packages of Debian unstable, unpacked into a folder of the checkout (.toolchain, or what
   INGEN_TOOLCHAIN names; 200 MB to fetch, 800 MB unpacked) and started through their own C library, so that
   nothing of the system changes. This needs apt-get, a Debian mirror in apt's sources, and no other rights
   than to write that folder.

It may be interrupted, run twice and run at the same time: what is in place is always whole. It needs nothing
but Python.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("wasm32-wasip1", "wasm32-wasip2", "wasm32-unknown-unknown")

_DEBIAN_MIRROR = re.compile(r"https?://[^\s\"']+/debian/?(?=\s|$)", re.MULTILINE)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_RUSTUP_TIMEOUT_S = 600

# Each wrapper finds its own place, so the folder can be moved as a whole.
_HERE = '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nusr=$here/../debian/usr\n'
_START = 'exec "$usr/{loader}" --library-path "$usr/{libraries}:$usr/{llvm}/lib"'


class InstallationFailure(Exception):
    """The compiler could not be made available; the text says why and what would help."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing, and say which compiler to use."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--from", dest="source", choices=("rustup", "debian"), help="use just this source")
    source: str | None = parser.parse_args(arguments).source
    prefix = toolchain_folder() / "rust"
    try:
        if source is None and (compiler := _installed(prefix)):
            print(f"Rust for WebAssembly is there: {compiler}")
            return
        if source != "debian":
            reason = _add_with_rustup()
            if reason is None:
                print(f"rustup added {', '.join(TARGETS)}")
                return
            if source == "rustup":
                raise InstallationFailure(reason)
            print(f"{reason}; using the packages of Debian unstable", flush=True)
        with _alone(prefix.with_name("rust.lock")):
            if not _works(prefix / "bin" / "rustc"):
                _install_from_debian(prefix)
        print(f"Rust for WebAssembly is there: {prefix / 'bin' / 'rustc'}")
    except InstallationFailure as failure:
        sys.exit(f"error: no Rust compiler for WebAssembly: {failure}")
    except KeyboardInterrupt:
        sys.exit("interrupted; run it again to start over")


def toolchain_folder() -> Path:
    """Where toolchains are put: what INGEN_TOOLCHAIN names, or .toolchain in the checkout."""
    chosen = os.environ.get("INGEN_TOOLCHAIN")
    return Path(chosen).resolve() if chosen else ROOT / ".toolchain"


def _installed(prefix: Path) -> Path | None:
    """A compiler that has all the targets already: the system's, or the one in `prefix`."""
    system = shutil.which(os.environ.get("RUSTC") or "rustc")
    for compiler in (*([Path(system)] if system else []), prefix / "bin" / "rustc"):
        if _works(compiler):
            return compiler
    return None


def _works(compiler: Path) -> bool:
    """Whether the compiler starts and has the standard library of each target."""
    try:
        printed = subprocess.run(
            [compiler, "--print", "sysroot"], capture_output=True, encoding="utf-8", check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return all((Path(printed.strip()) / "lib" / "rustlib" / target / "lib").is_dir() for target in TARGETS)


def _add_with_rustup() -> str | None:
    """Add the targets with rustup; the reason where that does not work."""
    if shutil.which("rustup") is None:
        return "rustup is not installed"
    print(f"rustup target add {' '.join(TARGETS)}", flush=True)
    try:
        result = subprocess.run(
            ["rustup", "target", "add", *TARGETS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=_RUSTUP_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"rustup did not end within {_RUSTUP_TIMEOUT_S} s"
    if result.returncode == 0:
        return None
    lines = [line for line in result.stderr.splitlines() if line.startswith("error")]
    return f"rustup cannot add the targets ({lines[0] if lines else f'exit status {result.returncode}'})"


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock; the system releases it however this process ends."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise InstallationFailure(f"cannot write {error.filename}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another installation to end", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- Debian's packages ----------------------------------------------------------------------------------


def _install_from_debian(prefix: Path) -> None:
    """Unpack the packages beside `prefix`, try the compiler, and put it in place with one rename."""
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(program) is None:
            raise InstallationFailure(f"{program} is missing; install rustup and run `{_rustup_command()}`")
    # A process that was killed left its folder; the lock says that nobody uses it.
    for stale in prefix.parent.glob("rust.partial-*"):
        shutil.rmtree(stale)
    partial = Path(tempfile.mkdtemp(prefix="rust.partial-", dir=prefix.parent))
    try:
        partial.chmod(0o755)
        packages = partial / "packages"
        packages.mkdir()
        _download(packages)
        archives = sorted(packages.glob("*.deb"))
        for number, archive in enumerate(archives, 1):
            _progress("unpacking", number, len(archives))
            _run("dpkg-deb", "--extract", str(archive), str(partial / "debian"))
        shutil.rmtree(packages)
        _write_wrappers(partial)
        if not _works(partial / "bin" / "rustc"):
            raise InstallationFailure("the compiler from Debian's packages does not start on this machine")
        # What stands there did not work, or this would not have been called.
        shutil.rmtree(prefix, ignore_errors=True)
        partial.rename(prefix)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _rustup_command() -> str:
    return f"rustup target add {' '.join(TARGETS)}"


def _download(folder: Path) -> None:
    """Fetch the compiler, its libraries, and what they need into `folder`."""
    apt = _Apt(folder)
    print("reading the package lists of Debian unstable", flush=True)
    apt.run("update")
    version = apt.field("libstd-rust-dev-wasm32", "Version", r"(\S+)")
    runtime = apt.field("libstd-rust-dev", "Depends", r"(libstd-rust-[\d.]+)")
    llvm = apt.field(runtime, "Depends", r"libllvm(\d+)")
    # rustc asks for a C compiler and rust-llvm for clang, which WebAssembly does without: these packages come
    # alone, and of the others apt works out what they need on an empty system.
    alone = ("rustc", "rust-llvm", "libstd-rust-dev", "libstd-rust-dev-wasm32")
    whole = apt.run("--no-install-recommends", "--print-uris", "install", runtime, f"lld-{llvm}")
    names = sorted({re.sub(r"_.*", "", line.split()[1]) for line in whole.splitlines() if line[:1] == "'"})
    wanted = [*(f"{name}={version}" for name in alone), *names]
    for number, name in enumerate(wanted, 1):
        _progress("downloading", number, len(wanted))
        apt.run("download", name)


class _Apt:
    """apt with lists and a state of its own, in a folder, and with the mirror that the machine uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        signed = f"[signed-by={_KEYRING}] " if _KEYRING.is_file() else ""
        sources = folder / "sources.list"
        sources.write_text(f"deb {signed}{debian_mirror(Path('/etc/apt'))} sid main\n")
        settings = {
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": folder,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        }
        self._options = [text for key, value in settings.items() for text in ("-o", f"{key}={value}")]

    def run(self, *arguments: str, program: str = "apt-get") -> str:
        """Run apt-get in the folder, and return what it prints."""
        return _run(program, *self._options, "--quiet=2", *arguments, folder=self._folder)

    def field(self, package: str, field: str, pattern: str) -> str:
        """What `pattern` finds in a field of the newest version of a package."""
        printed = self.run("show", package, program="apt-cache")
        for line in printed.splitlines():
            if line.startswith(f"{field}: ") and (match := re.search(pattern, line.partition(": ")[2])):
                return match.group(1)
        raise InstallationFailure(f"Debian's package {package} is not as expected: no {field} with {pattern}")


def debian_mirror(apt: Path) -> str:
    """The mirror of Debian in the configuration folder of apt.

    Raises: InstallationFailure
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if file.is_file():
            active = re.sub(r"(?m)^\s*#.*$", "", file.read_text(errors="replace"))
            if match := _DEBIAN_MIRROR.search(active):
                return match.group()
    raise InstallationFailure(f"apt has no Debian mirror; install rustup and run `{_rustup_command()}`")


def _write_wrappers(prefix: Path) -> None:
    """The programs of `prefix`: scripts that start Debian's through Debian's own loader."""
    usr = prefix / "debian" / "usr"
    loader = _one(usr, "lib/*/ld-linux-*.so.*")
    llvm = _one(usr, "lib/llvm-*")
    linker = _one(usr, "lib/rustlib/*/bin/wasm-component-ld")
    start = _START.format(loader=loader, libraries=loader.parent, llvm=llvm)
    # rustc names the flavour of linker that it wants; each of these is of one flavour.
    flavour = '[ "$1" = -flavor ] && shift 2\n'
    wrappers = {
        "wasm-ld": f'{flavour}{start} --argv0 wasm-ld "$usr/{llvm}/bin/lld" "$@"\n',
        "wasm-component-ld": f'{flavour}{start} "$usr/{linker}" --wasm-ld-path "$here/wasm-ld" "$@"\n',
        "rustc": (
            'case " $* " in\n'
            '  *" --target wasm32-wasip2 "* | *" --target=wasm32-wasip2 "*)\n'
            '    set -- "$@" -C linker="$here/wasm-component-ld" ;;\n'
            '  *" --target wasm32-"* | *" --target=wasm32-"*) set -- "$@" -C linker="$here/wasm-ld" ;;\n'
            "esac\n"
            f'{start} "$usr/bin/rustc" --sysroot "$usr" "$@"\n'
        ),
    }
    (prefix / "bin").mkdir()
    for name, body in wrappers.items():
        file = prefix / "bin" / name
        file.write_text(_HERE + body)
        file.chmod(file.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _one(folder: Path, pattern: str) -> Path:
    """The path in `folder`, relative to it, that matches `pattern`."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise InstallationFailure(f"Debian's packages are not as expected: no {pattern}")
    return found[0].relative_to(folder)


def _run(*command: str, folder: Path | None = None) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise InstallationFailure(f"{command[0]} failed: {lines[-1] if lines else result.returncode}")
    return result.stdout


_last_progress_s = 0.0


def _progress(doing: str, number: int, count: int) -> None:
    """One line that counts up, on a terminal; elsewhere a line every five seconds at most."""
    global _last_progress_s
    text = f"{doing} {number} of {count} packages"
    if sys.stdout.isatty():
        print(f"\r{text}\033[K", end="\n" if number == count else "", flush=True)
    elif number == count or time.monotonic() - _last_progress_s > 5:
        _last_progress_s = time.monotonic()
        print(text, flush=True)


if __name__ == "__main__":
    main()

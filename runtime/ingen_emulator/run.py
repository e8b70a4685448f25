"""`ingen run`: one program as the guest process of one VM."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import stat
from collections.abc import Sequence
from ipaddress import ip_interface
from pathlib import Path
from typing import Final

from ingen_emulator.failures import EndedError, UsageError
from ingen_emulator.networks import read_network
from ingen_emulator.progress import spinner
from ingen_emulator.vm import Vm
from ingen_runtime import Component
from ingen_runtime.errors import ComponentFormatError, IngenError, Trap
from ingen_runtime.kernel.host_streams import HostInput, HostOutput
from ingen_runtime.kernel.limits import MIB, Limits
from ingen_runtime.kernel.process import Folder
from ingen_runtime.network.interface import IPInterface

EXIT_TIMEOUT: Final = 124
EXIT_TRAP: Final = 134

DESCRIPTION: Final = "Run a WebAssembly program as the guest process of one emulated VM."

EPILOG: Final = """\
PROGRAM is a component that exports wasi:cli/run, or a core module for preview 1 of WASI. It sees the folders
of --dir, and /vm and /process, which are its own: empty at first, and gone afterwards.

networks:
  virtual       inside this process; nobody else is there (default)
  host          the sockets of this machine
  netns:NAME    sockets of the Linux network namespace NAME, for which it needs to be root

exit status: the program's own; otherwise
  1    ingen could not run it; the message says why
  2    the command line is wrong
  70   a bug in ingen
  124  the time of --timeout was over
  130  Ctrl-C
  134  the program was stopped by a trap
  143  SIGTERM, and 129 SIGHUP

examples:
  ingen run hello.wasm
  ingen run server.wasm --network host --env PORT=8080 --dir ./data:/data:ro
  ingen run tool.wasm -- --help
"""


def define(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("program", metavar="PROGRAM", type=Path, help="what to run")
    # With the default, argparse does not ask for an argument where the program is missing.
    parser.add_argument("arguments", metavar="ARG", nargs="*", default=[], help="an argument of the program")
    parser.add_argument(
        "--env", metavar="KEY=VALUE", action="append", default=[], help="a variable; may be repeated"
    )
    parser.add_argument(
        "--dir",
        metavar="HOST:GUEST[:ro]",
        action="append",
        default=[],
        help="a folder, and its name for the program; with `:ro` it cannot be changed; may be repeated",
    )
    parser.add_argument(
        "--address",
        metavar="CIDR",
        action="append",
        default=[],
        help="an address of the VM with its subnet, such as 10.1.0.5/24; may be repeated",
    )
    parser.add_argument(
        "--network", metavar="NETWORK", default="virtual", help="virtual, host or netns:NAME (see below)"
    )
    parser.add_argument("--name", default="vm", help="the name of the VM")
    parser.add_argument(
        "--memory-mib", metavar="N", type=int, help="how large the program's memory may become"
    )
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="end the program after this time")


def run(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Carry the verb out; returns the exit status.

    Raises: UsageError, and IngenError for what cannot be run.
    """
    environment = dict(map(_variable, options.env))
    folders = list(map(_folder, options.dir))
    guest_paths = [folder.guest for folder in folders]
    for text in (options.name, options.program.name, *arguments, *options.env, *guest_paths):
        if not _is_text(text):
            raise UsageError(f"{text!r} is not UTF-8, which is all that a program can be told")
    if not options.name:
        raise UsageError("--name is empty; every VM has a name")
    open_network = read_network(options.network, list(map(_address, options.address)))
    if options.memory_mib is not None and not 1 <= options.memory_mib <= 4096:
        raise UsageError(f"--memory-mib is {options.memory_mib}; it can be 1 to 4096")
    if options.timeout is not None and not 0 < options.timeout < math.inf:
        raise UsageError(f"--timeout is {options.timeout}; it has to be more than 0")
    try:
        with spinner(f"compiling {options.program.name}"):
            program = Component.from_file(options.program)
    except OSError as error:
        raise IngenError(f"cannot read {options.program}: {error.strerror}") from None
    except ComponentFormatError as error:
        raise IngenError(f"cannot run {options.program}: {error}") from None
    limits = Limits(memory_bytes=None if options.memory_mib is None else options.memory_mib * MIB)

    signalled: list[signal.Signals] = []

    async def in_a_vm() -> int:
        _cancel_at_signals(signalled)
        async with Vm(options.name, open_network(options.name)) as vm:
            return await vm.run(
                program,
                [options.program.name, *arguments],
                environment=environment,
                folders=folders,
                stdin=HostInput(0),
                stdout=HostOutput(1),
                stderr=HostOutput(2),
                limits=limits,
                timeout_s=options.timeout,
            )

    try:
        return asyncio.run(in_a_vm())
    except asyncio.CancelledError:
        number = signalled[0]
        raise EndedError(f"ended by {number.name}", 128 + number) from None
    except TimeoutError:
        raise EndedError(f"ended after {options.timeout:g} s, as --timeout says", EXIT_TIMEOUT) from None
    except Trap as trap:
        # Its standard error was shown when it was written.
        trap.guest_stderr = b""
        raise EndedError(f"the program was stopped: {trap}", EXIT_TRAP) from None


def _cancel_at_signals(signalled: list[signal.Signals]) -> None:
    """Cancel the running task when somebody ends the command, so that nothing stays behind."""
    task = asyncio.current_task()
    assert task is not None, "there is one in a coroutine"

    def end(number: signal.Signals) -> None:
        signalled.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # as under nohup
        asyncio.get_running_loop().add_signal_handler(number, end, number)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--env {text}: it is KEY=VALUE")
    return name, value


def _folder(text: str) -> Folder:
    try:
        folder = Folder.parse(text)
    except ValueError as error:
        raise UsageError(f"--dir: {error}") from None
    try:
        is_folder = stat.S_ISDIR(Path(folder.host).stat().st_mode)
    except OSError as error:
        raise UsageError(f"--dir {text}: cannot use {folder.host}: {error.strerror}") from None
    if not is_folder:
        raise UsageError(f"--dir {text}: {folder.host} is no folder")
    return folder


def _address(text: str) -> IPInterface:
    try:
        return ip_interface(text)
    except ValueError:
        raise UsageError(
            f"--address {text}: it is an address with a prefix length, such as 10.1.0.5/24"
        ) from None

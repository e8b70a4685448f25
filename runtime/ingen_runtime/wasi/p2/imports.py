"""All of WASI 0.2 for one process."""

from __future__ import annotations

from typing import Any

from ingen_runtime.kernel.process import Process
from ingen_runtime.wasi.p2.bindings import P2, AsyncImports
from ingen_runtime.wasi.p2.cli import (
    Environment,
    Exit,
    Stderr,
    Stdin,
    Stdout,
    TerminalInputs,
    TerminalOutputs,
    TerminalStderr,
    TerminalStdin,
    TerminalStdout,
)
from ingen_runtime.wasi.p2.clocks import MonotonicClock, Timezone, WallClock
from ingen_runtime.wasi.p2.filesystem import Filesystem, Preopens
from ingen_runtime.wasi.p2.networks import InstanceNetwork, IpNameLookup, Networks
from ingen_runtime.wasi.p2.poll import Poll
from ingen_runtime.wasi.p2.randomness import Insecure, InsecureSeed, Random
from ingen_runtime.wasi.p2.streams import Errors, Sink, Streams
from ingen_runtime.wasi.p2.tcp import Tcp, TcpCreateSocket
from ingen_runtime.wasi.p2.udp import Udp, UdpCreateSocket


class Wasi(AsyncImports):
    """Implements the world `ingen:wasi/p2`: its attributes implement the interfaces."""

    def __init__(self, process: Process) -> None:
        self.error = Errors()
        self.poll = Poll()
        self.streams = Streams()

        self.standard_output = Sink(process.stdout)
        self.standard_error = Sink(process.stderr)
        self.environment = Environment(process)
        self.exit = Exit()
        self.stdin = Stdin(process.stdin)
        self.stdout = Stdout(self.standard_output)
        self.stderr = Stderr(self.standard_error)
        self.terminal_input = TerminalInputs()
        self.terminal_output = TerminalOutputs()
        self.terminal_stdin = TerminalStdin(process.stdin.is_terminal)
        self.terminal_stdout = TerminalStdout(process.stdout.is_terminal)
        self.terminal_stderr = TerminalStderr(process.stderr.is_terminal)

        self.monotonic_clock = MonotonicClock(process.clock)
        self.wall_clock = WallClock(process.clock)
        self.timezone = Timezone()

        filesystem = Filesystem(process)
        self.types = filesystem
        self.preopens = Preopens(filesystem, process.preopened)

        self.random = Random(process.randomness)
        self.insecure = Insecure(process.randomness)
        self.insecure_seed = InsecureSeed(process.randomness)

        self.network = Networks()
        self.instance_network = InstanceNetwork()
        self.ip_name_lookup = IpNameLookup(process)
        self.tcp = Tcp()
        self.tcp_create_socket = TcpCreateSocket(process)
        self.udp = Udp()
        self.udp_create_socket = UdpCreateSocket(process)


def wasi_imports(process: Process) -> dict[str, Any]:
    """What implements WASI 0.2 for a process, to be given to a `Linker`, with other imports if need be.

    Any version 0.2.x that a component imports is satisfied. What it leaves open is closed with the process.
    """
    return dict(P2.imports(Wasi(process)))

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
from ingen_runtime.wasi.p2.tcp import Connections, Tcp, TcpCreateSocket
from ingen_runtime.wasi.p2.udp import Udp, UdpCreateSocket


class Wasi(AsyncImports):
    """Implements the world `ingen:wasi/p2` for a process: its attributes implement the interfaces.

    What a guest leaves open is closed with the process.
    """

    def __init__(self, process: Process) -> None:
        self.error = Errors()
        self.poll = Poll()
        self.streams = Streams()

        output, errors = Sink(process.stdout), Sink(process.stderr)
        self._standard = (output, errors)
        self.environment = Environment(process)
        self.exit = Exit()
        self.stdin = Stdin(process.stdin)
        self.stdout = Stdout(output)
        self.stderr = Stderr(errors)
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
        self._connections = Connections(process)
        self.tcp_create_socket = TcpCreateSocket(self._connections)
        self.udp = Udp()
        self.udp_create_socket = UdpCreateSocket(process)

    @property
    def imports(self) -> dict[str, Any]:
        """What to give to a `Linker`, with other imports if need be; does for any version 0.2.x."""
        return dict(P2.imports(self))

    async def settled(self) -> None:
        """Return as soon as what the guest has written is on its way.

        Standard output and error are waited for without a bound, connections for some seconds.
        """
        for sink in self._standard:
            await sink.settled()
        await self._connections.settled()


def wasi_imports(process: Process) -> dict[str, Any]:
    """What implements WASI 0.2 for a process: see `Wasi.imports`."""
    return Wasi(process).imports

"""A guest process: everything that a guest may see and use is an object here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from ingen_runtime.errors import IngenError
from ingen_runtime.frozen import frozen
from ingen_runtime.kernel.clock import Clock, SystemClock
from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.files import FileAccount
from ingen_runtime.kernel.limits import Closable, Limits, OpenSet, Quota
from ingen_runtime.kernel.memory_streams import BytesInput, GuestOutput, NullOutput
from ingen_runtime.kernel.randomness import Randomness, SystemRandomness
from ingen_runtime.kernel.resolve import Resolver
from ingen_runtime.kernel.streams import InputStream, OutputStream
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Network, TcpSocket


class ProcessExit(IngenError):
    """The guest has ended itself, with this exit status. Raised out of the call that runs it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the guest has exited with status {status}")
        self.status = status


@frozen
class Folder:
    """A folder of the host that a guest is given, and the name under which it sees it."""

    host: str | os.PathLike[str]
    guest: str
    writable: bool = True

    @classmethod
    def parse(cls, text: str) -> Folder:
        """From `HOST`, `HOST:GUEST` or `HOST:GUEST:ro`. Raises: ValueError"""
        parts = text.split(":")
        writable = True
        if len(parts) == 3 and parts[2] in ("ro", "rw"):
            writable = parts.pop() == "rw"
        if len(parts) > 2 or not all(parts):
            raise ValueError(f"`{text}` is not HOST:GUEST or HOST:GUEST:ro")
        return cls(parts[0], parts[-1], writable)


class Process:
    """What one guest process may see and spend.

    `arguments` begin with the program's name. Without streams, standard input is empty and output is thrown
    away. Streams and listeners stay the caller's; all else that the guest has opened is closed by `close`.

    It belongs to the thread of the event loop on which its guest runs. Raises: FileError for a folder that
    cannot be opened, ValueError for arguments, variables or names of folders that no guest could read.
    """

    def __init__(
        self,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        folders: Iterable[Folder] = (),
        stdin: InputStream | None = None,
        stdout: OutputStream | None = None,
        stderr: OutputStream | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        network: Network | None = None,
        listeners: Iterable[TcpSocket] = (),
        limits: Limits | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.arguments = tuple(arguments)
        self.environment = dict(environment or {})
        folders = tuple(folders)
        _check_text(self.arguments, self.environment, [folder.guest for folder in folders])
        self.limits = limits or Limits()
        self.clock = clock or SystemClock()
        self.randomness = randomness or SystemRandomness()
        self.network = network
        self.listeners = tuple(listeners)
        """Listening sockets that the guest is given; they stay the caller's."""
        self.stdin = stdin or BytesInput()
        output = Quota(self.limits.output_bytes)
        self.stdout = GuestOutput(stdout or NullOutput(), output)
        self.stderr = GuestOutput(stderr or NullOutput(), output, keep=_STDERR_TAIL)
        self.files = FileAccount(self.limits, resolver)
        self.sockets: OpenSet[Closable] = OpenSet(self.limits.sockets, _too_many_sockets)
        """The sockets that are open: `add` what was made, `discard` what was closed."""
        preopened: list[tuple[Directory, str]] = []
        try:
            for folder in folders:
                opened = Directory.preopen(self.files, folder.host, writable=folder.writable)
                preopened.append((opened, folder.guest))
        except BaseException:
            self.files.opened.close_all()
            raise
        self.preopened = tuple(preopened)
        """The folders that the guest was given, with the names under which it sees them."""

    def close(self) -> None:
        """Close the files and sockets that are still open; may be called again."""
        self.files.opened.close_all()
        self.sockets.close_all()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_STDERR_TAIL = 4096


def _check_text(arguments: Sequence[str], environment: Mapping[str, str], folders: Sequence[str]) -> None:
    for name in environment:
        if not name or "=" in name:
            raise ValueError(f"{name!r} is no name of a variable")
    for text in (*arguments, *environment, *environment.values(), *folders):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{text!r} has characters that no guest can read: NUL, or parts of others")


def _too_many_sockets() -> NetworkError:
    return NetworkError(NetworkErrorKind.LIMIT, "the limit on open sockets is reached")

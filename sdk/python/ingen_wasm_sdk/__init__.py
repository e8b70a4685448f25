"""What a guest process of an emulated VM reaches beyond WASI: pings, sockets with their options, names, and
who and where it is.

    from ingen_wasm_sdk import EgpEnv, connect, ping

    env = EgpEnv.get()
    print(f"{env.vm_name} in {env.region}")
    print(ping("10.0.0.2").duration_s)
    with connect(("database", 5432), timeout_s=5) as connection:
        connection.send_all(b"hello")
        print(connection.receive_all())

Addresses are `ipaddress` objects, where an argument may also be text; times are in seconds. Every error is an
`SdkError`, which is an `OSError`, and where Python has an exception for it, that one too:
`ConnectionRefusedError`, `TimeoutError` and so on.

`bindings` is what was generated from the SDK's WIT. In unit tests `bindings.fake_host` stands in for the
host; without it only `EgpEnv` works outside of a guest: it reads the variables of the process.
"""

from __future__ import annotations

from .addresses import Endpoint, IPAddress
from .environment import EgpEnv
from .errors import (
    ClosedError,
    DeniedError,
    InUseError,
    InvalidError,
    NotFoundError,
    OtherError,
    RefusedError,
    ResetError,
    SdkError,
    TimedOutError,
    UnreachableError,
    WouldBlockError,
)
from .icmp import PingReply, ping
from .names import lookup
from .tcp import Connection, Listener, connect, listen
from .udp import UdpSocket, open_udp

__all__ = [
    "ClosedError",
    "Connection",
    "DeniedError",
    "EgpEnv",
    "Endpoint",
    "IPAddress",
    "InUseError",
    "InvalidError",
    "Listener",
    "NotFoundError",
    "OtherError",
    "PingReply",
    "RefusedError",
    "ResetError",
    "SdkError",
    "TimedOutError",
    "UdpSocket",
    "UnreachableError",
    "WouldBlockError",
    "connect",
    "listen",
    "lookup",
    "open_udp",
    "ping",
]

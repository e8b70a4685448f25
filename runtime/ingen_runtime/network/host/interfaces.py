"""Which addresses a machine or a network namespace has.

Source: rtnetlink(7), netlink(7).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from typing import Final

from ingen_runtime.network.host.maker import SocketMaker
from ingen_runtime.network.interface import IPInterface

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ADDRESS: Final = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index of the interface
_ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
_DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE: Final = 3
_NEW_ADDRESS: Final = 20
_GET_ADDRESS: Final = 22
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2  # where there is one, IFA_ADDRESS is the peer's
_SCOPE_LINK: Final = 253  # this and higher: known on one link alone, or inside the machine


def read_interfaces(maker: SocketMaker) -> tuple[IPInterface, ...]:
    """All addresses but those of the loopback and of single links, IPv4 first, in the kernel's order.

    Where the system is not Linux: none. Raises: OSError.
    """
    if not hasattr(socket, "AF_NETLINK"):
        return ()
    found: list[IPInterface] = []
    with maker.open(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.setblocking(True)  # the kernel answers at once
        every = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        netlink.send(_HEADER.pack(_HEADER.size + len(every), _GET_ADDRESS, _DUMP, 1, 0) + every)
        while True:
            for type_, message in _messages(netlink.recv(1 << 16)):
                if type_ == _NEW_ADDRESS:
                    found += _interface(message)
                elif type_ == _DONE:
                    return tuple(sorted(found, key=lambda interface: interface.version))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        length, type_, *_ = _HEADER.unpack_from(data, at)
        yield type_, data[at + _HEADER.size : at + length]
        at += _aligned(length)


def _interface(message: bytes) -> Iterator[IPInterface]:
    _, prefix, _, scope, _ = _ADDRESS.unpack_from(message)
    attributes: dict[int, bytes] = {}
    at = _ADDRESS.size
    while at < len(message):
        length, type_ = _ATTRIBUTE.unpack_from(message, at)
        attributes[type_] = message[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if packed and scope < _SCOPE_LINK:
        yield ip_interface(f"{ip_address(packed)}/{prefix}")


def _aligned(length: int) -> int:
    return (length + 3) & ~3

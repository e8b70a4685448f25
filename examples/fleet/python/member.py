"""A member of the fleet in Python: `member PORT MISSING PEER...`.

It says who it is, looks for its peers and for an address that nobody has, and has the first peer echo what it
sends, while it echoes for another one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

from fleet_member import Err, Exports, Ok, export
from fleet_member.report import outcome
from fleet_member.run import RunExports
from ingen_wasm_sdk import (
    Connection,
    EgpEnv,
    Listener,
    RefusedError,
    SdkError,
    TimedOutError,
    UnreachableError,
    connect,
    listen,
    lookup,
    ping,
)

PATIENCE_S = 10.0
BETWEEN_TRIES_S = 0.005


class Member(RunExports):
    """The program."""

    def run(self) -> None:
        _, port, missing, *peers = sys.argv
        env = EgpEnv.get()
        print(f"{env.vm_name} ({env.ipv4}) in {env.region}, in Python")
        outcome("who am I", env.vm_name, Ok(f"{env.ipv4}, {env.role} in {env.region}"))

        with listen(("0.0.0.0", int(port))) as listener:
            listener.set_timeout(PATIENCE_S)
            for peer in peers:
                tell("name", peer, partial(name_of, peer))
                tell("ping", peer, partial(answer_of, peer))
            tell("nobody", missing, partial(silence_of, missing))
            if peers:
                tell("echo", peers[0], partial(echo, listener, env.vm_name, peers[0], int(port)))


@export
class Fleet(Exports):
    """What the guest exports."""

    run = Member()


class Failed(Exception):
    """A check has failed."""


def tell(check: str, target: str, attempt: Callable[[], str]) -> None:
    """Report what an attempt has seen, or why it has failed."""
    try:
        outcome(check, target, Ok(attempt()))
    except (Failed, SdkError) as error:
        outcome(check, target, Err(str(error)))


def name_of(peer: str) -> str:
    """The address of a name."""
    return str(lookup(peer)[0])


def answer_of(peer: str) -> str:
    """A ping that is answered."""
    reply = ping(lookup(peer)[0])
    if not reply.is_echo_reply:
        raise Failed(f"ICMP type {reply.icmp_type} from {reply.source}")
    return f"{reply.duration_s * 1e6:.0f} us, TTL {reply.ttl}"


def silence_of(missing: str) -> str:
    """A ping that nobody answers."""
    try:
        reply = ping(missing)
    except TimedOutError:
        return "no answer"
    except UnreachableError:
        return "unreachable"
    if not reply.is_unreachable:
        raise Failed(f"{reply.source} answers")
    return "unreachable"


def echo(listener: Listener, name: str, peer: str, port: int) -> str:
    """Send a greeting to the peer, echo what another one sends, and see the greeting come back."""
    greeting = f"{name} greets {peer}. ".encode() * 100
    with connected(peer, port) as outgoing:
        outgoing.no_delay = True
        outgoing.ttl = 32
        outgoing.send_all(greeting)
        outgoing.shutdown("write")
        with listener.accept() as incoming:
            incoming.send_all(incoming.receive_all())
        back = outgoing.receive_all()
        if back != greeting:
            raise Failed(f"{len(back)} bytes came back changed")
        options = f"no-delay {outgoing.no_delay}, keep-alive {outgoing.keep_alive}, TTL {outgoing.ttl}"
        return f"{len(back)} bytes, {options}".replace("True", "true").replace("False", "false")


def connected(peer: str, port: int) -> Connection:
    """A connection, once the peer listens."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return connect((peer, port), timeout_s=PATIENCE_S, keep_alive=True)
        except RefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(BETWEEN_TRIES_S)

"""The scenarios in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address

import scenarios
from ingen_wasm_sdk import (
    Connection,
    EgpEnv,
    Endpoint,
    InvalidError,
    Listener,
    SdkError,
    UdpSocket,
    connect,
    listen,
    lookup,
    open_udp,
    ping,
)

SHORT_S = 0.02
LONG_S = 10.0
CHUNK = 16384

RUNS: dict[str, Callable[..., str]] = {}


@scenarios.export
class Guest(scenarios.Exports):
    """What the world wants."""

    def run(self, scenario: str, arguments: list[str]) -> str:
        try:
            return RUNS[scenario](*arguments)
        except SdkError as error:
            raise scenarios.ResultError(str(error)) from None


def run(function: Callable[..., str]) -> Callable[..., str]:
    """Make a function the scenario of its name. A decorator."""
    RUNS[function.__name__.strip("_").replace("_", "-")] = function
    return function


# --- Arguments and results ------------------------------------------------------------------------------


def failure(function: Callable[..., object], *arguments: object) -> str:
    """What a call fails with."""
    try:
        function(*arguments)
    except SdkError as error:
        return str(error)
    return "success"


def truth(value: bool) -> str:
    return "true" if value else "false"


def joined(items: Iterable[object]) -> str:
    return ",".join(map(str, items))


def listening(local: str) -> Listener:
    listener = listen(Endpoint.parse(local))
    scenarios.report(f"listening {listener.local}")
    return listener


def accepted(local: str) -> Connection:
    with listening(local) as listener:
        return listener.accept()


# --- Addresses, environment, ICMP, DNS ------------------------------------------------------------------


@run
def address(text: str) -> str:
    try:
        found = ip_address(text)
    except ValueError:
        return "no address"
    # Scopes are for those who have interfaces to choose from.
    return "no address" if "%" in text else str(found)


@run
def endpoint(text: str) -> str:
    try:
        return str(Endpoint.parse(text))
    except ValueError:
        return "no endpoint"


@run
def env() -> str:
    env = EgpEnv.get()
    return (
        f"folders={joined(env.vm_data_folders)} process={joined(env.process_data_folders)} "
        f"region={env.region} dc={env.data_center} cluster={env.cluster} host={env.host} "
        f"name={env.vm_name} owner={env.owner} role={env.role} ipv4={env.ipv4 or '-'} ipv6={env.ipv6 or '-'}"
    )


@run
def ping_(target: str, *options: str) -> str:
    given = dict(option.split("=") for option in options)
    numbers = {name: int(given[name]) for name in ("identifier", "sequence", "ttl", "size") if name in given}
    timeout_s = int(given["timeout-ms"]) / 1000 if "timeout-ms" in given else None
    reply = ping(target, source=given.get("source"), timeout_s=timeout_s, **numbers)
    what = {
        reply.is_echo_reply: "echo reply",
        reply.is_unreachable: "unreachable",
        reply.is_time_exceeded: "time exceeded",
    }.get(True, "something else")
    return (
        f"{what} from {reply.source} to {reply.destination} type={reply.icmp_type} code={reply.icmp_code} "
        f"identifier={reply.identifier} sequence={reply.sequence} ttl={reply.ttl} size={reply.packet_size} "
        f"in-time={truth(reply.duration_s < 1)}"
    )


@run
def ping_many(target: str, count: str) -> str:
    address = ip_address(target)
    return f"{sum(ping(address).is_echo_reply for _ in range(int(count)))} answers"


@run
def lookup_(name: str) -> str:
    return joined(lookup(name))


# --- TCP ------------------------------------------------------------------------------------------------


@run
def connect_(remote: str, timeout_ms: str | None = None) -> str:
    timeout_s = None if timeout_ms is None else int(timeout_ms) / 1000
    with connect(Endpoint.parse(remote), timeout_s=timeout_s) as connection:
        return f"connected to {connection.peer}"


@run
def connect_name(name: str, port: str) -> str:
    connect((name, int(port))).close()
    return "connected"


@run
def connect_from(local: str, remote: str) -> str:
    with connect(Endpoint.parse(remote), local=Endpoint.parse(local), reuse_address=True) as connection:
        return f"connected from {connection.local.address}"


@run
def listen_(local: str) -> str:
    with listen(Endpoint.parse(local)) as listener:
        return f"listening {listener.local.address}"


@run
def listen_twice(local: str) -> str:
    with listen(Endpoint.parse(local)) as first:
        taken = first.local
        again = failure(listen, taken)
    return f"{again}, then {failure(lambda: listen(taken, backlog=1, reuse_address=True))}"


@run
def echo_server(local: str, count: str) -> str:
    """Sends what comes back, for some connections, one after the other."""
    total = 0
    with listening(local) as listener:
        for _ in range(int(count)):
            with listener.accept() as connection:
                while data := connection.receive():
                    connection.send_all(data)
                    total += len(data)
    return f"{total} bytes"


@run
def echo_client(remote: str, size: str) -> str:
    there = Endpoint.parse(remote)
    with connect(
        there, timeout_s=LONG_S, keep_alive=True, receive_buffer=65536, send_buffer=65536
    ) as connection:
        before = connection.keep_alive
        connection.keep_alive = False
        connection.no_delay = True
        connection.ttl = 42
        connection.set_timeout(LONG_S)
        peer = connection.peer
        sent = bytes(number % 251 for number in range(int(size)))
        received = b""
        for start in range(0, len(sent), CHUNK):
            chunk = sent[start : start + CHUNK]
            connection.send_all(chunk)
            received += connection.receive_exactly(len(chunk))
        connection.shutdown("write")
        received += connection.receive_all()
        return (
            f"{len(received)} bytes, same={truth(received == sent)} keep-alive={truth(before)},"
            f"{truth(connection.keep_alive)} no-delay={truth(connection.no_delay)} ttl={connection.ttl} "
            f"peer={peer}"
        )


@run
def answer_server(local: str) -> str:
    """Answers once the client has said all that it has to say."""
    with accepted(local) as connection:
        question = connection.receive_all()
        connection.send_all(b"answer to " + question)
        return question.decode()


@run
def answer_client(remote: str) -> str:
    with connect(Endpoint.parse(remote)) as connection:
        connection.send_all(b"question")
        connection.shutdown("write")
        written = failure(connection.send, b"more")
        return f"{connection.receive_all().decode()}, {written}"


@run
def late_server(local: str) -> str:
    """Writes when it is told to: after a byte has come."""
    with accepted(local) as connection:
        connection.receive_exactly(1)
        connection.send_all(b"late")
        connection.receive_all()
    return "done"


@run
def late_client(remote: str) -> str:
    with connect(Endpoint.parse(remote), blocking=False) as connection:
        early = failure(connection.receive)
        connection.set_blocking(True)
        connection.send_all(b"!")
        return f"{early}, then {connection.receive_exactly(4).decode()}"


@run
def accept_would_block(local: str) -> str:
    with listen(Endpoint.parse(local), blocking=False) as listener:
        first = failure(listener.accept)
        listener.set_blocking(True)
        listener.set_timeout(SHORT_S)
        return f"{first}, then {failure(listener.accept)}"


@run
def accept_timeout(local: str) -> str:
    with listen(Endpoint.parse(local)) as listener:
        listener.set_timeout(SHORT_S)
        listener.accept()
    return "accepted"


@run
def silent_server(local: str) -> str:
    """Says and reads nothing until the client has gone."""
    with listening(local) as listener, listener.accept(), listener.accept():
        return "done"


@run
def read_timeout(remote: str) -> str:
    with connect(Endpoint.parse(remote)) as connection:
        connection.set_timeout(SHORT_S)
        result = failure(connection.receive)
        connect(Endpoint.parse(remote)).close()
        return result


@run
def write_would_block(remote: str) -> str:
    data = bytes(65536)
    with connect(Endpoint.parse(remote)) as connection:
        connection.set_blocking(False)
        taken = 0
        while True:
            try:
                taken += connection.send(data)
            except SdkError as error:
                first = str(error)
                break
        connection.set_blocking(True)
        connection.set_timeout(SHORT_S)
        # There may be room for some of it by now, so the timeout may come with the second call.
        second = failure(connection.send_all, data * 64)
        connect(Endpoint.parse(remote)).close()
    return f"{first}, then {second}, some={truth(taken > 0)}"


@run
def reset_server(local: str) -> str:
    """Goes while something is unread, which resets the connection."""
    with accepted(local) as connection:
        connection.receive_exactly(1)
    return "gone"


@run
def reset_client(remote: str) -> str:
    with connect(Endpoint.parse(remote)) as connection:
        connection.send_all(bytes(4096))
        return f"not reset, but {len(connection.receive())} bytes"


@run
def refused_later(remote: str) -> str:
    """A connection that cannot be made says so when it is used."""
    with connect(Endpoint.parse(remote), blocking=False) as connection:
        connection.set_blocking(True)
        return f"{failure(connection.receive)}, {failure(connection.send, b'x')}"


# --- UDP ------------------------------------------------------------------------------------------------


@run
def udp_server(local: str) -> str:
    """Sends datagrams back until an empty one has come."""
    count = 0
    with open_udp(Endpoint.parse(local)) as socket:
        scenarios.report(f"listening {socket.local}")
        while True:
            data, client = socket.receive()
            if not data:
                return f"{count} datagrams"
            socket.send(data, client)
            count += 1


@run
def udp_client(local: str, remote: str) -> str:
    there = Endpoint.parse(remote)
    with open_udp(Endpoint.parse(local)) as socket:
        socket.set_timeout(LONG_S)
        socket.ttl = 33
        socket.send(b"first", there)
        first, client = socket.receive()
        try:
            socket.send(b"nobody")
            without = "success"
        except InvalidError as error:
            without = error.case
        socket.connect(there)
        socket.send(b"second")
        second, _ = socket.receive(3)
        same = client == there == socket.peer
        socket.connect(None)
        socket.send(b"", there)
        return (
            f"{first.decode()} {second.decode()} ttl={socket.ttl} same={truth(same)} without-peer={without}"
        )


@run
def udp_refused(local: str, remote: str) -> str:
    with open_udp(Endpoint.parse(local)) as socket:
        socket.set_timeout(LONG_S)
        socket.connect(Endpoint.parse(remote))
        socket.send(b"anybody?")
        socket.receive()
    return "answered"


@run
def udp_waits(local: str) -> str:
    with open_udp(Endpoint.parse(local), blocking=False) as socket:
        first = failure(socket.receive)
        socket.set_blocking(True)
        socket.set_timeout(SHORT_S)
        return f"{first}, then {failure(socket.receive)}"


@run
def udp_too_long(local: str, remote: str) -> str:
    with open_udp(Endpoint.parse(local)) as socket:
        socket.send(bytes(70000), Endpoint.parse(remote))
    return "sent"


@run
def sockets(local: str, count: str) -> str:
    """Opens sockets until there is an error."""
    opened: list[UdpSocket] = []
    try:
        for _ in range(int(count)):
            opened.append(open_udp(Endpoint.parse(local)))
    finally:
        for socket in opened:
            socket.close()
    return f"{len(opened)} sockets"


# --- For measurements -----------------------------------------------------------------------------------


@run
def bulk_send(remote: str, size: str, chunk: str) -> str:
    data, left = bytes(int(chunk)), int(size)
    with connect(Endpoint.parse(remote)) as connection:
        while left > 0:
            part = data if left >= len(data) else data[:left]
            connection.send_all(part)
            left -= len(part)
        connection.shutdown("write")
        connection.receive_all()
    return f"{size} bytes"


@run
def bulk_receive(local: str) -> str:
    total = 0
    with accepted(local) as connection:
        while data := connection.receive(1 << 18):
            total += len(data)
    return f"{total} bytes"


@run
def round_trips(remote: str, count: str) -> str:
    with connect(Endpoint.parse(remote)) as connection:
        connection.no_delay = True
        for _ in range(int(count)):
            connection.send_all(b"x")
            connection.receive_exactly(1)
    return f"{count} round trips"

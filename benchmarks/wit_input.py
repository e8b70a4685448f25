"""Input for the benchmarks: made-up WIT text, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path


def _vocabulary(text: str) -> list[str]:
    return text.split()


_WORDS = _vocabulary(
    "the a value of this that is not when where it stream handle reads writes returns waits caller callee "
    "host guest bytes length error closed open ready pending until after before each every element order "
    "buffer request response header body address socket clock file directory entry path name flag "
    "option result and or but only must may should never always once again first last zero empty "
    "whole partial success failure implementation limit size count time duration instant moment "
    "resource child parent dropped consumed"
)
_NOUNS = _vocabulary(
    "packet buffer entry header request response socket address clock file directory path token field "
    "body trailer method scheme status channel event timer nonce seed terminal input output network choice"
)
_VERBS = _vocabulary(
    "open close read write flush poll wait bind connect listen accept send receive start finish "
    "append delete clone parse render check subscribe resolve rename link unlink advise sync"
)
_VERSION = "0.2.0"

# Package, its interfaces and its worlds; each comes after those that it may use.
_PACKAGES: dict[str, tuple[list[str], list[str]]] = {
    "io": (["error", "poll", "streams"], ["imports"]),
    "clocks": (["monotonic-clock", "wall-clock", "timezone"], ["imports"]),
    "random": (["random", "insecure", "insecure-seed"], ["imports"]),
    "filesystem": (["types", "preopens"], ["imports"]),
    "sockets": (
        ["network", "instance-network", "ip-name-lookup", "tcp", "tcp-create", "udp", "udp-create"],
        ["imports"],
    ),
    "cli": (["environment", "exit", "run", "stdio", "terminal", "process"], ["command"]),
    "http": (["types", "handler"], ["proxy"]),
}
_FUNCTIONS = 180
_COMMENT_LINES = (8, 14)


class _Writer:
    """Writes the files of `write_wasi_sized`, with random but repeatable contents."""

    def __init__(self) -> None:
        self._random = random.Random(20)

    def prose(self, indent: str, lines: tuple[int, int]) -> Iterator[str]:
        for _ in range(self._random.randint(*lines)):
            sentence = " ".join(self._random.choices(_WORDS, k=self._random.randint(6, 9)))
            yield f"{indent}/// {sentence.capitalize()}."

    def value_type(self, own: list[str]) -> str:
        simple = ["u8", "u32", "u64", "s64", "bool", "string", "list<u8>", "option<string>", *own]
        form = self._random.choice(["{}", "{}", "option<{}>", "list<{}>", "tuple<{}, u32>"])
        return form.format(self._random.choice(simple))

    def function(self, indent: str, name: str, own: list[str]) -> Iterator[str]:
        yield from self.prose(indent, _COMMENT_LINES)
        params = ", ".join(f"p{at}: {self.value_type(own)}" for at in range(self._random.randint(0, 3)))
        # WIT has no borrow in a result.
        value = self.value_type([name for name in own if "<" not in name])
        result = self._random.choice(
            ["", f" -> {value}", f" -> result<{value}, code>", " -> result<_, code>"]
        )
        yield f"{indent}@since(version = {_VERSION})"
        yield f"{indent}{name}: func({params}){result};"

    def interface(self, name: str, uses: list[str], functions: int) -> Iterator[str]:
        noun, other = self._random.sample(_NOUNS, 2)
        own = [f"{noun}-info", f"{noun}-state", f"{noun}-flags"]
        yield from self.prose("", (3, 8))
        yield f"@since(version = {_VERSION})"
        yield f"interface {name} {{"
        for at, used in enumerate(uses):
            yield f"    use {used}.{{code as code{at}, handle as handle{at}}};"
            own += [f"code{at}", f"borrow<handle{at}>"]
        yield from self.prose("    ", (2, 4))
        yield "    enum code { access, busy, closed, not-found, timeout, other }"
        yield f"    record {own[0]} {{"
        for field in self._random.sample(_NOUNS, 4):
            yield from self.prose("        ", (1, 2))
            yield f"        {field}: {self.value_type([])},"
        yield "    }"
        yield f"    variant {own[1]} {{ idle, {noun}(u64), {other}({own[0]}), failed(code) }}"
        yield f"    flags {own[2]} {{ readable, writable, seekable, shared }}"
        yield from self.prose("    ", (2, 4))
        yield "    resource handle {"
        verbs = self._random.sample(_VERBS, functions)
        methods = functions // 2
        for verb in verbs[:methods]:
            yield from self.function("        ", verb, own)
        yield "    }"
        for verb in verbs[methods:]:
            yield from self.function("    ", f"{verb}-{noun}", own)
        yield "}"


def write_wasi_sized(folder: Path) -> str:
    """Write packages of the size of WASI 0.2 http into `folder`; return the name of its world.

    33 files, some 3,300 lines, 180 functions, mostly comments: the main package in `folder` itself,
    six others in `deps/`.
    """
    writer = _Writer()
    interfaces = sum(len(names) for names, _ in _PACKAGES.values())
    share = [_FUNCTIONS // interfaces + (at < _FUNCTIONS % interfaces) for at in range(interfaces)]
    for package, (names, worlds) in _PACKAGES.items():
        place = folder if package == "http" else folder / "deps" / package
        place.mkdir(parents=True, exist_ok=True)
        header = f"package bench:{package}@{_VERSION};\n\n"
        for at, name in enumerate(names):
            uses = [names[0]] if at else []
            if package != "io":
                uses.append(f"bench:io/streams@{_VERSION}")
            lines = writer.interface(name, uses, share.pop())
            (place / f"{name}.wit").write_text(header + "\n".join(lines) + "\n")
        for world in worlds:
            imports = [f"    import {name};\n" for name in names]
            if package == "http":
                imports += [f"    include bench:{other}/{its[1][0]}@{_VERSION};\n" for other, its in _OTHERS]
                imports.append(f"    export {names[-1]};\n")
            (place / f"{world}.wit").write_text(f"{header}world {world} {{\n{''.join(imports)}}}\n")
    return "proxy"


_OTHERS = [(package, its) for package, its in _PACKAGES.items() if package != "http"]


def text_of_size(byte_length: int) -> str:
    """One valid file of about that many bytes: interfaces of ordinary length with types and functions."""
    writer = _Writer()
    parts = ["package bench:size;\n"]
    length = 0
    while length < byte_length:
        part = "\n".join(writer.interface(f"i{len(parts)}", [], 8)).replace(
            f"@since(version = {_VERSION})", ""
        )
        parts.append(part + "\n")
        length += len(part) + 1
    return "".join(parts)


def one_interface(functions: int) -> str:
    """A valid file with that many functions in one interface."""
    body = "".join(f"    fun{at}: func(a: u32, b: list<string>) -> option<u64>;\n" for at in range(functions))
    return f"package bench:size;\ninterface i {{\n{body}}}\n"


def nested_generics(depth: int) -> str:
    """A file with a type nested that deep, which is deeper than WIT allows from 100 on."""
    return f"package bench:size;\ninterface i {{\n    type t = {'list<' * depth}u8{'>' * depth};\n}}\n"


def nested_parentheses(depth: int) -> str:
    """A file with that many open parentheses, which mean nothing in WIT."""
    return f"package bench:size;\ninterface i {{\n    f: func{'(' * depth}{')' * depth};\n}}\n"


def nested_packages(depth: int) -> str:
    """A file with packages nested that deep, which is deeper than WIT allows."""
    return "".join(f"package bench:size{at} {{ " for at in range(depth)) + "}" * depth + "\n"


def nested_comments(depth: int) -> str:
    """A valid file with block comments nested that deep."""
    return f"package bench:size;\n{'/*' * depth}{'*/' * depth}\ninterface i {{}}\n"

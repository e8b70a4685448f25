"""Random WIT packages that are valid by construction, as text.

`generate` makes a few packages that use each other out of a `random.Random`; `packages` is a hypothesis
strategy of the same, which shrinks. Features that are on are called `active`, features that are off
`hidden`; what is gated by a hidden one is never referred to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from ingen_sdkgen.wit.printer import ESCAPED_NAMES, escape_name

KEYS = ("bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "char", "string")
PRIMITIVES = (*KEYS, "f32", "f64", "error-context")
_WORDS = ("a", "b", "c", "x", "foo", "bar", "get", "set", "self", "since", "A", "FOO", "n1", "x2y", "long")
_KEYWORDS = tuple(sorted(ESCAPED_NAMES - {"float32", "float64"}))
_DOCS = (
    "/// One line.",
    "///  Indented\n///    more\n///",
    "///no space",
    "// Not a doc comment, but it counts.",
    "/* Block */",
    "/** Two\n * lines */",
    '/// `code` é 😀 "quotes" \\ */ /*',
    "///\n/// Between empty lines.\n///",
)
_IDS = ("", "id", "https://example.org/?a=b&c", '\\u{e9}\\t\\n\\\\ \\"', "{}//")


@dataclass(frozen=True)
class NamedType:
    """A type that others can use; `borrowing` ones stay out of results and of other types."""

    name: str
    is_resource: bool = False
    borrowing: bool = False


@dataclass
class Interface:
    """An interface that others can use: its path as seen from outside, its types, the interfaces it uses.

    `gate` is what worlds import and export it with: all of them the same, as worlds are joined.
    """

    name: str
    path: str
    gate: str
    types: list[NamedType] = field(default_factory=list)
    uses: list[Interface] = field(default_factory=list)

    def all_uses(self) -> set[int]:
        """The identities of the interfaces that it uses, directly or not."""
        return {id(used) for used in self.uses}.union(*(used.all_uses() for used in self.uses))


@dataclass
class World:
    """A world that others can include: the plain names that it has, those that can be renamed, its exports.

    `labelled` are interfaces that it exports under another name, `inline_uses` what exports that are written
    in place use.
    """

    name: str
    path: str
    names: set[str] = field(default_factory=set)
    renamable: list[str] = field(default_factory=list)
    exports: list[Interface] = field(default_factory=list)
    labelled: list[Interface] = field(default_factory=list)
    inline_uses: list[Interface] = field(default_factory=list)

    def is_sound(self) -> bool:
        """Whether the exports go together.

        Where an export takes types from an interface that is imported, neither this interface nor one that
        it uses may be exported.
        """
        exports = {id(interface) for interface in self.exports}
        every_export = exports.union(map(id, self.labelled))
        pending = list(self.inline_uses)
        for interface in (*self.exports, *self.labelled):
            pending += interface.uses
        while pending:
            used = pending.pop()
            if id(used) in exports:
                pending += used.uses
            elif id(used) in every_export or used.all_uses() & every_export:
                return False
        return True

    def joined(self, other: World) -> World | None:
        """This world with the exports of `other`, if they go together."""
        if not {id(interface) for interface in self.exports}.isdisjoint(map(id, other.exports)):
            return None
        joined = World(
            self.name,
            self.path,
            self.names | other.names,
            self.renamable + other.renamable,
            self.exports + other.exports,
            self.labelled + other.labelled,
            self.inline_uses + other.inline_uses,
        )
        return joined if joined.is_sound() else None


@dataclass
class Package:
    """A package: its path without a version, its version with `@`, what it defines."""

    path: str
    version: str
    interfaces: list[Interface] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)


class Names:
    """Hands out names that differ in more than case and hyphens."""

    def __init__(self, random: Random, taken: Sequence[str] = ()) -> None:
        self.random = random
        self.taken = {_folded(name) for name in taken}

    def new(self) -> str:
        random = self.random
        while True:
            if random.randrange(6) == 0:
                name = random.choice(_KEYWORDS)
            else:
                name = "-".join(random.choice(_WORDS) for _ in range(random.choice((1, 1, 2, 3))))
                if random.randrange(3) == 0:
                    name += f"-{random.randrange(100)}"
            if _folded(name) not in self.taken:
                self.taken.add(_folded(name))
                return name


def _folded(name: str) -> str:
    return name.lower().replace("-", "")


class Generator:
    """Writes packages. A method that writes an item returns its text."""

    def __init__(self, random: Random, namespace: str) -> None:
        self.random = random
        self.namespace = namespace
        self.packages: list[Package] = []
        self.version = ""

    def chance(self, in_how_many: int) -> bool:
        return self.random.randrange(in_how_many) == 0

    # --- Annotations --------------------------------------------------------------------------------------

    def docs(self) -> str:
        return self.random.choice(_DOCS) + "\n" if self.chance(6) else ""

    def gate(self) -> str:
        """Nothing, or a gate that lets the item in."""
        if not self.chance(8):
            return ""
        deprecated = ""
        if self.version and self.chance(2):
            deprecated = "@deprecated(version = 0.2.0)\n" if self.chance(2) else ""
            return f"@since(version = 0.{self.random.randrange(3)}.0)\n{deprecated}"
        return "@unstable(feature = active)\n"

    def external_id(self) -> str:
        return f'@external-id("{self.random.choice(_IDS)}")\n' if self.chance(12) else ""

    def prefix(self) -> str:
        return self.docs() + self.gate() + self.external_id()

    # --- Types --------------------------------------------------------------------------------------------

    def type(self, visible: Sequence[NamedType], depth: int = 0, *, borrow: bool = False) -> str:
        """A type in place. With `borrow` it can be or contain a borrowed handle."""
        random = self.random
        named = [type_ for type_ in visible if borrow or not type_.borrowing]
        if depth > 2 or self.chance(3):
            if named and self.chance(2):
                return self.named(random.choice(named), borrow)
            return random.choice(PRIMITIVES)

        def inner(*, borrow: bool = borrow) -> str:
            return self.type(visible, depth + 1, borrow=borrow)

        match random.randrange(11):
            case 0:
                return f"list<{inner()}>"
            case 1:
                return f"list<{inner()}, {random.choice((1, 3, 1000))}>"
            case 2:
                return f"option<{inner()}>"
            case 3:
                return f"tuple<{', '.join(inner() for _ in range(random.randrange(1, 4)))}>"
            case 4:
                return random.choice(("result", f"result<{inner()}>", f"result<_, {inner()}>"))
            case 5:
                return f"result<{inner()}, {inner()}>"
            case 6:
                return f"map<{random.choice(KEYS)}, {inner()}>"
            case 7:
                return random.choice(("future", f"future<{inner(borrow=False)}>"))
            case 8:
                return random.choice(("stream", f"stream<{inner(borrow=False)}>"))
            case _:
                return self.named(random.choice(named), borrow) if named else "string"

    def named(self, type_: NamedType, borrow: bool) -> str:
        name = escape_name(type_.name)
        if not type_.is_resource:
            return name
        return self.random.choice((name, f"own<{name}>", f"borrow<{name}>" if borrow else name))

    def type_def(self, names: Names, visible: list[NamedType]) -> str:
        """A definition; its name becomes visible."""
        random = self.random
        name = names.new()
        keyword = escape_name(name)
        resources = [type_ for type_ in visible if type_.is_resource]
        new = NamedType(name)
        prefix = self.prefix()
        match random.randrange(9):
            case 0 | 1:
                fields = Names(random)
                body = [
                    f"{self.docs()}{escape_name(fields.new())}: {self.type(visible)}"
                    for _ in range(random.randrange(1, 4))
                ]
                text = f"record {keyword} {{ {self.listed(body)} }}"
            case 2:
                cases = Names(random)
                body = [
                    self.docs()
                    + escape_name(cases.new())
                    + (f"({self.type(visible)})" if self.chance(2) else "")
                    for _ in range(random.randrange(1, 4))
                ]
                text = f"variant {keyword} {{ {self.listed(body)} }}"
            case 3 | 4:
                cases = Names(random)
                body = [f"{self.docs()}{escape_name(cases.new())}" for _ in range(random.randrange(1, 6))]
                text = f"{random.choice(('enum', 'flags'))} {keyword} {{ {self.listed(body)} }}"
            case 5 if resources:
                resource = escape_name(random.choice(resources).name)
                kind = random.choice(("own", "borrow", ""))
                new = NamedType(name, is_resource=not kind, borrowing=kind == "borrow")
                text = f"type {keyword} = {f'{kind}<{resource}>' if kind else resource};"
            case 6 | 7:
                new = NamedType(name, is_resource=True)
                # Its functions can refer to it.
                visible.append(new)
                return prefix + self.resource(name, visible)
            case _:
                written = self.type(visible)
                target = next((type_ for type_ in visible if escape_name(type_.name) == written), None)
                new = NamedType(name, is_resource=target is not None and target.is_resource)
                text = f"type {keyword} = {written};"
        visible.append(new)
        return prefix + text

    def listed(self, items: list[str]) -> str:
        return ", ".join(items) + ("," if self.chance(2) else "")

    def resource(self, name: str, visible: list[NamedType]) -> str:
        random = self.random
        if self.chance(4):
            return f"resource {escape_name(name)}{random.choice((';', ' {}'))}"
        names = Names(random, [name])
        body = []
        if self.chance(2):
            result = random.choice(("", "", f" -> result<{escape_name(name)}, {self.type(visible)}>"))
            body.append(f"{self.prefix()}constructor({self.params(visible)}){result};")
        for _ in range(random.randrange(4)):
            static = random.choice(("", "", "static "))
            body += self.function(names, visible, static)
        random.shuffle(body)
        return f"resource {escape_name(name)} {{\n{chr(10).join(body)}\n}}"

    # --- Functions ----------------------------------------------------------------------------------------

    def params(self, visible: Sequence[NamedType]) -> str:
        # `self` is what a method's own first parameter is called.
        names = Names(self.random, ["self"])
        params = [
            f"{escape_name(names.new())}: {self.type(visible, borrow=True)}"
            for _ in range(self.random.choice((0, 1, 1, 2, 3)))
        ]
        return self.listed(params) if params else ""

    def signature(self, visible: Sequence[NamedType], static: str = "") -> str:
        async_ = "async " if self.chance(5) else ""
        result = f" -> {self.type(visible)}" if self.chance(2) else ""
        return f"{static}{async_}func({self.params(visible)}){result}"

    def function(
        self, names: Names, visible: Sequence[NamedType], static: str = "", direction: str = ""
    ) -> list[str]:
        """A function, or a getter with perhaps a setter."""
        name = escape_name(names.new())
        if self.chance(10):
            # Feature `hidden` is off, so nobody may miss it.
            hidden = f"@unstable(feature = hidden)\n{direction}{name}: {self.signature(visible, static)};"
            return [hidden]
        if self.chance(6):
            gate = self.gate()
            type_ = self.type(visible)
            both = [f"{self.docs()}{gate}{direction}{name}: {static}get() -> {type_};"]
            if self.chance(2):
                result = self.random.choice(("", "", " -> result", f" -> result<_, {self.type(visible)}>"))
                both.append(
                    f"{self.docs()}{gate}{self.external_id()}"
                    f"{direction}{name}: {static}set(value: {type_}){result};"
                )
            return both
        return [f"{self.prefix()}{direction}{name}: {self.signature(visible, static)};"]

    # --- Interfaces ---------------------------------------------------------------------------------------

    def usable(self, package: Package) -> list[Interface]:
        """The interfaces that a part of `package` can use now, those with types."""
        known = [interface for other in self.packages for interface in other.interfaces]
        return [interface for interface in (*known, *package.interfaces) if interface.types]

    def path(self, interface: Interface, package: Package) -> str:
        return escape_name(interface.name) if interface in package.interfaces else interface.path

    def uses(
        self, names: Names, visible: list[NamedType], package: Package, *, of_world: bool = False
    ) -> tuple[list[str], list[Interface]]:
        """Some `use` statements; what they bring in becomes visible."""
        texts, used = [], []
        usable = self.usable(package)
        for _ in range(self.random.choice((0, 0, 1, 2)) if usable else 0):
            interface = self.random.choice(usable)
            chosen = self.random.sample(interface.types, self.random.randrange(1, len(interface.types) + 1))
            items = []
            for type_ in chosen:
                name = type_.name
                if _folded(name) in names.taken or self.chance(3):
                    name = names.new()
                    items.append(f"{escape_name(type_.name)} as {escape_name(name)}")
                else:
                    names.taken.add(_folded(name))
                    items.append(escape_name(name))
                visible.append(NamedType(name, type_.is_resource, type_.borrowing))
            # A world imports the interface with the gate, which has to be the same everywhere.
            prefix = ("" if of_world else self.gate()) + self.external_id()
            texts.append(f"{prefix}use {self.path(interface, package)}.{{{self.listed(items)}}};")
            used.append(interface)
        return texts, used

    def interface_body(self, package: Package) -> tuple[str, list[NamedType], list[Interface]]:
        names = Names(self.random)
        visible: list[NamedType] = []
        items, used = self.uses(names, visible, package)
        for _ in range(self.random.choice((0, 1, 2, 3, 5))):
            items.append(self.type_def(names, visible))
        for _ in range(self.random.choice((0, 1, 2, 4))):
            items += self.function(names, visible)
        # What is defined can be used before.
        self.random.shuffle(items)
        return "{\n" + "\n".join(items) + "\n}", visible, used

    def interface(self, names: Names, package: Package) -> str:
        random = self.random
        name = names.new()
        body, types, used = self.interface_body(package)
        path = f"{package.path}/{escape_name(name)}{package.version}"
        gate = random.choice(("", "", "", "@unstable(feature = active)\n"))
        package.interfaces.append(Interface(name, path, gate, types, used))
        return f"{self.docs()}{self.gate()}interface {escape_name(name)} {body}"

    # --- Worlds -------------------------------------------------------------------------------------------

    def world(self, names: Names, package: Package) -> str:
        random = self.random
        name = names.new()
        plain = Names(random)
        visible: list[NamedType] = []
        world = World(name, f"{package.path}/{escape_name(name)}{package.version}")
        items, world = self.includes(world, plain, package)
        texts, _ = self.uses(plain, visible, package, of_world=True)
        items += texts
        items += [self.type_def(plain, visible) for _ in range(random.choice((0, 0, 1, 2)))]
        for direction in ("import ", "export "):
            for _ in range(random.randrange(3)):
                items += self.function(plain, visible, direction=direction)
        if self.chance(6):
            both = escape_name(plain.new())
            items.append(f"import {both}: {self.signature(visible)};")
            items.append(f"export {both}: {self.signature(visible)};")
        for direction in ("import", "export"):
            texts, world = self.world_interfaces(world, plain, package, direction)
            items += texts
        world.names |= plain.taken
        random.shuffle(items)
        package.worlds.append(world)
        return f"{self.docs()}{self.gate()}world {escape_name(name)} {{\n{chr(10).join(items)}\n}}"

    def world_interfaces(
        self, world: World, plain: Names, package: Package, direction: str
    ) -> tuple[list[str], World]:
        random = self.random
        items = []
        every = [interface for known in (*self.packages, package) for interface in known.interfaces]
        for interface in random.sample(every, min(len(every), random.randrange(3))):
            grown = world.joined(World("", "", exports=[interface] if direction == "export" else []))
            if grown is not None:
                world = grown
                path = self.path(interface, package)
                items.append(f"{self.docs()}{interface.gate}{direction} {path};")
        if every and self.chance(4):
            interface = random.choice(every)
            label = plain.new()
            labelled = [interface] if direction == "export" else []
            grown = world.joined(World("", "", renamable=[label], labelled=labelled))
            if grown is not None:
                world = grown
                path = self.path(interface, package)
                gate = self.gate() if not interface.uses else ""
                items.append(
                    f"{self.docs()}{gate}{self.external_id()}{direction} {escape_name(label)}: {path};"
                )
        if self.chance(3):
            label = plain.new()
            body, _, used = self.interface_body(package)
            grown = world.joined(
                World("", "", renamable=[label], inline_uses=used if direction == "export" else [])
            )
            if grown is not None:
                world = grown
                # What it uses is imported with its gate, and has to be with the same one everywhere.
                gate = self.gate() if not used else ""
                prefix = f"{self.docs()}{gate}{self.external_id()}{direction}"
                items.append(f"{prefix} {escape_name(label)}: interface {body}")
        return items, world

    def includes(self, world: World, plain: Names, package: Package) -> tuple[list[str], World]:
        items = []
        every = [other for known in (*self.packages, package) for other in known.worlds]
        for _ in range(self.random.choice((0, 0, 0, 1, 2)) if every else 0):
            other = self.random.choice(every)
            grown = world.joined(other)
            if grown is None or other.names & plain.taken:
                continue
            plain.taken |= other.names
            renamed = []
            for label in other.renamable:
                if self.chance(2):
                    new = plain.new()
                    renamed.append(f"{escape_name(label)} as {escape_name(new)}")
                    grown.renamable.remove(label)
                    grown.renamable.append(new)
            world = grown
            path = escape_name(other.name) if other in package.worlds else other.path
            tail = f" with {{ {self.listed(renamed)} }}" if renamed else ";"
            items.append(f"{self.gate()}include {path}{tail}")
        return items, world

    # --- Packages -----------------------------------------------------------------------------------------

    def package(self, number: int) -> str:
        random = self.random
        self.version = random.choice(("", "", "@0.3.0", "@1.2.3-rc.1+build"))
        name = f"{self.namespace}:p{number}"
        package = Package(name, self.version)
        names = Names(random)
        items = [self.interface(names, package) for _ in range(random.choice((1, 2, 3, 4)))]
        items += [self.world(names, package) for _ in range(random.choice((0, 1, 2)))]
        random.shuffle(items)
        self.packages.append(package)
        return f"{self.docs()}package {name}{self.version} {{\n" + "\n".join(items) + "\n}\n"


def generate(random: Random, namespace: str) -> str:
    """One to three packages of `namespace` that use each other, as nested packages."""
    generator = Generator(random, namespace)
    texts = [generator.package(number) for number in range(random.choice((1, 1, 2, 3)))]
    random.shuffle(texts)
    return "".join(texts)


def document(texts: Sequence[str]) -> str:
    """A file of nested packages."""
    return "package main:main;\n" + "".join(texts)


def packages(namespace: str = "n") -> st.SearchStrategy[str]:
    """What `generate` makes, as a strategy."""
    return st.randoms(use_true_random=False).map(lambda random: generate(random, namespace))

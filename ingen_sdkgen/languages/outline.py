"""A world as templates without a view of their own see it: names, documentation, types as WIT writes them.

Nothing in it is about one language. What a type is made of can be walked (`TypeUse`), so a template may also
give types other names than WIT's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


class Name(str):
    """A name as WIT has it, kebab-case, that knows how others would write it."""

    __slots__ = ()

    @property
    def snake(self) -> str:
        """`http_request`"""
        return "_".join(_words(self))

    @property
    def upper_snake(self) -> str:
        """`HTTP_REQUEST`"""
        return self.snake.upper()

    @property
    def camel(self) -> str:
        """`httpRequest`"""
        first, *rest = _words(self)
        return first + "".join(word.capitalize() for word in rest)

    @property
    def pascal(self) -> str:
        """`HttpRequest`"""
        return "".join(word.capitalize() for word in _words(self))


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A type where it is used.

    `kind` is `named` for a type that has a name, the keyword of a primitive, or `list`, `fixed-length-list`,
    `option`, `result`, `tuple`, `map`, `future`, `stream`, `own` or `borrow`. `text` is how WIT writes it.
    """

    kind: str
    text: str
    parts: tuple[TypeUse, ...] = ()
    """What it is made of, in order; for a result see `ok` and `err`."""
    ok: TypeUse | None = None
    err: TypeUse | None = None
    length: int | None = None
    """Of a list of fixed length."""
    name: Name | None = None
    """Of a named type; what it is defined in is `owner`."""
    owner: str | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Member:
    """A field, case or flag; the type is None for a flag and for a case without a value."""

    name: Name
    type: TypeUse | None
    docs: str


@dataclass(frozen=True, slots=True)
class ParamOutline:
    """A parameter."""

    name: Name
    type: TypeUse


@dataclass(frozen=True, slots=True)
class FunctionOutline:
    """A function; `self` is not among a method's parameters.

    `kind` is `function`, `method`, `static`, `constructor`, `getter` or `setter`; `text` is the signature as
    WIT writes it.
    """

    name: Name
    kind: str
    params: tuple[ParamOutline, ...]
    result: TypeUse | None
    is_async: bool
    text: str
    docs: str
    since: str | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A type that has a name.

    `kind` is `record`, `variant`, `enum`, `flags`, `resource`, `use` for what another interface defines, or
    `type` for another name of a type. `target` is the type that the last two stand for.
    """

    name: Name
    kind: str
    members: tuple[Member, ...]
    functions: tuple[FunctionOutline, ...]
    """Of a resource."""
    target: TypeUse | None
    docs: str
    since: str | None


@dataclass(frozen=True, slots=True)
class InterfaceOutline:
    """An interface, as a world names it."""

    name: Name
    full_name: str
    """With its package and version; the plain name where the world has given it one."""
    types: tuple[Definition, ...]
    functions: tuple[FunctionOutline, ...]
    """Those that belong to no resource."""
    docs: str
    since: str | None

    @property
    def file_name(self) -> Name:
        """The full name without what file systems do not like: `wasi-io-streams-0.2.0`."""
        return Name(re.sub(r"[^0-9A-Za-z.]+", "-", self.full_name))


@dataclass(frozen=True, slots=True)
class WorldOutline:
    """A world. Documentation is empty where there is none."""

    name: Name
    full_name: str
    package: str
    imports: tuple[InterfaceOutline, ...]
    exports: tuple[InterfaceOutline, ...]
    imported_functions: tuple[FunctionOutline, ...]
    exported_functions: tuple[FunctionOutline, ...]
    types: tuple[Definition, ...]
    docs: str
    package_docs: str

    @property
    def interfaces(self) -> tuple[InterfaceOutline, ...]:
        """All interfaces, those that are imported and exported once."""
        return tuple({item.full_name: item for item in [*self.imports, *self.exports]}.values())


def _words(name: str) -> list[str]:
    return [word.lower() for word in _SEPARATOR.split(name) if word] or [""]

"""The names of imports and exports: their grammar, when two conflict, and which version satisfies which.

Source: component-model Explainer.md, "Import and Export Definitions" and "Canonical Interface Name".
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import TypeAlias

from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.frozen import frozen

_WORD = r"(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)"
_LATER_WORD = r"(?:[0-9a-z]+|[0-9A-Z]+)"
_LABEL = re.compile(rf"{_WORD}(?:-{_LATER_WORD})*")
_LOWER_LABEL = re.compile(r"[a-z][0-9a-z]*(?:-[0-9a-z]+)*")
_SEMVER = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?:-(?P<pre>(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


class InvalidNameError(Exception):
    """A name that the grammar does not allow; the message says why."""


class Annotation(enum.Enum):
    """What a plain name in brackets says of a function; the value is the text in the brackets."""

    CONSTRUCTOR = "constructor"
    METHOD = "method"
    STATIC = "static"


class Accessor(enum.Enum):
    """What a function does with an attribute; the value is the text in the brackets."""

    GET = "get"
    SET = "set"


@frozen
class PlainName:
    """A label."""

    label: str
    accessor: Accessor | None = None


@frozen
class AnnotatedName:
    """A function that belongs to a resource; `label` is None for a constructor."""

    annotation: Annotation
    resource: str
    label: str | None
    accessor: Accessor | None = None


@frozen
class InterfaceName:
    """An interface in a package: `namespace:package/projection@version`."""

    namespace: str
    package: str
    projection: str
    version: str | None


ParsedName: TypeAlias = PlainName | AnnotatedName | InterfaceName


def check_label(label: str) -> None:
    """Check that a label is in kebab case.

    Raises: InvalidNameError.
    """
    if not label:
        raise InvalidNameError("a label cannot be empty")
    if not _LABEL.fullmatch(label):
        raise InvalidNameError(f"`{label}` is not in kebab case")


def _check_lower_label(label: str) -> None:
    if not _LOWER_LABEL.fullmatch(label):
        raise InvalidNameError(f"`{label}` is not in lower kebab case")


@lru_cache(maxsize=4096)  # asked again for each instance of a component
def parse_name(name: str) -> ParsedName:
    """Parse the name of an import or export.

    Raises: InvalidNameError.
    """
    if name.startswith("["):
        return _parse_annotated(name)
    if ":" in name:
        return parse_interface_name(name)
    check_label(name)
    return PlainName(name)


def _parse_annotated(name: str) -> PlainName | AnnotatedName:
    keywords = re.match(r"(?:\[(constructor|method|static)\])?(?:\[(get|set)\])?", name)
    if keywords is None or not keywords[0] or (keywords[1] == "constructor" and keywords[2]):
        raise InvalidNameError(f"`{name}` is not in kebab case")
    rest = name[keywords.end() :]
    accessor = None if keywords[2] is None else Accessor(keywords[2])
    if keywords[1] is None:
        check_label(rest)
        return PlainName(rest, accessor)
    annotation = Annotation(keywords[1])
    if annotation is Annotation.CONSTRUCTOR:
        check_label(rest)
        return AnnotatedName(annotation, rest, None)
    resource, dot, label = rest.partition(".")
    if not dot:
        raise InvalidNameError(f"`{name}` has no `.` between resource and function")
    check_label(resource)
    check_label(label)
    return AnnotatedName(annotation, resource, label, accessor)


def parse_interface_name(name: str) -> InterfaceName:
    """Parse `namespace:package/projection@version`.

    Raises: InvalidNameError.
    """
    namespace, colon, rest = name.partition(":")
    if not colon:
        raise InvalidNameError(f"`{name}` is no interface name: it has no `:`")
    path, at, version = rest.partition("@")
    package, slash, projection = path.partition("/")
    _check_lower_label(namespace)
    _check_lower_label(package)
    if not slash:
        raise InvalidNameError(f"`{name}` is no interface name: expected `/` after the package's name")
    check_label(projection)
    if at and not _SEMVER.fullmatch(version):
        raise InvalidNameError(f"`{version}` is no semantic version")
    return InterfaceName(namespace, package, projection, version if at else None)


def unique_key(name: ParsedName, text: str) -> str:
    """What must differ between the names of one scope.

    Labels count without case. A method or static function `l.l` conflicts with a plain `l`; a constructor
    of `l` does not. A getter is like any function of its label, a setter stands beside its getter.

    Source: Explainer.md, "strongly-unique".
    """
    match name:
        case PlainName(accessor=Accessor.SET) | AnnotatedName(accessor=Accessor.SET):
            return text.lower()
        case PlainName(label):
            return label.lower()
        case AnnotatedName(Annotation.CONSTRUCTOR, resource):
            return f"[constructor]{resource}".lower()
        case AnnotatedName(resource=resource, label=label):
            lower_resource, lower_label = resource.lower(), (label or "").lower()
            return lower_resource if lower_resource == lower_label else f"{lower_resource}.{lower_label}"
        case InterfaceName():
            return text.lower()


def function_attribute(name: PlainName | AnnotatedName) -> str:
    """What Python calls a function: `max-speed` is `max_speed`, its setter `set_max_speed`."""
    assert name.label is not None, "a constructor is called as its class"
    attribute = attribute_name(name.label)
    return f"set_{attribute.rstrip('_')}" if name.accessor is Accessor.SET else attribute


@lru_cache(maxsize=4096)
def compatible_track(name: str) -> str | None:
    """An interface name with its version cut to what semver-compatible versions share, or None.

    Versions `1.x.y` share `@1`, `0.2.x` share `@0.2`, `0.0.3` stands alone, as pre-releases do. None where
    the name has no version, or no other version is compatible.
    """
    path, at, version = name.partition("@")
    if not at:
        return None
    match = _SEMVER.fullmatch(version)
    if match is None or match["pre"] is not None:
        return None
    if match["major"] != "0":
        return f"{path}@{match['major']}"
    if match["minor"] != "0":
        return f"{path}@0.{match['minor']}"
    return None


def version_order(name: str) -> tuple[int, int, int]:
    """The version of an interface name as numbers; zeros where it has none."""
    match = _SEMVER.fullmatch(name.partition("@")[2])
    if match is None:
        return (0, 0, 0)
    return int(match["major"]), int(match["minor"]), int(match["patch"])

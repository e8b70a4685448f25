"""The names of imports and exports, taken apart.

Source: Explainer.md, "Import and Export Definitions" and "Name Uniqueness".
"""

from __future__ import annotations

import re

from ingen_runtime.component.binary import syntax as s
from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.model import FunctionShape, PackageName

_LABEL = r"(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:[a-z0-9]+|[A-Z0-9]+))*"
_LABEL_PATTERN = re.compile(_LABEL)
# Package and namespace names are lower case; the version is checked no further than that it can be printed.
_INTERFACE_PATTERN = re.compile(
    rf"([a-z][a-z0-9]*(?:-[a-z0-9]+)*):([a-z][a-z0-9]*(?:-[a-z0-9]+)*)/({_LABEL})(?:@([0-9A-Za-z.+-]+))?"
)
_FUNCTION_PATTERN = re.compile(
    rf"(?P<freestanding>{_LABEL})"
    rf"|\[constructor\](?P<constructor>{_LABEL})"
    rf"|(?P<prefix>\[method\]|\[static\])(?P<member>\[get\]|\[set\])?(?P<resource>{_LABEL})\.{_LABEL}"
    rf"|(?P<accessor>\[get\]|\[set\]){_LABEL}"
)
_SHAPES = {
    ("[method]", None): FunctionShape.METHOD,
    ("[method]", "[get]"): FunctionShape.METHOD_GETTER,
    ("[method]", "[set]"): FunctionShape.METHOD_SETTER,
    ("[static]", None): FunctionShape.STATIC,
    ("[static]", "[get]"): FunctionShape.STATIC_GETTER,
    ("[static]", "[set]"): FunctionShape.STATIC_SETTER,
    (None, "[get]"): FunctionShape.GETTER,
    (None, "[set]"): FunctionShape.SETTER,
}
_ASYNC = {
    FunctionShape.FREESTANDING: FunctionShape.ASYNC_FREESTANDING,
    FunctionShape.METHOD: FunctionShape.ASYNC_METHOD,
    FunctionShape.STATIC: FunctionShape.ASYNC_STATIC,
}


def full_name(name: s.ExternName) -> str:
    """The name with its whole version, where a part of that stands in an attribute."""
    return name.name + (name.version_suffix or "")


def is_label(name: str) -> bool:
    """Whether `name` is a plain name: kebab-case."""
    return _LABEL_PATTERN.fullmatch(name) is not None


def check_label(name: str, what: str, offset: int | None) -> str:
    """`name`, if it is a plain name.

    Raises: ComponentFormatError, if it is not.
    """
    if not is_label(name):
        raise ComponentFormatError(f"`{name}` is not in kebab case, as the name of {what} must be", offset)
    return name


def parse_interface_name(name: str, offset: int) -> tuple[PackageName, str]:
    """The package and the plain name of an interface or world that is named in full.

    Raises: ComponentFormatError, if it is no such name.
    """
    match = _INTERFACE_PATTERN.fullmatch(name)
    if match is None:
        raise ComponentFormatError(f"`{name}` is not the full name of an interface or world", offset)
    namespace, package, interface, version = match.groups()
    return PackageName(namespace, package, version), interface


def parse_function_name(name: str, is_async: bool, offset: int) -> tuple[FunctionShape, str | None]:
    """The shape of a function, and the name of the resource that it belongs to.

    Raises: ComponentFormatError, if it is no function's name, or if such a function cannot be async.
    """
    match = _FUNCTION_PATTERN.fullmatch(name)
    if match is None:
        raise ComponentFormatError(f"`{name}` is not the name of a function", offset)
    resource = match["constructor"] or match["resource"]
    if match["freestanding"] is not None:
        shape = FunctionShape.FREESTANDING
    elif match["constructor"] is not None:
        shape = FunctionShape.CONSTRUCTOR
    else:
        shape = _SHAPES[match["prefix"], match["member"] or match["accessor"]]
    if is_async:
        if shape not in _ASYNC:
            raise ComponentFormatError(f"`{name}` cannot be async", offset)
        shape = _ASYNC[shape]
    return shape, resource

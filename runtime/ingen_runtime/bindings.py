"""What generated host bindings stand on: the names here are all that they import from the runtime.

A binding has a class for each world and for each interface, with functions that call the guest. What the
binding was generated for is compared with the component when it is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from ingen_runtime.canonical import Err, GuestResource, Ok, ResourceHandle, ResultError, Some, ValueClasses
from ingen_runtime.component.component import Component
from ingen_runtime.component.entities import FuncEntity, InstanceType
from ingen_runtime.component.exports import Exports
from ingen_runtime.component.fingerprints import Fingerprints
from ingen_runtime.component.host_imports import Implementation, find_import
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.linker import Linker
from ingen_runtime.component.type_text import func_type_text
from ingen_runtime.errors import LinkError

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.host_ends import FutureReader, StreamReader, StreamWriter

__all__ = [
    "Component",
    "Err",
    "ExportedResource",
    "Exports",
    "Functions",
    "FutureReader",
    "Implementation",
    "Instance",
    "Ok",
    "ResultError",
    "Some",
    "StreamReader",
    "StreamWriter",
    "ValueClasses",
    "bind_resource",
    "compile_component",
    "functions",
    "implementations",
    "instance",
    "instantiate",
    "instantiate_async",
]

_R = TypeVar("_R", bound="ExportedResource")


def __getattr__(name: str) -> Any:
    if name in ("FutureReader", "StreamReader", "StreamWriter"):
        # Late: slow to import, and most bindings have none.
        from ingen_runtime.component.concurrency import host_ends

        return getattr(host_ends, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Functions(dict[str, Any]):
    """The functions of an exported instance by name, each bound when it is first asked for.

    With `asynchronous` they are awaited, and can wait in `async def` host functions.
    """

    def __init__(self, exports: Exports, *, asynchronous: bool = False) -> None:
        super().__init__()
        self._exports = exports
        self._asynchronous = asynchronous

    def __missing__(self, name: str) -> Any:
        found = self._exports[name]
        bound = self[name] = found.call_async if self._asynchronous else found
        return bound


def functions(
    exports: Exports, expected: Mapping[str, tuple[str, str]], *, asynchronous: bool = False
) -> Functions:
    """Exported functions, whose types are those that a binding was generated for: `expected` has for each
    its type as text, and the type's fingerprint.

    Raises: LinkError, where one is missing or has another type.
    """
    fingerprints = Fingerprints()
    for name, wanted in expected.items():
        entity = exports.instance_type.exports.get(name)
        if not isinstance(entity, FuncEntity):
            raise LinkError(f"the component does not export the function `{name}`", name)
        _compare(entity, name, wanted, fingerprints)
    return Functions(exports, asynchronous=asynchronous)


def _compare(func: FuncEntity, name: str, wanted: tuple[str, str], fingerprints: Fingerprints) -> None:
    type_, fingerprint = wanted
    if fingerprints.of_function(func.type) == fingerprint:
        return
    text = func_type_text(func.type)
    if text != type_:
        raise LinkError(f"the function `{name}` is `{text}`, and the binding is for `{type_}`", name)
    text = func_type_text(func.type, expand=True)
    raise LinkError(
        f"the function `{name}` is `{text}`, and the binding is for another content of `{type_}`", name
    )


def _check_imports(component: Component, imported: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
    """Check that the functions which a component imports have the types that a binding was generated for.

    `imported` has what `functions` expects, by interface; under an empty name that of the world itself.
    """
    fingerprints = Fingerprints()
    for name, extern in component.plan.type.imports.items():
        if isinstance(extern, FuncEntity):
            found, known = {name: extern}, imported[""]
        elif isinstance(extern, InstanceType):
            found = {label: func for label, func in extern.exports.items() if isinstance(func, FuncEntity)}
            try:
                known = find_import(imported, component.plan.import_names[name])
            except LookupError:
                continue
        else:
            continue
        for label, func in found.items():
            if label in known:
                within = f"{name}#{label}" if isinstance(extern, InstanceType) else label
                _compare(func, within, known[label], fingerprints)


class _Unbound:
    def __getitem__(self, name: str) -> NoReturn:
        raise TypeError(f"`{name}` is a function of an instance: take the class from there")


class ExportedResource(ResourceHandle):
    """A resource of a guest; the base of the classes that bindings have for them.

    Use it as a context manager, or call `drop`, to give it up.
    """

    __slots__ = ()

    _ingen_functions: ClassVar[Any] = _Unbound()

    def _ingen_adopt(self, made: Any) -> None:
        """Become the resource that a constructor has returned."""
        ResourceHandle.__init__(self, made._ingen_resource, made._ingen_rep, made._ingen_own)
        made._ingen_resource = None


def bind_resource(exports: Exports, bound: Functions, name: str, class_: type[_R]) -> type[_R]:
    """A subclass of `class_` that calls `bound` functions, and that the guest's resources are objects of.

    Raises: LinkError, where the instance exports no such resource.
    """
    item = exports.item.exports.get(name)
    if not isinstance(item, GuestResource):
        raise LinkError(f"the component does not export the resource `{name}`", name)
    members = {"__slots__": (), "__doc__": class_.__doc__, "_ingen_functions": bound}
    public = type(class_.__name__, (class_,), members)
    received = type(class_.__name__, (public,), {"__slots__": (), "__init__": ResourceHandle.__init__})
    item.class_ = received
    return cast("type[_R]", public)


def implementations(host: object, within: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    """What `host` has for imported items: for each name the attribute that implements it.

    `within` is the interface that the names are of; empty for those of the world.

    Raises: LinkError that names all that it does not have.
    """
    missing = [name for name, attribute in attributes.items() if not hasattr(host, attribute)]
    if missing:
        names = [f"`{within}#{name}`" if within else f"`{name}`" for name in missing]
        wanted = ", ".join(attributes[name] for name in missing)
        raise LinkError(
            f"{type(host).__name__} does not implement {', '.join(names)}: it lacks {wanted}", names[0][1:-1]
        )
    return {name: getattr(host, attribute) for name, attribute in attributes.items()}


def instance(exports: Exports, name: str) -> Exports:
    """An exported instance.

    Raises: LinkError, where it is missing.
    """
    if name not in exports or not isinstance(exports[name], Exports):
        raise LinkError(f"the component does not export the interface `{name}`", name)
    return cast(Exports, exports[name])


def compile_component(source: bytes | str | os.PathLike[str], classes: ValueClasses) -> Component:
    """A component, compiled, to be instantiated many times.

    Raises: OSError, ComponentFormatError.
    """
    return _component(source, classes)


def _component(source: Component | bytes | str | os.PathLike[str], classes: ValueClasses) -> Component:
    match source:
        case Component():
            return source
        case bytes():
            return Component.from_bytes(source, classes=classes)
        case _:
            return Component.from_file(source, classes=classes)


def instantiate(
    source: Component | bytes | str | os.PathLike[str],
    classes: ValueClasses,
    imports: Mapping[str, Any],
    imported: Mapping[str, Mapping[str, tuple[str, str]]],
) -> Instance:
    """An instance of a component that is in a file, in memory, or compiled already, and whose imports have
    the types that `imported` says, by interface.

    Raises: OSError, ComponentFormatError, LinkError, Trap.
    """
    component = _component(source, classes)
    _check_imports(component, imported)
    return Linker(imports).instantiate(component)


async def instantiate_async(
    source: Component | bytes | str | os.PathLike[str],
    classes: ValueClasses,
    imports: Mapping[str, Any],
    imported: Mapping[str, Mapping[str, tuple[str, str]]],
) -> Instance:
    """The same; start functions may wait in `async def` host functions."""
    component = _component(source, classes)
    _check_imports(component, imported)
    return await Linker(imports).instantiate_async(component)

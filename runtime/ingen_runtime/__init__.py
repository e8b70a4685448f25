"""A component host for Python: decode, link and call WebAssembly components.

    from ingen_runtime import Component

    component = Component.from_file("greeter.wasm")
    print(component.exports["greet"])                 # greet: func(name: string) -> string;
    with component.instantiate({"log": print}) as instance:
        instance.exports.greet("you")

Names are looked up when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingen_runtime.canonical import Err, Ok, ResourceHandle, ResultError, Some, ValueClasses
    from ingen_runtime.component.component import Component
    from ingen_runtime.component.concurrency.host_ends import FutureReader, StreamReader, StreamWriter
    from ingen_runtime.component.instance import Instance
    from ingen_runtime.component.linker import Linker
    from ingen_runtime.waiting import may_wait

_PLACES = {
    "Component": "ingen_runtime.component.component",
    "Err": "ingen_runtime.canonical",
    "FutureReader": "ingen_runtime.component.concurrency.host_ends",
    "Instance": "ingen_runtime.component.instance",
    "Linker": "ingen_runtime.component.linker",
    "Ok": "ingen_runtime.canonical",
    "ResourceHandle": "ingen_runtime.canonical",
    "ResultError": "ingen_runtime.canonical",
    "Some": "ingen_runtime.canonical",
    "StreamReader": "ingen_runtime.component.concurrency.host_ends",
    "StreamWriter": "ingen_runtime.component.concurrency.host_ends",
    "ValueClasses": "ingen_runtime.canonical",
    "may_wait": "ingen_runtime.waiting",
}

__all__ = [
    "Component",
    "Err",
    "FutureReader",
    "Instance",
    "Linker",
    "Ok",
    "ResourceHandle",
    "ResultError",
    "Some",
    "StreamReader",
    "StreamWriter",
    "ValueClasses",
    "may_wait",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return [*globals(), *_PLACES]

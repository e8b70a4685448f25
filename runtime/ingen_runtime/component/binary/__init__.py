"""The component binary format: bytes to index-based definitions, and nothing evaluated.

`decode_component` and `read_core_module` are the entry points, `binary_kind` tells which of the two applies.
Importing this package loads nothing of the engine, and the decoders only when they are used: a component
whose plan is kept in the cache needs none.

Source: component-model Binary.md; WebAssembly core specification, "Binary Format".
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ingen_runtime.component.binary.preamble import BinaryKind, binary_kind

if TYPE_CHECKING:
    from ingen_runtime.component.binary.core_module import CoreModule, read_core_module
    from ingen_runtime.component.binary.decoder import decode_component
    from ingen_runtime.component.binary.syntax import Component

_PLACES = {
    "Component": "syntax",
    "CoreModule": "core_module",
    "decode_component": "decoder",
    "read_core_module": "core_module",
}

__all__ = [
    "BinaryKind",
    "Component",
    "CoreModule",
    "binary_kind",
    "decode_component",
    "read_core_module",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)

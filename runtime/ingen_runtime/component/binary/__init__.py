"""The component binary format: bytes to index-based definitions, and nothing evaluated.

`decode_component` and `read_core_module` are the entry points, `binary_kind` tells which of the two applies.
Importing this package loads nothing of the engine.

Source: component-model Binary.md; WebAssembly core specification, "Binary Format".
"""

from ingen_runtime.component.binary.core_module import CoreModule, read_core_module
from ingen_runtime.component.binary.decoder import decode_component
from ingen_runtime.component.binary.preamble import BinaryKind, binary_kind
from ingen_runtime.component.binary.syntax import Component

__all__ = [
    "BinaryKind",
    "Component",
    "CoreModule",
    "binary_kind",
    "decode_component",
    "read_core_module",
]

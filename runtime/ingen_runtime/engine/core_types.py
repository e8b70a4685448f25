"""What a module's binary says of its imports and exports.

Source: WebAssembly core specification 3.0, "Binary Format".
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ingen_runtime.core_types import CoreFuncType, CoreValType
from ingen_runtime.frozen import frozen

NUMBER_TYPES = frozenset({"i32", "i64", "f32", "f64"})
"""The value types that Python can pass to a core function and take from it."""


@frozen
class CoreLimits:
    """Bounds of a table (elements) or a memory (pages)."""

    minimum: int
    maximum: int | None
    is_64: bool = False
    shared: bool = False


@frozen
class CoreMemoryType:
    """A linear memory; limits count pages of `page_size` bytes."""

    limits: CoreLimits
    page_size: int = 65536


@frozen
class CoreTableType:
    element: CoreValType
    limits: CoreLimits


@frozen
class CoreGlobalType:
    value: CoreValType
    mutable: bool


@frozen
class CoreTagType:
    """An exception tag; its function type has the payload as parameters."""

    func: CoreFuncType


CoreExternType: TypeAlias = CoreFuncType | CoreTableType | CoreMemoryType | CoreGlobalType | CoreTagType


class CoreImport(NamedTuple):
    module: str
    name: str
    type: CoreExternType

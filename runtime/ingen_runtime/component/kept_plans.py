"""Plans of components, kept in the code cache: a large component starts in a third of the time.

An entry is a pickle of the plan and of the digests of its core modules, under a name that is the digest of
the component, of the Python version and of this package's own files. Views into the component are kept as
places in it. Entries are trusted as far as compiled code is: the folder must be the user's own.
"""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from ingen_runtime.component.binary.reader import Reader
from ingen_runtime.component.binary.syntax import CoreModuleDef, CustomSection
from ingen_runtime.component.plan import ComponentPlan
from ingen_runtime.engine import CodeCache

LEAST_SIZE: Final = 1 << 16
"""Smaller components are decoded in a few milliseconds, and would only fill the cache."""


class KeptPlan(NamedTuple):
    """What is kept of a component: its plan, and the digests of its core modules by where they start."""

    plan: ComponentPlan
    digests: dict[int, bytes]


class KeptPlans:
    """The plans in a cache."""

    def __init__(self, cache: CodeCache | None) -> None:
        self._cache = cache

    def name(self, data: bytes) -> str | None:
        """The name for the plan of a component; None where none is to be kept."""
        own = _own_files()
        if self._cache is None or own is None or len(data) < LEAST_SIZE:
            return None
        digest = hashlib.sha256(own)
        digest.update(data)
        return f"{digest.hexdigest()}.plan"

    def load(self, name: str | None, data: bytes) -> KeptPlan | None:
        """What was kept under a name."""
        entry = None if name is None or self._cache is None else self._cache.load_data(name)
        if entry is None:
            return None
        try:
            kept: KeptPlan = _Unpickler(entry, memoryview(data)).load()
        except Exception:  # whatever a pickle of another making leads to: it is no entry of ours
            return None
        return kept

    def save(self, name: str | None, kept: KeptPlan) -> None:
        """Keep a plan. Does nothing where that cannot be done."""
        if name is not None and self._cache is not None:
            file = io.BytesIO()
            _Pickler(file, protocol=5).dump(kept)
            self._cache.save_data(name, file.getvalue())


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, CoreModuleDef):
            return (CoreModuleDef.__name__, obj.offset, obj.start, len(obj.data))
        if isinstance(obj, CustomSection):
            return (CustomSection.__name__, obj.offset, obj.name, len(obj.data))
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, entry: bytes, data: memoryview) -> None:
        super().__init__(io.BytesIO(entry))
        self._data = data

    def persistent_load(self, pid: Any) -> Any:
        kind, offset, place, length = pid
        if kind == CoreModuleDef.__name__:
            return CoreModuleDef(offset, place, self._data[place : place + length])
        reader = Reader(self._data, offset)
        reader.u8()
        end = reader.u32() + reader.position
        return CustomSection(offset, place, self._data[end - length : end])


@functools.cache
def _own_files() -> bytes | None:
    """What tells one state of the code that makes plans from another; None where it is not in files."""
    folder = Path(__file__).parent
    try:
        stats = [(path.name, path.stat()) for path in sorted(folder.rglob("*.py"))]
    except OSError:
        return None
    if not stats:
        return None
    known = [(name, status.st_size, status.st_mtime_ns) for name, status in stats]
    return repr((sys.version, known)).encode()

"""Components kept on disk: the plan and the linking data of the modules, beside the compiled code.

A large component takes far longer to read, digest, decode and check than to load from here. An entry belongs
to a file as it is: its name is the digest of the file's identity, size and times, of the engine's
configuration and of the runtime's own source files, so an entry is never read by code that would make another
one. A file that changed so shortly ago that its times might not tell gets no entry. An entry refers to the
compiled modules by name, with the size and times that their files had when they were checked; where one is
gone or was touched since, the entry is ignored, and the component is decoded as if there were none.

An entry is a pickle in which only the classes of plans are allowed, so loading one runs no code but their
constructors.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
import sys
import time
from collections.abc import Set
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import ingen_runtime
from ingen_runtime.component.binary.syntax import CoreModuleDef, CustomSection
from ingen_runtime.component.plan import ComponentPlan
from ingen_runtime.engine import CodeCache, CoreModule, Engine
from ingen_runtime.engine.module import SavedModule

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST: Final = 1 << 18
"""Components of fewer bytes are decoded faster than an entry is opened."""
_LARGEST_ENTRY: Final = 1 << 25
_SETTLED_NS: Final = 2_000_000_000
"""File systems may give two changes the same time when they are no further apart than this."""

_ALLOWED: Final[dict[str, Set[str] | None]] = {
    "ingen_runtime.component.binary.core_module": {"TagType"},
    "ingen_runtime.component.binary.core_types": None,
    "ingen_runtime.component.binary.syntax": None,
    "ingen_runtime.component.entities": None,
    "ingen_runtime.component.plan": None,
    "ingen_runtime.component.types": None,
    "ingen_runtime.core_types": None,
    "ingen_runtime.engine.core_types": None,
    "ingen_runtime.engine.introspect": {"KnownInterface"},
    "ingen_runtime.engine.module": {"SavedModule"},
    __name__: {"_Entry", "_definition", "_section"},
}
"""What an entry may name, by module; None allows the classes that the module defines."""


class _Entry(NamedTuple):
    plan: ComponentPlan
    modules: dict[int, SavedModule]


def place(engine: Engine, status: os.stat_result) -> Path | None:
    """Where the component in the file of this status is kept; None where nothing may be kept."""
    if engine.cache is None or status.st_size < SMALLEST:
        return None
    sources = _sources()
    if sources is None:
        return None
    identity = (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        sys.hexversion,
    )
    key = f"{identity};{sources};{engine.cache.conditions(engine.config.fingerprint())}"
    return engine.cache.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.plan"


def load(engine: Engine, path: Path) -> tuple[ComponentPlan, dict[int, CoreModule]] | None:
    """The plan and the modules at `path`; None where there is no entry that is intact and up to date."""
    assert engine.cache is not None
    data = engine.cache.read(path)
    if data is None:
        return None
    try:
        entry = _Unpickler(io.BytesIO(data)).load()
    except Exception:  # what a damaged pickle raises is not limited
        return None
    if not isinstance(entry, _Entry):
        return None
    modules: dict[int, CoreModule] = {}
    for start, saved in entry.modules.items():
        module = CoreModule.restore(engine, saved)
        if module is None:
            return None
        modules[start] = module
    return entry.plan, modules


def save(cache: CodeCache, path: Path, plan: ComponentPlan, modules: Mapping[int, CoreModule]) -> None:
    """Keep a component at `path`. Does nothing where that cannot be done."""
    saved: dict[int, SavedModule] = {}
    for start, module in modules.items():
        one = module.save()
        if one is None:
            return
        saved[start] = one
    file = io.BytesIO()
    try:
        _Pickler(file, protocol=5).dump(_Entry(plan, saved))
    except (pickle.PicklingError, RecursionError):
        return
    if file.tell() <= _LARGEST_ENTRY:
        cache.write(path, file.getbuffer())


def is_settled(status: os.stat_result) -> bool:
    """Whether a later change of the file will show in its times."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CoreModuleDef):  # its code is in the cache
            return _definition, (obj.offset, obj.start)
        if isinstance(obj, CustomSection):
            return _section, (obj.offset, obj.name, bytes(obj.data))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        names: Set[str] | None = _ALLOWED.get(module, frozenset())
        if names is not None and name not in names:
            _refuse(module, name)
        found = getattr(import_module(module), name, None)
        if names is None and (not isinstance(found, type) or found.__module__ != module):
            _refuse(module, name)
        return found


def _refuse(module: str, name: str) -> NoReturn:
    raise pickle.UnpicklingError(f"{module}.{name} has no place in a plan")


def _definition(offset: int, start: int) -> CoreModuleDef:
    return CoreModuleDef(offset, start, memoryview(b""))


def _section(offset: int, name: str, data: bytes) -> CustomSection:
    return CustomSection(offset, name, memoryview(data))


@functools.cache
def _sources() -> str | None:
    """Tells this version of the runtime from all others, by its source files; None where it has none."""
    package = Path(ingen_runtime.__file__).parent
    found: list[tuple[str, int, int]] = []
    try:
        for folder in ("component", "component/binary", "engine"):
            with os.scandir(package / folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".py"):
                        status = entry.stat()
                        found.append((f"{folder}/{entry.name}", status.st_size, status.st_mtime_ns))
    except OSError:
        return None
    return repr(sorted(found)) if found else None

"""Compiled code, kept on disk.

An entry's name is the digest of all that decides what the compiler produces: the wasm bytes, wasmtime's
version, the configuration, the platform and the CPU's features. Entries are written under another name and
renamed, so a reader sees all of an entry or none, whoever else writes. An entry ends in its length and
checksum: one that is damaged, or that wasmtime does not accept, is ignored and written anew. A folder that
cannot be written means no cache, never an error.

Whoever writes an entry also removes those that were not used for longest, where all together take more than
the limit, and what stopped writers have left. What another process has mapped stays there for it.

Loading an entry maps the file into memory and runs what is in it: the folder must be the user's own, as the
default one is.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import mmap
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from ingen_runtime.engine import bindings as c

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows
_MAGIC = b"INGENAOT"
_TRAILER = struct.Struct("<8sQI")
"""Magic, length of what precedes, and its CRC-32."""


MAX_BYTES: Final = 1 << 30
"""What all entries of a cache may take, unless it is told otherwise."""
_ENTRIES: Final = (".cwasm", ".plan")
_TEMPORARY: Final = ".tmp"
_ABANDONED_AFTER_S: Final = 3600
"""The age at which a temporary file is left over from a writer that was stopped."""


class CodeCache:
    """A folder of compiled modules, of which those used last are kept: `max_bytes` together."""

    __slots__ = ("folder", "max_bytes")

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    @classmethod
    def default(cls) -> CodeCache | None:
        """The cache that the environment asks for.

        `INGEN_CACHE=0` switches it off, `INGEN_CACHE_DIR` names its folder; else it is in the user's cache
        folder.
        """
        if os.environ.get("INGEN_CACHE") == "0":
            return None
        named = os.environ.get("INGEN_CACHE_DIR")
        if named:
            return cls(Path(named) / "code")
        from platformdirs import user_cache_path  # imported here: not needed when a folder is named

        return cls(user_cache_path("ingen", appauthor=False) / "code")

    def path(self, wasm: bytes, fingerprint: str) -> Path:
        """Where the code of `wasm`, compiled under the configuration `fingerprint`, is kept."""
        digest = hashlib.sha256(f"{self.conditions(fingerprint)};".encode())
        digest.update(wasm)
        return self.folder / f"{digest.hexdigest()}.cwasm"

    def conditions(self, fingerprint: str) -> str:
        """All that decides what the compiler makes of a module, under the configuration `fingerprint`."""
        return f"{c.WASMTIME_VERSION};{fingerprint};{_machine()}"

    def load(self, engine_ptr: int, path: Path, status: FileStatus | None = None) -> int | None:
        """The module at `path`, mapped from the file; None where there is none that this engine accepts.

        `status` is the file's `file_status` of when it was checked last: where it still has it, its checksum
        is not computed again.
        """
        if not (_is_intact(path) if status is None else file_status(path) == status):
            return None
        module = ctypes.c_void_p()
        error = c.module_deserialize_file(engine_ptr, os.fsencode(path), ctypes.byref(module))
        if error:
            c.error_delete(error)
            return None
        return module.value

    def save(self, module_ptr: int, path: Path) -> None:
        """Keep a compiled module at `path`. Does nothing where that cannot be done."""
        vec = c.ByteVec()
        error = c.module_serialize(module_ptr, ctypes.byref(vec))
        if error:
            c.error_delete(error)
            return
        try:
            self.write(path, (ctypes.c_char * vec.size).from_address(vec.data or 0))
        finally:
            c.byte_vec_delete(ctypes.byref(vec))

    def read(self, path: Path) -> memoryview | None:
        """What was written at `path`; None where that is no intact entry."""
        try:
            with path.open("rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                entry = memoryview(file.read())
        except OSError:
            return None
        content = entry[: -_TRAILER.size]
        return content if content and entry[-_TRAILER.size :] == _trailer(content) else None

    def write(self, path: Path, code: Buffer) -> None:
        """Keep data at `path`, for this user alone. Does nothing where that cannot be done."""
        temporary: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = (
                self.folder / f".{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}{_TEMPORARY}"
            )
            # For this user alone: what is in the file will run.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(code)
                file.write(_trailer(code))
                # Renaming must not overtake the data, or a power failure leaves an entry of zeros.
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            self._prune(path)
        except OSError:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()

    def _prune(self, written: Path) -> None:
        """Remove what is stale, and the entries used longest ago where there is too much; not `written`."""
        entries: list[tuple[float, int, str]] = []
        abandoned = time.time() - _ABANDONED_AFTER_S
        with os.scandir(self.folder) as listing:
            for entry in listing:
                # Another process may have removed it meanwhile; on Windows, one that is mapped stays.
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if entry.name.endswith(_ENTRIES) and entry.name != written.name:
                        # Most systems note at least the day of an access.
                        used = max(status.st_atime, status.st_mtime)
                        entries.append((used, status.st_size, entry.path))
                    elif entry.name.endswith(_TEMPORARY) and status.st_mtime < abandoned:
                        Path(entry.path).unlink()
        total = sum(size for _, size, _ in entries)
        if total <= self.max_bytes:
            return
        for _, size, path in sorted(entries):
            with contextlib.suppress(OSError):
                Path(path).unlink()
                total -= size
            if total <= self.max_bytes // 2:
                return


def _trailer(code: Buffer) -> bytes:
    return _TRAILER.pack(_MAGIC, memoryview(code).nbytes, zlib.crc32(code))


FileStatus: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, time of the last change of the content, and of the file."""


def file_status(path: Path) -> FileStatus | None:
    """What changes whenever a file is written; None where it is not there, or another user may
    have written it."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not _is_ours(status):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_ours(status: os.stat_result) -> bool:
    """Whether no other user can have written the file."""
    return not hasattr(os, "getuid") or (status.st_uid in (os.getuid(), 0) and not status.st_mode & 0o022)


def _is_intact(path: Path) -> bool:
    """Whether `path` is a whole entry, and a plain file that no other user can have written."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not _is_ours(status):
                return False
            length = status.st_size - _TRAILER.size
            if length <= 0:
                return False
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as entry,
                memoryview(entry) as view,
                view[:length] as code,
                view[length:] as trailer,
            ):
                return trailer == _trailer(code)
    except (OSError, ValueError):
        return False


@functools.cache
def _machine() -> str:
    """What the compiler learns from the machine: platform and CPU features."""
    return f"{sys.platform};{c.MACHINE};{_cpu_features()}"


def _cpu_features() -> str:
    cpuinfo_file = Path("/proc/cpuinfo")
    with contextlib.suppress(OSError), cpuinfo_file.open(encoding="utf-8", errors="replace") as cpuinfo:
        for line in cpuinfo:
            if line.startswith(("flags", "Features")):
                return hashlib.sha256(line.encode()).hexdigest()[:16]
    return os.environ.get("PROCESSOR_IDENTIFIER", "")  # Windows

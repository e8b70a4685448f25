"""Compiled code, kept on disk.

An entry's name is the digest of all that decides what the compiler produces: the wasm bytes, wasmtime's
version, the configuration, the platform and the CPU's features. Entries are written under another name and
renamed, so a reader sees all of an entry or none, whoever else writes. An entry ends in its length and the
checksum of its first and last pages: one that was cut off or is something else, or that wasmtime does not
accept, is ignored and written anew. (What is between is not read, because only the code that runs should be
loaded from disk.) A folder that cannot be written means no cache, never an error.

Loading an entry maps the file into memory and runs what is in it: the folder must be the user's own, as the
default one is.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ingen_runtime.engine import bindings as c

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows
_MAGIC = b"INGENAOT"
_TRAILER = struct.Struct("<8sQI")
"""Magic, length of what precedes, and the CRC-32 of its ends."""
_CHECKED_END = 1 << 16


class CodeCache:
    """A folder of compiled modules."""

    __slots__ = ("folder",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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

    def path(self, digest: bytes, fingerprint: str) -> Path:
        """Where code is kept, compiled under the configuration `fingerprint` of wasm bytes with this
        `digest_of`."""
        key = hashlib.sha256(f"{c.WASMTIME_VERSION};{fingerprint};{_machine()};".encode())
        key.update(digest)
        return self.folder / f"{key.hexdigest()}.cwasm"

    def load(self, engine_ptr: int, path: Path) -> int | None:
        """The module at `path`, mapped from the file; None where there is none that this engine accepts."""
        if not _is_intact(path):
            return None
        module = ctypes.c_void_p()
        error = c.module_deserialize_file(engine_ptr, os.fsencode(path), ctypes.byref(module))
        if error:
            c.error_delete(error)
            return None
        return module.value

    def load_data(self, name: str) -> bytes | None:
        """What `save_data` has kept under a name."""
        path = self.folder / name
        if not _is_intact(path):
            return None
        try:
            return path.read_bytes()[: -_TRAILER.size]
        except OSError:
            return None

    def save_data(self, name: str, data: bytes) -> None:
        """Keep bytes under a name. Does nothing where that cannot be done."""
        self._write(self.folder / name, data)

    def save(self, module_ptr: int, path: Path) -> None:
        """Keep a compiled module at `path`. Does nothing where that cannot be done."""
        vec = c.ByteVec()
        error = c.module_serialize(module_ptr, ctypes.byref(vec))
        if error:
            c.error_delete(error)
            return
        try:
            self._write(path, (ctypes.c_char * vec.size).from_address(vec.data or 0))
        finally:
            c.byte_vec_delete(ctypes.byref(vec))

    def _write(self, path: Path, code: Buffer) -> None:
        temporary: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.folder / f".{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}.tmp"
            # For this user alone: what is in the file will run.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(code)
                file.write(_trailer(code))
                # Renaming must not overtake the data, or a power failure leaves an entry of zeros.
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()


def digest_of(wasm: Buffer) -> bytes:
    """The digest of a module's bytes."""
    return hashlib.sha256(wasm).digest()


def _trailer(code: Buffer) -> bytes:
    view = memoryview(code).cast("B")
    return _make_trailer(len(view), view[:_CHECKED_END], view[-_CHECKED_END:])


def _make_trailer(length: int, first: Buffer, last: Buffer) -> bytes:
    return _TRAILER.pack(_MAGIC, length, zlib.crc32(last, zlib.crc32(first)))


def _is_intact(path: Path) -> bool:
    """Whether `path` is a whole entry, and a plain file that no other user can have written."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (status.st_uid not in (os.getuid(), 0) or status.st_mode & 0o022):
                return False
            length = status.st_size - _TRAILER.size
            if length <= 0:
                return False
            first = file.read(min(length, _CHECKED_END))
            file.seek(max(0, length - _CHECKED_END))
            last, trailer = file.read(min(length, _CHECKED_END)), file.read()
            return trailer == _make_trailer(length, first, last)
    except OSError:
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

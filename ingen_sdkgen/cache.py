"""A folder of derived data, each entry named by the digest of what it was derived from.

Everything in it can be made again, so nothing about it is ever an error: an entry that is damaged, a folder
that cannot be written, or one that another user could have written to, count as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path

from ingen_sdkgen.writing import TEMPORARY_SUFFIX, replace_privately

_MAGIC = b"INGEN-CACHE-1\n"
_HEADER_LENGTH = len(_MAGIC) + hashlib.blake2b().digest_size
_SUFFIX = ".cache"

MAX_TOTAL_BYTES = 256 << 20
"""What all entries together may take; above it, those that were not used for longest go."""

MAX_ENTRY_BYTES = 64 << 20
"""A larger entry is not stored."""

_ABANDONED_AFTER_S = 3600
"""The age at which a temporary file is left over from a run that was stopped."""


def digest(parts: Iterable[bytes]) -> str:
    """A name for what is derived from `parts`; the same bytes cut elsewhere are other parts."""
    state = hashlib.blake2b(digest_size=24)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()


def code_fingerprint() -> bytes:
    """Changes when the code that derives entries may have changed: this distribution's files or the Python.

    Sizes and times stand for contents: reading every module would cost more than most entries save.
    """
    import ingen_runtime
    import ingen_sdkgen

    parts = [sys.version]
    for package in (ingen_sdkgen, ingen_runtime):
        for root in package.__path__:
            for folder, folders, names in os.walk(root):
                folders[:] = sorted(name for name in folders if name != "__pycache__")
                for name in sorted(names):
                    status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - twice as fast as Path
                    parts.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(parts).encode("utf-8", "surrogateescape")


def _default_folder() -> Path | None:
    chosen = os.environ.get("INGEN_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        if sys.platform != "linux":
            import platformdirs

            return Path(platformdirs.user_cache_dir("ingen", appauthor=False))
        # What platformdirs says too, without the 10 ms that importing it takes.
        base = os.environ.get("XDG_CACHE_HOME", "")
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "ingen"
    except (OSError, RuntimeError):  # no home directory
        return None


_switched_off: ContextVar[bool] = ContextVar("_switched_off", default=False)


@contextlib.contextmanager
def switched_off() -> Iterator[None]:
    """Within this, the user's cache holds nothing and takes nothing."""
    token = _switched_off.set(True)
    try:
        yield
    finally:
        _switched_off.reset(token)


class Cache:
    """The entries in one folder. No method raises because of the state of the folder."""

    def __init__(self, folder: Path | None) -> None:
        """Use `folder`, which need not exist yet; None makes a cache that holds nothing."""
        self._folder = folder

    @classmethod
    def of_user(cls) -> Cache:
        """The cache of the user who runs this: in INGEN_CACHE_DIR, else where the system keeps caches."""
        return cls(None if _switched_off.get() else _default_folder())

    def __bool__(self) -> bool:
        """Whether it may hold anything."""
        return self._folder is not None

    def load(self, name: str) -> bytes | None:
        """The entry of that name, byte for byte as it was stored, or None."""
        if self._folder is None or not _is_ours(self._folder):
            return None
        path = self._folder / (name + _SUFFIX)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        payload = memoryview(data)[_HEADER_LENGTH:]
        if data[:_HEADER_LENGTH] != _header(payload):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # what is used stays
        return bytes(payload)

    def store(self, name: str, payload: bytes) -> None:
        """Keep an entry if that is possible; readers see all of it or nothing."""
        if self._folder is None or len(payload) > MAX_ENTRY_BYTES:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _is_ours(self._folder):
                return
            replace_privately(self._folder / (name + _SUFFIX), _header(payload) + payload)
            self._prune()
        except OSError:
            return

    def _prune(self) -> None:
        assert self._folder is not None
        entries: list[tuple[float, int, str]] = []
        now = time.time()
        with os.scandir(self._folder) as listing:
            for entry in listing:
                with contextlib.suppress(OSError):  # another run may have removed it meanwhile
                    status = entry.stat(follow_symlinks=False)
                    if entry.name.endswith(_SUFFIX):
                        entries.append((status.st_mtime, status.st_size, entry.path))
                    elif entry.name.endswith(TEMPORARY_SUFFIX) and status.st_mtime < now - _ABANDONED_AFTER_S:
                        Path(entry.path).unlink(missing_ok=True)
        total = sum(size for _, size, _ in entries)
        if total <= MAX_TOTAL_BYTES:
            return
        for _, size, path in sorted(entries):
            Path(path).unlink(missing_ok=True)
            total -= size
            if total <= MAX_TOTAL_BYTES // 2:
                return


def _header(payload: bytes | memoryview) -> bytes:
    return _MAGIC + hashlib.blake2b(payload).digest()


def _is_ours(folder: Path) -> bool:
    """Whether only this user can have written there."""
    try:
        status = folder.stat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if os.name != "posix":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

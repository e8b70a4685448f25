"""What can go wrong with files, as a guest can tell it apart."""

from __future__ import annotations

import enum
import errno
from typing import Final

from ingen_runtime.errors import IngenError


class FileErrorKind(enum.Enum):
    """The reasons that guests act on; most are cases of preview 2's `error-code`, by its names."""

    ACCESS = "access"
    WOULD_BLOCK = "would-block"
    ALREADY = "already"
    BAD_DESCRIPTOR = "bad-descriptor"
    BUSY = "busy"
    DEADLOCK = "deadlock"
    QUOTA = "quota"
    EXIST = "exist"
    FILE_TOO_LARGE = "file-too-large"
    ILLEGAL_BYTE_SEQUENCE = "illegal-byte-sequence"
    IN_PROGRESS = "in-progress"
    INTERRUPTED = "interrupted"
    INVALID = "invalid"
    IO = "io"
    IS_DIRECTORY = "is-directory"
    LOOP = "loop"
    TOO_MANY_LINKS = "too-many-links"
    MESSAGE_SIZE = "message-size"
    NAME_TOO_LONG = "name-too-long"
    NO_DEVICE = "no-device"
    NO_ENTRY = "no-entry"
    NO_LOCK = "no-lock"
    INSUFFICIENT_MEMORY = "insufficient-memory"
    INSUFFICIENT_SPACE = "insufficient-space"
    NOT_DIRECTORY = "not-directory"
    NOT_EMPTY = "not-empty"
    NOT_RECOVERABLE = "not-recoverable"
    UNSUPPORTED = "unsupported"
    NO_TTY = "no-tty"
    NO_SUCH_DEVICE = "no-such-device"
    OVERFLOW = "overflow"
    NOT_PERMITTED = "not-permitted"
    PIPE = "pipe"
    READ_ONLY = "read-only"
    INVALID_SEEK = "invalid-seek"
    TEXT_FILE_BUSY = "text-file-busy"
    CROSS_DEVICE = "cross-device"
    # Preview 2 has no case for this one; preview 1 has MFILE.
    TOO_MANY_OPEN_FILES = "too-many-open-files"


class FileError(IngenError):
    """An operation on a file, a folder or a stream failed. `kind` says how, `detail` what in particular."""

    def __init__(self, kind: FileErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail


_KINDS: Final = {
    getattr(errno, name): kind
    for name, kind in {
        "EACCES": FileErrorKind.ACCESS,
        "EAGAIN": FileErrorKind.WOULD_BLOCK,
        "EALREADY": FileErrorKind.ALREADY,
        "EBADF": FileErrorKind.BAD_DESCRIPTOR,
        "EBUSY": FileErrorKind.BUSY,
        "EDEADLK": FileErrorKind.DEADLOCK,
        "EDQUOT": FileErrorKind.QUOTA,
        "EEXIST": FileErrorKind.EXIST,
        "EFBIG": FileErrorKind.FILE_TOO_LARGE,
        "EILSEQ": FileErrorKind.ILLEGAL_BYTE_SEQUENCE,
        "EINPROGRESS": FileErrorKind.IN_PROGRESS,
        "EINTR": FileErrorKind.INTERRUPTED,
        "EINVAL": FileErrorKind.INVALID,
        "EIO": FileErrorKind.IO,
        "EISDIR": FileErrorKind.IS_DIRECTORY,
        "ELOOP": FileErrorKind.LOOP,
        "EMFILE": FileErrorKind.TOO_MANY_OPEN_FILES,
        "EMLINK": FileErrorKind.TOO_MANY_LINKS,
        "EMSGSIZE": FileErrorKind.MESSAGE_SIZE,
        "ENAMETOOLONG": FileErrorKind.NAME_TOO_LONG,
        "ENFILE": FileErrorKind.TOO_MANY_OPEN_FILES,
        "ENODEV": FileErrorKind.NO_DEVICE,
        "ENOENT": FileErrorKind.NO_ENTRY,
        "ENOLCK": FileErrorKind.NO_LOCK,
        "ENOMEM": FileErrorKind.INSUFFICIENT_MEMORY,
        "ENOSPC": FileErrorKind.INSUFFICIENT_SPACE,
        "ENOSYS": FileErrorKind.UNSUPPORTED,
        "ENOTDIR": FileErrorKind.NOT_DIRECTORY,
        "ENOTEMPTY": FileErrorKind.NOT_EMPTY,
        "ENOTRECOVERABLE": FileErrorKind.NOT_RECOVERABLE,
        "ENOTSUP": FileErrorKind.UNSUPPORTED,
        "ENOTTY": FileErrorKind.NO_TTY,
        "ENXIO": FileErrorKind.NO_SUCH_DEVICE,
        "EOVERFLOW": FileErrorKind.OVERFLOW,
        "EPERM": FileErrorKind.NOT_PERMITTED,
        "EPIPE": FileErrorKind.PIPE,
        "EROFS": FileErrorKind.READ_ONLY,
        "ESPIPE": FileErrorKind.INVALID_SEEK,
        "ETXTBSY": FileErrorKind.TEXT_FILE_BUSY,
        "EXDEV": FileErrorKind.CROSS_DEVICE,
    }.items()
    if hasattr(errno, name)
}


def file_error(error: OSError) -> FileError:
    """The same failure, without the host's paths."""
    kind = _KINDS.get(error.errno or 0, FileErrorKind.IO)
    return FileError(kind, error.strerror or "")

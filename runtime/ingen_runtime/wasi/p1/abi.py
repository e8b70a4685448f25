"""The names, numbers and layouts of preview 1.

Source: WebAssembly/WASI, legacy/preview1/witx.
"""

from __future__ import annotations

import enum
import struct
from typing import Final

from ingen_runtime.engine import CoreFuncType
from ingen_runtime.kernel.errors import FileErrorKind
from ingen_runtime.kernel.files import FileType
from ingen_runtime.network.errors import NetworkErrorKind

_PARAMS: Final = {
    "args_get": "ii",
    "args_sizes_get": "ii",
    "environ_get": "ii",
    "environ_sizes_get": "ii",
    "clock_res_get": "ii",
    "clock_time_get": "iIi",
    "fd_advise": "iIIi",
    "fd_allocate": "iII",
    "fd_close": "i",
    "fd_datasync": "i",
    "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii",
    "fd_fdstat_set_rights": "iII",
    "fd_filestat_get": "ii",
    "fd_filestat_set_size": "iI",
    "fd_filestat_set_times": "iIIi",
    "fd_pread": "iiiIi",
    "fd_prestat_get": "ii",
    "fd_prestat_dir_name": "iii",
    "fd_pwrite": "iiiIi",
    "fd_read": "iiii",
    "fd_readdir": "iiiIi",
    "fd_renumber": "ii",
    "fd_seek": "iIii",
    "fd_sync": "i",
    "fd_tell": "ii",
    "fd_write": "iiii",
    "path_create_directory": "iii",
    "path_filestat_get": "iiiii",
    "path_filestat_set_times": "iiiiIIi",
    "path_link": "iiiiiii",
    "path_open": "iiiiiIIii",
    "path_readlink": "iiiiii",
    "path_remove_directory": "iii",
    "path_rename": "iiiiii",
    "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "poll_oneoff": "iiii",
    "proc_exit": "i",
    "proc_raise": "i",
    "random_get": "ii",
    "sched_yield": "",
    "sock_accept": "iii",
    "sock_recv": "iiiiii",
    "sock_send": "iiiii",
    "sock_shutdown": "ii",
}
"""The parameters of the functions: `i` for i32, `I` for i64."""

TYPES: Final = {
    name: CoreFuncType(
        tuple(["i64" if param == "I" else "i32" for param in params]),
        () if name == "proc_exit" else ("i32",),
    )
    for name, params in _PARAMS.items()
}
"""The core types of all functions of preview 1. All but `proc_exit` return an `Errno`."""


class Errno(enum.IntEnum):
    """The results of functions."""

    SUCCESS = 0
    TOO_BIG = 1  # the specification's `2big`
    ACCES = 2
    ADDRINUSE = 3
    ADDRNOTAVAIL = 4
    AFNOSUPPORT = 5
    AGAIN = 6
    ALREADY = 7
    BADF = 8
    BADMSG = 9
    BUSY = 10
    CANCELED = 11
    CHILD = 12
    CONNABORTED = 13
    CONNREFUSED = 14
    CONNRESET = 15
    DEADLK = 16
    DESTADDRREQ = 17
    DOM = 18
    DQUOT = 19
    EXIST = 20
    FAULT = 21
    FBIG = 22
    HOSTUNREACH = 23
    IDRM = 24
    ILSEQ = 25
    INPROGRESS = 26
    INTR = 27
    INVAL = 28
    IO = 29
    ISCONN = 30
    ISDIR = 31
    LOOP = 32
    MFILE = 33
    MLINK = 34
    MSGSIZE = 35
    MULTIHOP = 36
    NAMETOOLONG = 37
    NETDOWN = 38
    NETRESET = 39
    NETUNREACH = 40
    NFILE = 41
    NOBUFS = 42
    NODEV = 43
    NOENT = 44
    NOEXEC = 45
    NOLCK = 46
    NOLINK = 47
    NOMEM = 48
    NOMSG = 49
    NOPROTOOPT = 50
    NOSPC = 51
    NOSYS = 52
    NOTCONN = 53
    NOTDIR = 54
    NOTEMPTY = 55
    NOTRECOVERABLE = 56
    NOTSOCK = 57
    NOTSUP = 58
    NOTTY = 59
    NXIO = 60
    OVERFLOW = 61
    OWNERDEAD = 62
    PERM = 63
    PIPE = 64
    PROTO = 65
    PROTONOSUPPORT = 66
    PROTOTYPE = 67
    RANGE = 68
    ROFS = 69
    SPIPE = 70
    SRCH = 71
    STALE = 72
    TIMEDOUT = 73
    TXTBSY = 74
    XDEV = 75
    NOTCAPABLE = 76


class ErrnoError(Exception):
    """A function of preview 1 returns this `errno`."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno)
        self.errno = errno


FILE_ERRNO: Final = {
    FileErrorKind.ACCESS: Errno.ACCES,
    FileErrorKind.WOULD_BLOCK: Errno.AGAIN,
    FileErrorKind.ALREADY: Errno.ALREADY,
    FileErrorKind.BAD_DESCRIPTOR: Errno.BADF,
    FileErrorKind.BUSY: Errno.BUSY,
    FileErrorKind.DEADLOCK: Errno.DEADLK,
    FileErrorKind.QUOTA: Errno.DQUOT,
    FileErrorKind.EXIST: Errno.EXIST,
    FileErrorKind.FILE_TOO_LARGE: Errno.FBIG,
    FileErrorKind.ILLEGAL_BYTE_SEQUENCE: Errno.ILSEQ,
    FileErrorKind.IN_PROGRESS: Errno.INPROGRESS,
    FileErrorKind.INTERRUPTED: Errno.INTR,
    FileErrorKind.INVALID: Errno.INVAL,
    FileErrorKind.IO: Errno.IO,
    FileErrorKind.IS_DIRECTORY: Errno.ISDIR,
    FileErrorKind.LOOP: Errno.LOOP,
    FileErrorKind.TOO_MANY_LINKS: Errno.MLINK,
    FileErrorKind.MESSAGE_SIZE: Errno.MSGSIZE,
    FileErrorKind.NAME_TOO_LONG: Errno.NAMETOOLONG,
    FileErrorKind.NO_DEVICE: Errno.NODEV,
    FileErrorKind.NO_ENTRY: Errno.NOENT,
    FileErrorKind.NO_LOCK: Errno.NOLCK,
    FileErrorKind.INSUFFICIENT_MEMORY: Errno.NOMEM,
    FileErrorKind.INSUFFICIENT_SPACE: Errno.NOSPC,
    FileErrorKind.NOT_DIRECTORY: Errno.NOTDIR,
    FileErrorKind.NOT_EMPTY: Errno.NOTEMPTY,
    FileErrorKind.NOT_RECOVERABLE: Errno.NOTRECOVERABLE,
    FileErrorKind.UNSUPPORTED: Errno.NOTSUP,
    FileErrorKind.NO_TTY: Errno.NOTTY,
    FileErrorKind.NO_SUCH_DEVICE: Errno.NXIO,
    FileErrorKind.OVERFLOW: Errno.OVERFLOW,
    FileErrorKind.NOT_PERMITTED: Errno.PERM,
    FileErrorKind.PIPE: Errno.PIPE,
    FileErrorKind.READ_ONLY: Errno.ROFS,
    FileErrorKind.INVALID_SEEK: Errno.SPIPE,
    FileErrorKind.TEXT_FILE_BUSY: Errno.TXTBSY,
    FileErrorKind.CROSS_DEVICE: Errno.XDEV,
    FileErrorKind.TOO_MANY_OPEN_FILES: Errno.MFILE,
}

NETWORK_ERRNO: Final = {
    NetworkErrorKind.REFUSED: Errno.CONNREFUSED,
    NetworkErrorKind.UNREACHABLE: Errno.HOSTUNREACH,
    NetworkErrorKind.TIMED_OUT: Errno.TIMEDOUT,
    NetworkErrorKind.RESET: Errno.CONNRESET,
    NetworkErrorKind.IN_USE: Errno.ADDRINUSE,
    NetworkErrorKind.DENIED: Errno.PERM,
    NetworkErrorKind.NOT_FOUND: Errno.NOENT,
    NetworkErrorKind.INVALID: Errno.INVAL,
    NetworkErrorKind.WOULD_BLOCK: Errno.AGAIN,
    NetworkErrorKind.CLOSED: Errno.PIPE,
    NetworkErrorKind.LIMIT: Errno.MFILE,
    NetworkErrorKind.OTHER: Errno.IO,
}


class Filetype(enum.IntEnum):
    UNKNOWN = 0
    BLOCK_DEVICE = 1
    CHARACTER_DEVICE = 2
    DIRECTORY = 3
    REGULAR_FILE = 4
    SOCKET_DGRAM = 5
    SOCKET_STREAM = 6
    SYMBOLIC_LINK = 7


FILETYPES: Final = {
    FileType.UNKNOWN: Filetype.UNKNOWN,
    FileType.BLOCK_DEVICE: Filetype.BLOCK_DEVICE,
    FileType.CHARACTER_DEVICE: Filetype.CHARACTER_DEVICE,
    FileType.DIRECTORY: Filetype.DIRECTORY,
    FileType.FIFO: Filetype.UNKNOWN,
    FileType.SYMBOLIC_LINK: Filetype.SYMBOLIC_LINK,
    FileType.REGULAR_FILE: Filetype.REGULAR_FILE,
    FileType.SOCKET: Filetype.SOCKET_STREAM,
}


class Rights(enum.IntFlag):
    """What may be done with a descriptor. The order of the specification."""

    FD_DATASYNC = enum.auto()
    FD_READ = enum.auto()
    FD_SEEK = enum.auto()
    FD_FDSTAT_SET_FLAGS = enum.auto()
    FD_SYNC = enum.auto()
    FD_TELL = enum.auto()
    FD_WRITE = enum.auto()
    FD_ADVISE = enum.auto()
    FD_ALLOCATE = enum.auto()
    PATH_CREATE_DIRECTORY = enum.auto()
    PATH_CREATE_FILE = enum.auto()
    PATH_LINK_SOURCE = enum.auto()
    PATH_LINK_TARGET = enum.auto()
    PATH_OPEN = enum.auto()
    FD_READDIR = enum.auto()
    PATH_READLINK = enum.auto()
    PATH_RENAME_SOURCE = enum.auto()
    PATH_RENAME_TARGET = enum.auto()
    PATH_FILESTAT_GET = enum.auto()
    PATH_FILESTAT_SET_SIZE = enum.auto()
    PATH_FILESTAT_SET_TIMES = enum.auto()
    FD_FILESTAT_GET = enum.auto()
    FD_FILESTAT_SET_SIZE = enum.auto()
    FD_FILESTAT_SET_TIMES = enum.auto()
    PATH_SYMLINK = enum.auto()
    PATH_REMOVE_DIRECTORY = enum.auto()
    PATH_UNLINK_FILE = enum.auto()
    POLL_FD_READWRITE = enum.auto()
    SOCK_SHUTDOWN = enum.auto()
    SOCK_ACCEPT = enum.auto()


FILE_RIGHTS: Final = (
    Rights.FD_DATASYNC
    | Rights.FD_READ
    | Rights.FD_SEEK
    | Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_TELL
    | Rights.FD_WRITE
    | Rights.FD_ADVISE
    | Rights.FD_ALLOCATE
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_SIZE
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.POLL_FD_READWRITE
)
DIRECTORY_RIGHTS: Final = (
    Rights.FD_SYNC
    | Rights.PATH_CREATE_DIRECTORY
    | Rights.PATH_CREATE_FILE
    | Rights.PATH_LINK_SOURCE
    | Rights.PATH_LINK_TARGET
    | Rights.PATH_OPEN
    | Rights.FD_READDIR
    | Rights.PATH_READLINK
    | Rights.PATH_RENAME_SOURCE
    | Rights.PATH_RENAME_TARGET
    | Rights.PATH_FILESTAT_GET
    | Rights.PATH_FILESTAT_SET_SIZE
    | Rights.PATH_FILESTAT_SET_TIMES
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.PATH_SYMLINK
    | Rights.PATH_REMOVE_DIRECTORY
    | Rights.PATH_UNLINK_FILE
)
INPUT_RIGHTS: Final = Rights.FD_READ | Rights.FD_FDSTAT_SET_FLAGS | Rights.POLL_FD_READWRITE
OUTPUT_RIGHTS: Final = Rights.FD_WRITE | Rights.FD_FDSTAT_SET_FLAGS | Rights.POLL_FD_READWRITE
CONNECTION_RIGHTS: Final = INPUT_RIGHTS | OUTPUT_RIGHTS | Rights.SOCK_SHUTDOWN
LISTENER_RIGHTS: Final = Rights.SOCK_ACCEPT | Rights.FD_FDSTAT_SET_FLAGS | Rights.POLL_FD_READWRITE


FDFLAG_APPEND: Final = 1
FDFLAG_DSYNC: Final = 2
FDFLAG_NONBLOCK: Final = 4
FDFLAG_RSYNC: Final = 8
FDFLAG_SYNC: Final = 16
OFLAG_CREAT: Final = 1
OFLAG_DIRECTORY: Final = 2
OFLAG_EXCL: Final = 4
OFLAG_TRUNC: Final = 8
ATIM: Final = 1
ATIM_NOW: Final = 2
MTIM: Final = 4
MTIM_NOW: Final = 8
SYMLINK_FOLLOW: Final = 1
"""The only one of the `lookupflags`."""
RECV_PEEK: Final = 1
RECV_WAITALL: Final = 2
SHUTDOWN_READ: Final = 1
SHUTDOWN_WRITE: Final = 2
CLOCK_ABSTIME: Final = 1
FD_HANGUP: Final = 1

REALTIME: Final = 0
MONOTONIC: Final = 1
EVENT_CLOCK: Final = 0
EVENT_FD_READ: Final = 1
EVENT_FD_WRITE: Final = 2

U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")
IOVEC: Final = struct.Struct("<II")
FDSTAT: Final = struct.Struct("<BxH4xQQ")
FILESTAT: Final = struct.Struct("<QQB7xQQQQQ")
DIRENT: Final = struct.Struct("<QQIB3x")
PRESTAT: Final = struct.Struct("<B3xI")
SUBSCRIPTION: Final = struct.Struct("<QB7xI4xQQH6x")
"""User data, tag; then for a clock its number, the time, the precision, flags; else a descriptor first."""
EVENT: Final = struct.Struct("<QHB5xQH6x")

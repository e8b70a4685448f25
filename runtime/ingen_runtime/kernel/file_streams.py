"""Files as streams: bytes in from an offset on, bytes out from an offset on or to the end."""

from __future__ import annotations

from ingen_runtime.kernel.files import File
from ingen_runtime.kernel.streams import BytesLike, InputStream, OutputStream
from ingen_runtime.readiness import ALWAYS


class FileInput(InputStream):
    """Reads a file from an offset on. The file stays open when the stream is closed."""

    def __init__(self, file: File, offset: int) -> None:
        self.readable = ALWAYS
        self._file = file
        self._offset = offset

    def read(self, limit: int) -> bytes:
        data = self._file.read(limit, self._offset)
        self._offset += len(data)
        return data

    def close(self) -> None:
        pass


class FileOutput(OutputStream):
    """Writes a file from an offset on; where that is None, each write goes to the end as it is then.

    The file stays open when the stream is closed.
    """

    def __init__(self, file: File, offset: int | None) -> None:
        self.writable = ALWAYS
        self._file = file
        self._offset = offset

    def write(self, data: BytesLike) -> int:
        if self._offset is None:
            return self._file.write(data, self._file.stat().size)
        count = self._file.write(data, self._offset)
        self._offset += count
        return count

    def close(self) -> None:
        pass

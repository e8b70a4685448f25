"""What a guest is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ingen_runtime.kernel.errors import FileError, FileErrorKind


@contextmanager
def refused(kind: FileErrorKind) -> Iterator[None]:
    """The operation inside fails like this."""
    with pytest.raises(FileError) as caught:
        yield
    assert caught.value.kind is kind, str(caught.value)

"""The text form of WebAssembly (`.wat`), as far as anything here needs it: turned into the binary form."""

from __future__ import annotations

import ctypes

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.traps import take_error_message
from ingen_runtime.errors import ComponentFormatError


def text_to_binary(text: bytes) -> bytes:
    """Assemble a module or component in text form.

    Raises: ComponentFormatError where the text is wrong.
    """
    vec = c.ByteVec()
    error = c.wat2wasm(text, len(text), ctypes.byref(vec))
    if error:
        raise ComponentFormatError(take_error_message(error))
    return c.take_bytes(vec)


def wat_to_wasm(text: str) -> bytes:
    """The same for text that is a string."""
    return text_to_binary(text.encode())

"""The text form of WebAssembly (`.wat`), as far as anything here needs it: turned into the binary form."""

from __future__ import annotations

import wasmtime

from ingen_runtime.errors import ComponentFormatError


def text_to_binary(text: bytes) -> bytes:
    """Assemble a module or component in text form.

    Raises: ComponentFormatError where the text is wrong.
    """
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise ComponentFormatError(str(error)) from None

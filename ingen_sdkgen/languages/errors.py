"""What a target language cannot express."""

from __future__ import annotations

from ingen_sdkgen.diagnostics import WitError
from ingen_sdkgen.model import Span


class CodegenError(WitError):
    """An item of valid WIT that bindings for a language cannot have.

    `language` and `item` name the two; `span` is where the item is written, None where the WIT came from a
    binary.
    """

    def __init__(self, language: str, item: str, reason: str, span: Span | None = None) -> None:
        super().__init__(f"{item}: {reason}", span)
        self.language = language
        self.item = item

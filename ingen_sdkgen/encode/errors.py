"""What the encoder refuses."""

from __future__ import annotations

from ingen_runtime.errors import IngenError


class EncodeError(IngenError):
    """The IR has no binary form."""

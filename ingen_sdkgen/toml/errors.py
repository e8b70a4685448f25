"""What is wrong with a TOML file that a person wrote."""

from __future__ import annotations

from ingen_sdkgen.diagnostics import WitError


class TomlError(WitError):
    """One mistake in a project file or a `language.toml`."""

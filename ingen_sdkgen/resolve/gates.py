"""Feature gates: what is in, and what is out.

Source: WIT.md, "Feature Gates".
"""

from __future__ import annotations

from ingen_sdkgen.diagnostics import GateError
from ingen_sdkgen.model import PackageName, Span, Stability, Stable, Unstable
from ingen_sdkgen.semver import Version


class Gatekeeper:
    """Knows which features are on."""

    def __init__(self, features: frozenset[str] = frozenset(), *, all_features: bool = False) -> None:
        self._features = features
        self._all = all_features

    def lets_in(self, stability: Stability, package: PackageName, span: Span) -> bool:
        """Whether an item of `package` with this stability is part of the result.

        Raises: GateError where `@since` names a version that the package has not reached.
        """
        match stability:
            case None:
                return True
            case Unstable(feature):
                return self._all or feature in self._features
            case Stable(since):
                if package.version is None:
                    raise GateError(
                        f"`@since` is used in package `{package}`, which has no version",
                        span,
                        hint=f"give it one: `package {package}@{since};`",
                    )
                if Version.parse(since) > Version.parse(package.version):
                    raise GateError(
                        f"`@since` names version {since}, but the package is at {package.version}",
                        span,
                        hint="raise the package's version, or use `@unstable(feature = …)` until then",
                    )
                return True

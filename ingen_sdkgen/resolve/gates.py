"""Feature gates: what is in, and what is out.

Source: WIT.md, "Feature Gates".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from ingen_sdkgen.diagnostics import GateError
from ingen_sdkgen.model import PackageName, Span, Stability, Stable, Unstable


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version, ordered by precedence; build parts break ties, so that the order is total."""

    core: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...]
    has_pre: bool
    build: str

    @staticmethod
    def parse(text: str) -> Version:
        """Read a valid version."""
        rest, _, build = text.partition("+")
        core, _, pre = rest.partition("-")
        parts = tuple(
            (0, int(part), "") if re.fullmatch(r"[0-9]+", part) else (1, 0, part)
            for part in (pre.split(".") if pre else ())
        )
        return Version(tuple(int(number) for number in core.split(".")), parts, bool(pre), build)

    def __lt__(self, other: Version) -> bool:
        # A pre-release comes before its release.
        return (self.core, not self.has_pre, self.pre, self.build) < (
            other.core,
            not other.has_pre,
            other.pre,
            other.build,
        )


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

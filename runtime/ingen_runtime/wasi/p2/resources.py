"""What all resources of WASI 0.2 have in common: some live only as long as others do."""

from __future__ import annotations

from ingen_runtime.errors import Trap, TrapKind


class Resource:
    """A resource that may be derived from another one, its parent, which must not be dropped before it."""

    __slots__ = ("_children", "_parent")

    def __init__(self, parent: Resource | None = None) -> None:
        self._children = 0
        self._parent = parent
        if parent is not None:
            parent._children += 1

    def drop(self) -> None:
        """The guest has given up its last handle.

        Raises: Trap while something that was derived from it is alive.
        """
        if self._children:
            what = f"{self._children} derived from it" if self._children > 1 else "one derived from it"
            raise Trap(TrapKind.OTHER, f"a resource ({type(self).__name__}) was dropped before {what}")
        if self._parent is not None:
            self._parent._children -= 1
        self._release()

    def _release(self) -> None:
        """Give up what it stands for."""

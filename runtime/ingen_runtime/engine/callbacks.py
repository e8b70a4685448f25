"""What C callbacks look up by the number that wasmtime passes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingen_runtime.engine.host import Failure


class Callbacks:
    """For each number a function, and where its failure goes.

    Lists, because a callback that handles a failure may have no Python stack left: comparing the keys of a
    dict takes some, an index of a list does not. Numbers are used again.
    """

    __slots__ = ("_free", "_lock", "failures", "functions")

    def __init__(self) -> None:
        self.functions: list[Any] = []
        self.failures: list[Any] = []
        self._free: list[int] = []
        # The garbage collector may close a store, and so remove, in the middle of `add`.
        self._lock = threading.RLock()

    def add(self, function: Callable[..., Any], failure: Failure) -> int:
        """The number of what is added."""
        with self._lock:
            if self._free:
                number = self._free.pop()
                self.functions[number], self.failures[number] = function, failure
            else:
                number = len(self.functions)
                self.functions.append(function)
                self.failures.append(failure)
        return number

    def remove(self, number: int) -> None:
        """Nothing calls back with this number any more."""
        with self._lock:
            self.functions[number] = self.failures[number] = None
            self._free.append(number)

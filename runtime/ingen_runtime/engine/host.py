"""Host functions: Python callables that a guest imports.

One C callback serves all host functions of one signature. wasmtime passes it the host function's number,
under which the tables here find the callable and the store that it belongs to. They hold no strong reference:
a store keeps its host functions, and takes them out of the tables when it is closed or collected.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from types import CellType
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.callbacks import Callbacks
from ingen_runtime.engine.calls import dispatch_code, function_from
from ingen_runtime.engine.signature import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingen_runtime.engine.engine import Engine


class Failure:
    """What a callback left behind for the Python code that called the guest."""

    __slots__ = ("error", "exception", "trap")

    def __init__(self) -> None:
        self.exception: BaseException | None = None
        """What the host function raised; or our own reason to stop the guest."""
        self.trap = 0
        """A trap, made in advance, that the next failing callback returns."""
        self.error = 0
        """The same, as an error, for the epoch callback."""
        self.renew()

    def renew(self) -> None:
        """Have a trap and an error at hand again."""
        if not self.trap:
            self.trap = c.trap_new(_STOPPED, len(_STOPPED))
        if not self.error:
            self.error = c.error_new(_STOPPED)

    def free(self) -> None:
        if self.trap:
            c.trap_delete(self.trap)
            self.trap = 0
        if self.error:
            c.error_delete(self.error)
            self.error = 0


_STOPPED: Final = b"stopped by the host"

_callbacks: Final = Callbacks()


@functools.cache
def _callback(type_: CoreFuncType) -> Any:
    """The C callback of all host functions of one signature."""
    code = dispatch_code(len(type_.params), len(type_.results))
    return c.UncheckedCallback(function_from(code, dispatch_cells(type_)))


def dispatch_cells(type_: CoreFuncType) -> dict[str, CellType]:
    """The free variables of a callback, by name: see `calls.dispatch_code`."""
    signature = signature_of(type_)
    buffer_type = ctypes.c_char * (signature.slots * c.RAW_SLOT_SIZE)
    return {
        "failures": CellType(_callbacks.failures),
        "functions": CellType(_callbacks.functions),
        "pack": CellType(signature.results.pack_into),
        "unpack": CellType(signature.params.unpack_from),
        "window": CellType(buffer_type.from_address),
    }


class HostFunctions:
    """The host functions of one store."""

    __slots__ = ("_failure", "_kept", "_numbers")

    def __init__(self, failure: Failure) -> None:
        self._failure = failure
        self._numbers: list[int] = []
        self._kept: list[Callable[..., Any]] = []

    def define(
        self,
        engine: Engine,
        context: int,
        type_: CoreFuncType,
        function: Callable[..., Any],
        callback: Any = None,
    ) -> bytes:
        """Make `function` a core function of the store; returns the extern.

        `callback` is the C callback that calls it, where it is not one that unpacks values.
        """
        callback = callback or _callback(type_)
        try:
            reference = weakref.ref(function)
        except TypeError:  # some callables written in C take no weak reference

            def wrapped(*arguments: Any, _function: Callable[..., Any] = function) -> Any:
                return _function(*arguments)

            function, reference = wrapped, weakref.ref(wrapped)
        number = _callbacks.add(reference, self._failure)
        self._numbers.append(number)
        self._kept.append(function)
        func = c.Func()
        c.func_new_unchecked(context, engine.functype(type_), callback, number, None, ctypes.byref(func))
        return _EXTERN_FUNC + bytes(func) + bytes(c.EXTERN_SIZE - len(_EXTERN_FUNC) - ctypes.sizeof(func))

    def forget(self) -> None:
        """Take all out of the tables; the store is gone."""
        for number in self._numbers:
            _callbacks.remove(number)
        self._numbers.clear()
        self._kept.clear()


_EXTERN_FUNC: Final = bytes([c.EXTERN_FUNC]) + bytes(c.EXTERN_OF_OFFSET - 1)

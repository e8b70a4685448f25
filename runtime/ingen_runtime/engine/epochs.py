"""What happens when time has passed while a guest ran: one callback for all stores.

wasmtime passes it the number that the store has in a table here, which keeps no store alive.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.callbacks import Callbacks
from ingen_runtime.engine.calls import cover_entry

if TYPE_CHECKING:
    from ingen_runtime.engine.host import Failure
    from ingen_runtime.engine.store import CoreStore

_callbacks: Final = Callbacks()
_stores: Final = _callbacks.functions
_failures: Final = _callbacks.failures


def watch(store: CoreStore, failure: Failure) -> int:
    """From now on `store.on_epoch` decides when time has passed; what it raises stops the guest.

    Returns the number to `forget`.
    """
    number = _callbacks.add(weakref.ref(store), failure)
    c.store_epoch_deadline_callback(store.ptr, _ON_EPOCH, number, None)
    return number


def forget(number: int) -> None:
    """The store is gone."""
    _callbacks.remove(number)


def _on_epoch(context: int, number: int, delta: Any, kind: Any) -> int:
    try:
        delta[0] = 1
        store = _stores[number]()
        kind[0] = c.EPOCH_YIELD if store is not None and store.on_epoch() else c.EPOCH_CONTINUE
        return 0
    except BaseException as exception:
        # As in `dispatch`: nothing here may fail, so nothing is called.
        failure = _failures[number]
        failure.exception = exception
        error: int = failure.error
        failure.error = 0
        return error


_on_epoch.__code__ = cover_entry(_on_epoch.__code__)
_ON_EPOCH: Final = c.EpochCallback(_on_epoch)

"""The IR as bytes, to be read again by the same version.

A pickle that can name nothing but the classes of the IR: reading one that a stranger wrote gives a wrong
value at worst, and runs nothing.
"""

from __future__ import annotations

import enum
import io
import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from ingen_sdkgen import model
from ingen_sdkgen.model import Resolve

_PROTOCOL = 5

_CLASSES: dict[str, type] = {
    name: value
    for name, value in vars(model).items()
    if isinstance(value, type)
    and value.__module__ == model.__name__
    and (is_dataclass(value) or issubclass(value, enum.Enum))
}
_FIELDS: dict[type, tuple[str, ...]] = {
    value: tuple(field.name for field in fields(value)) for value in _CLASSES.values() if is_dataclass(value)
}


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        # Calling the class with all fields in order reads back three times as fast as setting state.
        names = _FIELDS.get(type(value))
        return (
            NotImplemented
            if names is None
            else (type(value), tuple([getattr(value, name) for name in names]))
        )


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if module != model.__name__ or name not in _CLASSES:
            raise pickle.UnpicklingError(f"{module}.{name} is no class of the IR")
        return _CLASSES[name]


def dump_ir(resolve: Resolve) -> bytes:
    """The IR as bytes, spans included."""
    out = io.BytesIO()
    _Pickler(out, protocol=_PROTOCOL).dump(resolve)
    return out.getvalue()


def load_ir(data: bytes) -> Resolve:
    """What `dump_ir` was given.

    Raises: ValueError for bytes that `dump_ir` of this version did not write, as far as that can be told.
    """
    try:
        value = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # a foreign pickle fails in any way it likes
        raise ValueError("not the bytes of an IR") from error
    if not isinstance(value, Resolve):
        raise ValueError("not the bytes of an IR")
    return value

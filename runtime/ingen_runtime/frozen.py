"""Frozen classes that cost next to nothing to make.

`frozen` gives what `dataclass(frozen=True, slots=True)` gives, but compiles a constructor only when it is
first called, and no other method. The runtime has some sixty such classes; as dataclasses they would take
half of the time that importing it takes, and most are not used in most processes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, eq: bool = True, uncompared: tuple[str, ...] = ()) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True)
def frozen(cls: Any = None, /, *, eq: bool = True, uncompared: tuple[str, ...] = ()) -> Any:
    """A class whose annotated names are the slots and, in this order, the constructor's parameters.

    Objects compare and hash by class and fields, without those in `uncompared`; with `eq=False`, by identity.
    """
    if cls is None:
        return lambda cls: _make(cls, eq, uncompared)
    return _make(cls, eq, uncompared)


def _make(cls: type[Any], eq: bool, uncompared: tuple[str, ...]) -> Any:
    namespace = dict(cls.__dict__)
    names = tuple(name for name, type_ in cls.__annotations__.items() if not type_.startswith("ClassVar"))
    defaults = {name: namespace.pop(name) for name in names if name in namespace}
    for name in ("__dict__", "__weakref__"):
        namespace.pop(name, None)
    # Slots and defaults cannot share a class's namespace, so the class is made once more.
    namespace["__slots__"] = names
    namespace["__match_args__"] = names
    namespace["__setattr__"] = _refuse_to_set
    namespace["__delattr__"] = _refuse_to_delete
    namespace["__reduce__"] = _reduce
    namespace.setdefault("__repr__", _repr)
    compared = tuple(name for name in names if name not in uncompared)
    if eq and compared:
        key = attrgetter(*compared)

        def __eq__(self: Any, other: object) -> bool:
            return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self: Any) -> int:
            return hash(key(self))

        namespace["__eq__"] = __eq__
        namespace["__hash__"] = __hash__
    elif eq:
        namespace["__eq__"] = _same_class
        namespace["__hash__"] = _class_hash

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        constructor = _constructor(made, names, defaults)
        made.__init__ = constructor
        constructor(self, *args, **kwargs)

    namespace["__init__"] = __init__
    metaclass: Any = type(cls)
    made: Any = metaclass(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _constructor(made: Any, names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    params = ", ".join(f"{name}=_default_{name}" if name in defaults else name for name in names)
    lines = [f"    _set_{name}(self, {name})" for name in names]
    if hasattr(made, "__post_init__"):
        lines.append("    self.__post_init__()")
    scope = {f"_set_{name}": getattr(made, name).__set__ for name in names}
    scope |= {f"_default_{name}": value for name, value in defaults.items()}
    exec(f"def __init__(self, {params}):\n" + "\n".join(lines or ["    pass"]), scope)  # field names only
    constructor: Callable[..., None] = scope["__init__"]
    constructor.__qualname__ = f"{made.__qualname__}.__init__"
    return constructor


def _refuse_to_set(self: object, name: str, value: object) -> NoReturn:
    raise AttributeError(f"cannot assign to {name!r} of a {type(self).__name__}")


def _refuse_to_delete(self: object, name: str) -> NoReturn:
    raise AttributeError(f"cannot delete {name!r} of a {type(self).__name__}")


def _reduce(self: Any) -> tuple[Any, tuple[Any, ...]]:
    return type(self), tuple(getattr(self, name) for name in self.__match_args__)


def _repr(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({fields})"


def _same_class(self: object, other: object) -> bool:
    return True if other.__class__ is self.__class__ else NotImplemented


def _class_hash(self: object) -> int:
    return hash(type(self))

"""Resource types at run time, and the objects that the host holds for resources of guests.

A resource's representation (`rep`) is an i32 where a guest defines the resource, and the Python object
itself where the host does.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ingen_runtime.canonical.handles import InstanceState, Loan
from ingen_runtime.errors import HostValueError


class Resource(ABC):
    """A resource type at run time: one for each evaluation of its definition.

    `instance` is the component instance that implements it, None for the host; `destructor` takes the rep.
    The abstract methods are how the host passes and receives resources.
    """

    __slots__ = ("destructor", "instance", "name")

    def __init__(
        self,
        name: str,
        instance: InstanceState | None = None,
        destructor: Callable[[Any], object] | None = None,
    ) -> None:
        self.name = name
        self.instance = instance
        self.destructor = destructor

    def __repr__(self) -> str:
        return f"<resource {self.name}>"

    @abstractmethod
    def give(self, value: object) -> Any:
        """The rep of an object that the host passes as `own`; ownership moves.

        Raises: HostValueError.
        """

    @abstractmethod
    def lend(self, value: object, loans: list[Loan]) -> Any:
        """The rep of an object that the host passes as `borrow`; a loan may be added to `loans`.

        Raises: HostValueError.
        """

    @abstractmethod
    def receive(self, rep: Any) -> object:
        """The object for an `own` that the host gets."""

    @abstractmethod
    def receive_borrow(self, rep: Any, loans: list[Loan]) -> object:
        """The object for a `borrow` that the host gets, valid until the loans are released."""

    @abstractmethod
    def mismatch(self, value: object) -> str | None:
        """What the host should have passed, where `value` can not be given or lent."""

    @abstractmethod
    def take_back(self, value: Any) -> None:
        """Undo `give`."""

    def destroy(self, rep: Any) -> None:
        """Run the destructor."""
        if self.destructor is not None:
            self.destructor(rep)


class HostResource(Resource):
    """A resource that the host implements: guests hold Python objects of `class_`."""

    __slots__ = ("class_",)

    def __init__(
        self,
        name: str,
        class_: type[Any] = object,
        destructor: Callable[[Any], object] | None = None,
    ) -> None:
        super().__init__(name, None, destructor)
        self.class_ = class_

    def give(self, value: object) -> Any:
        if isinstance(value, self.class_) and value is not None:
            return value
        raise HostValueError(self.name, self._expected(), _got(value))

    def lend(self, value: object, loans: list[Loan]) -> Any:
        return self.give(value)

    def receive(self, rep: Any) -> object:
        return rep

    def receive_borrow(self, rep: Any, loans: list[Loan]) -> object:
        return rep

    def take_back(self, value: Any) -> None:
        pass  # an object of the host is its own representation: giving it has changed nothing

    def mismatch(self, value: object) -> str | None:
        return None if isinstance(value, self.class_) and value is not None else self._expected()

    def _expected(self) -> str:
        return f"a resource {self.name} ({self.class_.__qualname__})"


class ResourceHandle:
    """A guest's resource in the host's hands; the base of the classes that bindings make for resources.

    A context manager: leaving it drops an owned resource. After `drop`, after ownership has moved to a guest,
    or after the call for which it was borrowed, using it raises HostValueError.
    """

    __slots__ = ("_ingen_loans", "_ingen_own", "_ingen_rep", "_ingen_resource")

    def __init__(self, resource: Resource, rep: Any, own: bool = True) -> None:
        self._ingen_resource: Resource | None = resource
        self._ingen_rep = rep
        self._ingen_own = own
        self._ingen_loans = 0

    def drop(self) -> None:
        """Give the resource up: its destructor runs, where this handle owns it. A second call does nothing.

        Raises: HostValueError while a call still borrows it.
        """
        resource = self._ingen_resource
        if resource is None:
            return
        if self._ingen_loans:
            raise HostValueError(resource.name, "a resource that is not lent", "one that a call borrows")
        self._ingen_resource = None
        if self._ingen_own:
            resource.destroy(self._ingen_rep)

    def release(self) -> None:
        """End a loan: of a borrowed handle its life, of an owned one the call that borrowed it."""
        if self._ingen_own:
            self._ingen_loans -= 1
        else:
            self._ingen_resource = None

    @property
    def is_alive(self) -> bool:
        """Whether it can still be used."""
        return self._ingen_resource is not None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.drop()

    def __repr__(self) -> str:
        if self._ingen_resource is None:
            return f"<{type(self).__name__}, dropped>"
        kind = "" if self._ingen_own else "borrowed "
        return f"<{kind}{type(self).__name__} of {self._ingen_resource.name}>"

    def __del__(self) -> None:
        if getattr(self, "_ingen_resource", None) is not None and self._ingen_own:
            warnings.warn(f"{self!r} was never dropped", ResourceWarning, stacklevel=2, source=self)


class GuestResource(Resource):
    """A resource that a guest implements: the host holds objects of `class_`."""

    __slots__ = ("class_",)

    def __init__(
        self,
        name: str,
        instance: InstanceState | None,
        destructor: Callable[[Any], object] | None = None,
        class_: type[ResourceHandle] = ResourceHandle,
    ) -> None:
        super().__init__(name, instance, destructor)
        self.class_ = class_

    def give(self, value: object) -> Any:
        handle = self._usable(value)
        if not handle._ingen_own or handle._ingen_loans:
            state = "lent to a call" if handle._ingen_own else "only borrowed"
            raise HostValueError(self.name, self._expected(), f"one that is {state}")
        handle._ingen_resource = None
        return handle._ingen_rep

    def take_back(self, value: Any) -> None:
        value._ingen_resource = self

    def lend(self, value: object, loans: list[Loan]) -> Any:
        handle = self._usable(value)
        if handle._ingen_own:
            handle._ingen_loans += 1
            loans.append(handle)
        return handle._ingen_rep

    def receive(self, rep: Any) -> object:
        return self.class_(self, rep)

    def receive_borrow(self, rep: Any, loans: list[Loan]) -> object:
        handle = self.class_(self, rep, False)
        loans.append(handle)
        return handle

    def mismatch(self, value: object) -> str | None:
        usable = isinstance(value, ResourceHandle) and value._ingen_resource is self
        return None if usable else self._expected()

    def _usable(self, value: object) -> ResourceHandle:
        if not isinstance(value, ResourceHandle):
            raise HostValueError(self.name, self._expected(), _got(value))
        if value._ingen_resource is not self:
            dead = value._ingen_resource is None
            raise HostValueError(self.name, self._expected(), "a dropped one" if dead else repr(value))
        return value

    def _expected(self) -> str:
        return f"a live resource {self.name}"


def _got(value: object) -> str:
    return f"{type(value).__name__} {value!r:.60}"

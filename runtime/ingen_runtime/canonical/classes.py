"""Which Python classes stand for the records, variants, enums, flags and errors of a component.

`ValueClasses()` makes classes from the types. A binding that has classes of its own passes them by type name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, Flag
from typing import Any, Generic, TypeVar

from ingen_runtime.canonical.names import attribute_name, class_name, member_name
from ingen_runtime.canonical.values import ResultError
from ingen_runtime.component.names import compatible_track
from ingen_runtime.component.types import EnumType, FlagsType, RecordType, ResultType, VariantType
from ingen_runtime.errors import ClassMismatchError
from ingen_runtime.frozen import frozen

_NamedType = RecordType | VariantType | EnumType | FlagsType
_T = TypeVar("_T")


@frozen
class RecordClass:
    """A record's class: called with the fields in order; `attributes` are where they can be read."""

    class_: type[Any]
    attributes: tuple[str, ...]


@frozen
class VariantClass:
    """A variant's case classes, in order. Cases with a payload are called with it, and hold it in `value`;
    the others are called with nothing.
    """

    base: type[Any] | None
    cases: tuple[type[Any], ...]


class _ByName(Generic[_T]):
    """What is brought for types, by their names; a compatible version of an interface will do."""

    def __init__(self, named: Mapping[str, _T]) -> None:
        self._named = named
        self._compatible = {_unversioned(name): value for name, value in named.items()}

    def get(self, name: str) -> _T | None:
        found = self._named.get(name)
        return self._compatible.get(_unversioned(name)) if found is None else found


def _unversioned(name: str) -> str:
    """`wasi:io/streams@0.2.6#stream-error` with as much of the version as compatible ones share."""
    interface, _, type_name = name.partition("#")
    track = compatible_track(interface)
    return name if track is None else f"{track}#{type_name}"


class ValueClasses:
    """The classes for a component's types, made when first asked for; the same type has the same class.

    `named` brings classes for types by their name (`RecordType.name` and so on):

    - a record: a dataclass with its fields in order;
    - a variant: the tuple of its case classes, in order: dataclasses whose one field is the payload's and is
      called `value`, or that have no field;
    - an enum: an `enum.Enum` whose members are the labels, in order;
    - flags: an `enum.Flag` whose members are the labels, in order, with the values 1, 2, 4, …

    A type of an interface also gets the class that is brought for a compatible version of the interface. Of
    types that no class is brought for, those with the same name and content have one class, whatever their
    interfaces: a component may call a type by the name of any interface that uses it.

    `errors` brings the exception class for functions that return `result<_, E>`, by the name of E. Other
    errors are raised as `ResultError`.

    Raises: ClassMismatchError, when a class is first asked for and does not fit.
    """

    def __init__(
        self,
        named: Mapping[str, type[Any] | tuple[type[Any], ...]] | None = None,
        errors: Mapping[str, type[ResultError]] | None = None,
        module: str = __name__,
    ) -> None:
        self._named = _ByName(named or {})
        self._errors = _ByName(errors or {})
        self._module = module
        self._made: dict[tuple[type, str | None, _NamedType], Any] = {}
        self.plans: dict[object, Any] = {}
        """What has been compiled against these classes, by what it depends on."""

    def record(self, type_: RecordType) -> RecordClass:
        """The class of a record."""
        return self._once(type_, lambda: self._record(type_))

    def variant(self, type_: VariantType) -> VariantClass:
        """The classes of a variant's cases."""
        return self._once(type_, lambda: self._variant(type_))

    def enum(self, type_: EnumType) -> type[Enum]:
        """The class of an enum."""
        return self._once(type_, lambda: self._enum(type_))

    def flags(self, type_: FlagsType) -> type[Flag]:
        """The class of flags."""
        return self._once(type_, lambda: self._flags(type_))

    def error(self, type_: ResultType) -> type[ResultError]:
        """The exception class for a function that returns this result."""
        match type_.err:
            case RecordType(name=str(name)) | VariantType(name=str(name)):
                return self._errors.get(name) or ResultError
            case EnumType(name=str(name)) | FlagsType(name=str(name)):
                return self._errors.get(name) or ResultError
            case _:
                return ResultError

    def _once(self, type_: _NamedType, make: Callable[[], _T]) -> _T:
        name = type_.name
        if name is not None and self._supplied(type_) is None:
            name = name.rpartition("#")[2]
        key = (type(type_), name, type_)
        if key not in self._made:
            self._made[key] = make()
        made: _T = self._made[key]
        return made

    def _supplied(self, type_: _NamedType) -> Any:
        return None if type_.name is None else self._named.get(type_.name)

    def _class_name(self, type_: _NamedType, otherwise: str) -> str:
        return otherwise if type_.name is None else class_name(type_.name)

    def _record(self, type_: RecordType) -> RecordClass:
        import dataclasses  # brings `inspect`, which takes longer than most calls: not all components need it

        supplied = self._supplied(type_)
        if supplied is None:
            attributes = tuple(attribute_name(field.label) for field in type_.fields)
            made = dataclasses.make_dataclass(
                self._class_name(type_, "Record"), [(name, Any) for name in attributes], slots=True
            )
            made.__module__ = self._module
            return RecordClass(made, attributes)
        if not dataclasses.is_dataclass(supplied) or not isinstance(supplied, type):
            raise ClassMismatchError(str(type_.name), f"{supplied!r} is no dataclass")
        attributes = tuple(field.name for field in dataclasses.fields(supplied) if field.init)
        if len(attributes) != len(type_.fields):
            wanted = ", ".join(field.label for field in type_.fields)
            raise ClassMismatchError(
                str(type_.name),
                f"{supplied.__qualname__} has the fields {', '.join(attributes)}, the record {wanted}",
            )
        return RecordClass(supplied, attributes)

    def _variant(self, type_: VariantType) -> VariantClass:
        import dataclasses

        supplied = self._supplied(type_)
        if supplied is not None:
            self._check_variant(type_, supplied)
            return VariantClass(None, tuple(supplied))
        name = self._class_name(type_, "Variant")
        base = type(name, (), {"__slots__": (), "__module__": self._module})
        cases: list[type[Any]] = []
        for case in type_.cases:
            case_name = class_name(case.label)
            fields = [] if case.type is None else [("value", Any)]
            made = dataclasses.make_dataclass(case_name, fields, bases=(base,), slots=True)
            made.__module__ = self._module
            made.__qualname__ = f"{name}.{case_name}"
            setattr(base, case_name, made)
            cases.append(made)
        return VariantClass(base, tuple(cases))

    def _check_variant(self, type_: VariantType, supplied: Any) -> None:
        import dataclasses

        name = str(type_.name)
        if not isinstance(supplied, tuple) or len(set(supplied)) != len(type_.cases):
            raise ClassMismatchError(name, f"a variant wants a tuple of {len(type_.cases)} case classes")
        for case, class_ in zip(type_.cases, supplied, strict=True):
            fields = [field.name for field in dataclasses.fields(class_) if field.init]
            if fields != ([] if case.type is None else ["value"]):
                wanted = "no field" if case.type is None else "the one field `value`"
                raise ClassMismatchError(name, f"{class_.__qualname__} (case {case.label}) wants {wanted}")

    def _enum(self, type_: EnumType) -> type[Enum]:
        supplied = self._supplied(type_)
        if supplied is None:
            members = [(member_name(label), label) for label in type_.labels]
            return Enum(self._class_name(type_, "Enum"), members, module=self._module)  # type: ignore[return-value]  # mypy takes the functional form for a member
        if (
            not isinstance(supplied, type)
            or not issubclass(supplied, Enum)
            or len(supplied) != len(type_.labels)
        ):
            raise ClassMismatchError(
                str(type_.name), f"an enum wants an Enum with {len(type_.labels)} members"
            )
        return supplied

    def _flags(self, type_: FlagsType) -> type[Flag]:
        supplied = self._supplied(type_)
        if supplied is None:
            members = [(member_name(label), 1 << bit) for bit, label in enumerate(type_.labels)]
            return Flag(self._class_name(type_, "Flags"), members, module=self._module)  # type: ignore[return-value]  # mypy takes the functional form for a member
        if (
            not isinstance(supplied, type)
            or not issubclass(supplied, Flag)
            or issubclass(supplied, int)
            or [member.value for member in supplied] != [1 << bit for bit in range(len(type_.labels))]
        ):
            wanted = f"flags want a Flag with {len(type_.labels)} members: 1, 2, 4, …"
            raise ClassMismatchError(str(type_.name), wanted)
        return supplied

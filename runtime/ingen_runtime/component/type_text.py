"""Component types as text that reads like WIT."""

from __future__ import annotations

from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)

MAX_TEXT_LENGTH = 400


def val_type_text(type_: ValType, *, expand: bool = False) -> str:
    """A value type as WIT writes it where it is used.

    Records, variants, enums and flags appear by their name, without its interface; those that have none, and
    all of them with `expand`, appear with their content in braces.
    """
    text = _text(type_, expand)
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 3] + "..."


def definition_text(type_: ValType) -> str:
    """A value type as WIT defines it: the content of the outermost one, names inside."""
    return _text(type_, False, is_use=False)


def short_name(name: str) -> str:
    """The name of a type without its interface."""
    return name.rpartition("#")[2]


def _text(type_: ValType, expand: bool, is_use: bool = True) -> str:
    if is_use and not expand:
        match type_:
            case RecordType(name=str(name)) | VariantType(name=str(name)):
                return short_name(name)
            case EnumType(name=str(name)) | FlagsType(name=str(name)):
                return short_name(name)
            case _:
                pass

    def of(inner: ValType) -> str:
        return _text(inner, expand)

    match type_:
        case PrimitiveType():
            return type_.value
        case RecordType(fields):
            return f"record {{ {', '.join(f'{field.label}: {of(field.type)}' for field in fields)} }}"
        case VariantType(cases):
            texts = [case.label + (f"({of(case.type)})" if case.type is not None else "") for case in cases]
            return f"variant {{ {', '.join(texts)} }}"
        case FlagsType(labels):
            return f"flags {{ {', '.join(labels)} }}"
        case EnumType(labels):
            return f"enum {{ {', '.join(labels)} }}"
        case ListType(element):
            return f"list<{of(element)}>"
        case FixedListType(element, length):
            return f"list<{of(element)}, {length}>"
        case MapType(key, value):
            return f"map<{of(key)}, {of(value)}>"
        case TupleType(types):
            return f"tuple<{', '.join(of(inner) for inner in types)}>"
        case OptionType(inner):
            return f"option<{of(inner)}>"
        case ResultType(ok, err):
            if ok is None and err is None:
                return "result"
            if err is None:
                assert ok is not None
                return f"result<{of(ok)}>"
            return f"result<{'_' if ok is None else of(ok)}, {of(err)}>"
        case OwnType(resource):
            return short_name(resource.name)
        case BorrowType(resource):
            return f"borrow<{short_name(resource.name)}>"
        case StreamType(element_type):
            return "stream" if element_type is None else f"stream<{of(element_type)}>"
        case FutureType(element_type):
            return "future" if element_type is None else f"future<{of(element_type)}>"


def func_type_text(type_: FuncType, *, expand: bool = False) -> str:
    """A function type as WIT writes it: `async func(a: u32) -> string`; `expand` as with `val_type_text`."""
    params = ", ".join(f"{label}: {val_type_text(param, expand=expand)}" for label, param in type_.params)
    result = "" if type_.result is None else f" -> {val_type_text(type_.result, expand=expand)}"
    return f"{'async ' if type_.is_async else ''}func({params}){result}"

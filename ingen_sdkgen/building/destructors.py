"""Destructors for the resources of Python guests.

componentize-py (0.25) does nothing when a resource of the guest is dropped, and keeps the handle of one that
comes back to the guest. Both show in one small core module of the component, which knows the guest's world:
it exports the destructors, and has the functions that make representations of handles in its only element
segment. So that module gets functions of ours:

- destructors that call a function which the guest's package exports for that;
- in place of each `resource.rep` one that drops the handle as well, without the destructor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingen_runtime.component.binary.reader import Reader
from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.building.stubs import CORE_MODULE, core_exports, sections
from ingen_sdkgen.encode.scope import section, string, unsigned, vector

_IMPORT, _FUNCTION, _GLOBAL, _EXPORT, _ELEMENT, _CODE = 2, 3, 6, 7, 9, 10
_REP, _DTOR = "[resource-rep]", "#[dtor]"


def with_destructors(component: bytes, told: str) -> bytes:
    """The component, with destructors that tell the exported function `told` which representation is gone.

    Raises: ComponentFormatError, where it is not what componentize-py makes.
    """
    made = [component[:8]]
    for number, content in sections(component):
        if number == CORE_MODULE and _DTOR.encode() in content:
            content = _Module(content).with_destructors(told)
        made.append(section(number, content))
    return b"".join(made)


@dataclass(slots=True)
class _Imports:
    """The imported functions by name, each with its index and type, and how many there are of what."""

    functions: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    function_count: int = 0
    global_count: int = 0


class _Module:
    def __init__(self, binary: bytes) -> None:
        self._start = binary[:8]
        self._sections = list(sections(binary))
        numbers = [number for number, _ in self._sections]
        if _GLOBAL not in numbers and _EXPORT in numbers:
            self._sections.insert(numbers.index(_EXPORT), (_GLOBAL, unsigned(0)))
        self._imports = _read_imports(self._content(_IMPORT))
        self._exports = list(core_exports(self._content(_EXPORT)))
        self._types: list[int] = []
        self._bodies: list[bytes] = []

    def with_destructors(self, told: str) -> bytes:
        imports = self._imports.functions
        functions = self._items(_FUNCTION)
        first = self._imports.function_count + functions
        giving = unsigned(self._imports.global_count + self._items(_GLOBAL))
        replaced: dict[int, int] = {}
        drop_type = None
        for (module, name), (rep, rep_type) in imports.items():
            if name.startswith(_REP):
                drop, drop_type = imports[module, f"[resource-drop]{name.removeprefix(_REP)}"]
                replaced[rep] = first + len(self._bodies)
                self._add(rep_type, _rep_and_drop(unsigned(rep), unsigned(drop), giving))
        called = next((index for name, _, index in self._exports if name == told), None)
        if drop_type is None or called is None:
            raise ComponentFormatError("a destructor without a resource", 0)
        destructor = first + len(self._bodies)
        self._add(drop_type, _destructor(unsigned(called), giving))
        self._extend(_FUNCTION, [unsigned(type_) for type_ in self._types])
        self._extend(_GLOBAL, [b"\x7f\x01\x41\x00\x0b"])  # a mutable i32 that begins as 0
        self._extend(_CODE, [unsigned(len(body)) + body for body in self._bodies])
        self._replace(_ELEMENT, _elements(self._content(_ELEMENT), replaced))
        exports = (
            string(name) + bytes([kind]) + unsigned(destructor if _DTOR in name else index)
            for name, kind, index in self._exports
        )
        self._replace(_EXPORT, vector(exports))
        return self._start + b"".join(section(number, content) for number, content in self._sections)

    def _add(self, type_: int, body: bytes) -> None:
        self._types.append(type_)
        self._bodies.append(body)

    def _content(self, number: int) -> bytes:
        found = next((content for known, content in self._sections if known == number), None)
        if found is None:
            raise ComponentFormatError(f"a module without section {number}", 0)
        return found

    def _items(self, number: int) -> int:
        return Reader(self._content(number)).u32()

    def _extend(self, number: int, items: list[bytes]) -> None:
        reader = Reader(self._content(number))
        count = reader.u32()
        rest = bytes(reader.take(reader.end - reader.position))
        self._replace(number, unsigned(count + len(items)) + rest + b"".join(items))

    def _replace(self, number: int, content: bytes) -> None:
        self._sections = [(known, content if known == number else before) for known, before in self._sections]


def _rep_and_drop(rep: bytes, drop: bytes, giving: bytes) -> bytes:
    """`(handle) -> representation`: ask, then drop the handle while `giving` is 1."""
    ask = b"\x20\x00\x10" + rep + b"\x21\x01"
    give = b"\x41\x01\x24" + giving + b"\x20\x00\x10" + drop + b"\x41\x00\x24" + giving
    return b"\x01\x01\x7f" + ask + give + b"\x20\x01\x0b"


def _destructor(called: bytes, giving: bytes) -> bytes:
    """`(representation)`: nothing while `giving` is 1, else call the guest."""
    return b"\x00\x23" + giving + b"\x04\x40\x0f\x0b\x20\x00\x10" + called + b"\x0b"


def _read_imports(content: bytes) -> _Imports:
    found, reader = _Imports(), Reader(content)
    for _ in range(reader.u32()):
        module, name, kind = reader.name(), reader.name(), reader.u8()
        match kind:
            case 0:
                found.functions[module, name] = found.function_count, reader.u32()
                found.function_count += 1
            case 1 | 2:
                if kind == 1:
                    reader.u8()
                has_maximum = reader.u8() & 1
                for _ in range(1 + has_maximum):
                    reader.u64()
            case 3:
                reader.take(2)
                found.global_count += 1
            case _:
                raise reader.error("an import of an unknown kind")
    return found


def _elements(content: bytes, replaced: dict[int, int]) -> bytes:
    """The element section, with functions replaced."""
    reader = Reader(content)
    # One active segment of functions: its table, its offset (a global), the functions.
    head = reader.u32(), reader.u32(), reader.u32(), reader.u8()
    base, end, kind = reader.u32(), reader.u8(), reader.u8()
    if head != (1, 2, 0, 0x23) or (end, kind) != (0x0B, 0):
        raise reader.error("not the element segment that is known")
    functions = vector(unsigned(replaced.get(index, index)) for index in reader.u32_vector())
    return b"\x01\x02\x00\x23" + unsigned(base) + b"\x0b\x00" + functions

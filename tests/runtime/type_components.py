"""Components made for a type: they pass its values through a guest, and show how they lie in memory."""

from __future__ import annotations

from ingen_runtime.canonical import Direction, flatten_functype
from ingen_runtime.canonical.layout import elem_size
from ingen_runtime.component.types import (
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.core_types import CoreValType

HOST = "test:types/host"


class _Definitions:
    """The definitions of a type and its parts; those that need a name come out of `source`, if it is set."""

    def __init__(self, source: str | None) -> None:
        self.lines: list[str] = []
        self._source = source
        self._names: dict[ValType, str] = {}

    def use(self, type_: ValType) -> str:
        """How a type is written where it is used; its definition is in `lines`."""
        if isinstance(type_, PrimitiveType):
            return type_.value
        if type_ not in self._names:
            # The parts come first, so that both sides number alike.
            text = self._text(type_)
            number = len(self._names)
            self._names[type_] = f"$t{number}"
            if not isinstance(type_, RecordType | VariantType | EnumType | FlagsType):
                self.lines.append(f"(type $t{number} {text})")
            elif self._source is None:
                self.lines.append(f"(type $t{number}' {text})")
                self.lines.append(f'(export "type-{number}" (type $t{number} (eq $t{number}\')))')
            else:
                self.lines.append(f'(alias export {self._source} "type-{number}" (type $t{number}))')
        return self._names[type_]

    def _text(self, type_: ValType) -> str:
        match type_:
            case RecordType(fields):
                texts = [f'(field "{field.label}" {self.use(field.type)})' for field in fields]
                return f"(record {' '.join(texts)})"
            case VariantType(cases):
                texts = [
                    f'(case "{case.label}"{"" if case.type is None else f" {self.use(case.type)}"})'
                    for case in cases
                ]
                return f"(variant {' '.join(texts)})"
            case EnumType(labels):
                return f"(enum {' '.join(map(_quoted, labels))})"
            case FlagsType(labels):
                return f"(flags {' '.join(map(_quoted, labels))})"
            case TupleType(types):
                return f"(tuple {' '.join(map(self.use, types))})"
            case ListType(element):
                return f"(list {self.use(element)})"
            case OptionType(some):
                return f"(option {self.use(some)})"
            case ResultType(ok, err):
                ok_text = "" if ok is None else f" {self.use(ok)}"
                err_text = "" if err is None else f" (error {self.use(err)})"
                return f"(result{ok_text}{err_text})"
            case _:
                raise AssertionError(type_)


def _quoted(label: str) -> str:
    return f'"{label}"'


def _values(keyword: str, types: tuple[CoreValType, ...]) -> str:
    return f"({keyword} {' '.join(map(str, types))})" if types else ""


def component_of(type_: ValType) -> str:
    """A component for a type T.

    - `echo: func(v: T) -> T` calls the import `pass: func(v: T) -> T` with what it gets, and returns what it
      gets from there.
    - `dump: func(v: list<T>) -> list<u8>` gives the bytes of the elements.
    - `undump: func(data: list<u8>) -> list<T>` takes bytes for elements.
    """
    inside, outside = _Definitions(None), _Definitions("$host")
    used_inside, used_outside = inside.use(type_), outside.use(type_)
    func = FuncType((("v", type_),), type_)
    lifted = flatten_functype(func, Direction.LIFT)
    lowered = flatten_functype(func, Direction.LOWER)
    arguments = " ".join(f"(local.get {index})" for index in range(len(lifted.params)))
    if lowered.results or len(lowered.params) == len(lifted.params):
        echo = f"(call $pass {arguments})"
    else:
        echo = f"(call $pass {arguments} (i32.const 64)) (i32.const 64)"
    size = elem_size(type_)
    options = '(memory (core memory $a "memory")) (realloc (core func $a "realloc"))'
    definitions = "\n    ".join(inside.lines)
    return f"""
(component
  (import "{HOST}" (instance $host
    {definitions}
    (export "pass" (func (param "v" {used_inside}) (result {used_inside})))))
  {" ".join(outside.lines)}
  (core module $allocator
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (loop $grow
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then (drop (memory.grow (i32.const 1))) (br $grow))))
      (local.get $at)))
  (core module $m
    (import "" "pass" (func $pass {_values("param", lowered.params)} {_values("result", lowered.results)}))
    (import "" "memory" (memory 1))
    (func (export "echo") {_values("param", lifted.params)} {_values("result", lifted.results)} {echo})
    (func $return (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "dump") (param i32 i32) (result i32)
      (call $return (local.get 0) (i32.mul (local.get 1) (i32.const {size}))))
    (func (export "undump") (param i32 i32) (result i32)
      (call $return (local.get 0) (i32.div_u (local.get 1) (i32.const {size})))))
  (core instance $a (instantiate $allocator))
  (core func $pass (canon lower (func $host "pass") {options}))
  (core instance $i (instantiate $m
    (with "" (instance (export "pass" (func $pass)) (export "memory" (memory $a "memory"))))))
  (func (export "echo") (param "v" {used_outside}) (result {used_outside})
    (canon lift (core func $i "echo") {options}))
  (func (export "dump") (param "v" (list {used_outside})) (result (list u8))
    (canon lift (core func $i "dump") {options}))
  (func (export "undump") (param "data" (list u8)) (result (list {used_outside}))
    (canon lift (core func $i "undump") {options})))
"""

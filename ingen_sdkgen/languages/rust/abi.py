"""How values cross: the expressions that load, store, lift and lower them, and the functions these call.

Four ways lead out of or into the guest, and one tidies up:

- *load* and *lift* make an owned value of what lies in memory or in core values;
- *store* and *lower* pass a view of a value, which keeps what it refers to, and gives its `own` handles away;
- *put* moves an owned value into memory for the caller to read, and *free* frees that after it was read.

For a type whose code does not fit in an expression, a function is written into the module `_ingen`, once.
"""

from __future__ import annotations

from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.rust.conversions import AbiFunctionView, Writer
from ingen_sdkgen.languages.rust.expressions import Code
from ingen_sdkgen.languages.rust.modules import ABI_PATH, Path
from ingen_sdkgen.languages.rust.names import Names, snake
from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.model import Primitive, Type
from ingen_sdkgen.rewrite import types_in

_MAX_NAME_LENGTH = 72


class Abi:
    """Writes the expressions, and collects the functions that they need."""

    def __init__(self, types: RustTypes) -> None:
        self.types = types
        self.plan = types.plan
        self._names = Names()
        self._known: dict[tuple[str, str], str] = {}
        self._functions: dict[str, AbiFunctionView] = {}

    @property
    def functions(self) -> tuple[AbiFunctionView, ...]:
        """The functions of `_ingen` that the expressions so far need, by name."""
        return tuple(self._functions[name] for name in sorted(self._functions))

    def code(self, at: Path) -> Code:
        """Expressions for code in the module `at`."""
        return Code(self.types, self.function, at)

    def function(self, operation: str, type_: Type) -> str:
        """The name of the function for a type, which is written if it is not there yet."""
        type_ = self.plan.canonical(type_)
        key = (operation, self.types.owned(type_, ABI_PATH))
        name = self._known.get(key)
        if name is None:
            name = self._names.allot(f"{operation}_{self._label(type_)}"[:_MAX_NAME_LENGTH])
            self._known[key] = name
            self._functions[name] = Writer(self.types, self.code(ABI_PATH)).write(operation, name, type_)
        return name

    def _label(self, type_: Type) -> str:
        """A type as a part of a name, which it may share with other types."""
        if isinstance(type_, Primitive):
            return snake_case(type_.value)
        planned = self.plan.types[type_]
        if planned.name is not None:
            assert planned.scope is not None, "a named type has a scope"
            module = self.types.modules.path_of(planned.scope)[-1:]
            return "_".join([*module, snake_case(planned.name)])
        word = snake(type(planned.kind).__name__.replace("FixedLengthList", "array"))
        return "_".join([word, *map(self._label, types_in(planned.kind))])

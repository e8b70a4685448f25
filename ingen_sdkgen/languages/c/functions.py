"""Imported and exported functions: what a user sees of them, and the core functions behind."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_runtime.core_types import CoreFuncType
from ingen_sdkgen.languages.c.flat import CORE_TYPES, Flat
from ingen_sdkgen.languages.c.helpers import Helpers
from ingen_sdkgen.languages.c.names import Names, local_name
from ingen_sdkgen.languages.c.statements import Statements
from ingen_sdkgen.languages.c.types import CTypes, pointer_to
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.plan import Direction, FunctionPlan
from ingen_sdkgen.model import FunctionShape, Option, Result, Type

_ACCESSORS = {
    FunctionShape.GETTER: "get",
    FunctionShape.METHOD_GETTER: "get",
    FunctionShape.STATIC_GETTER: "get",
    FunctionShape.SETTER: "set",
    FunctionShape.METHOD_SETTER: "set",
    FunctionShape.STATIC_SETTER: "set",
}


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function of the world.

    `declaration` is what users see, without semicolon; they call an import and define an export. `core` is
    the core function's declaration: of an import that is called, or of an export that calls the user's.
    `body` is that of the function which is not the user's. The post-return function of an export, if it has
    one, takes the pointer that the export returned.
    """

    docs: str | None
    declaration: str
    core: str
    core_module: str
    core_name: str
    record: tuple[str, ...]
    """Declarations of the struct members in which spilled parameters lie; empty where they do not."""
    record_name: str
    body: tuple[str, ...]
    post_return: str
    post_return_name: str
    post_return_body: tuple[str, ...]
    is_import: bool

    @property
    def is_spilled(self) -> bool:
        """Whether the parameters lie in memory."""
        return bool(self.record)

    @property
    def has_post_return(self) -> bool:
        """Whether there is a post-return function."""
        return bool(self.post_return)


@dataclass(frozen=True, slots=True)
class _Param:
    type: Type
    c_type: str
    name: str
    by_value: bool

    @property
    def value(self) -> str:
        return self.name if self.by_value else f"(*{self.name})"


class Functions:
    """Writes the functions of a plan."""

    def __init__(self, types: CTypes, helpers: Helpers, casts: set[str]) -> None:
        self._types = types
        self._plan = types.plan
        self._helpers = helpers
        self._casts = casts

    def view(self, function: FunctionPlan, prefix: str) -> FunctionView:
        """The view of a function in the scope that has this prefix."""
        name = self._types.names.claim(prefix, *self._name_parts(function))
        imported = function.direction is Direction.IMPORT
        locals_ = Names()
        params = [
            _Param(
                param.type,
                self._types.name(param.type),
                locals_.claim(local_name(param.name)),
                self._types.by_value(param.type),
            )
            for param in function.params
        ]
        returned, outs = self._results(function, locals_)
        declared = [
            f"{param.c_type} {param.name}"
            if param.by_value
            else f"{'const ' if imported else ''}{pointer_to(param.c_type)}{param.name}"
            for param in params
        ]
        declared += [f"{pointer_to(c_type)}{out}" for c_type, out in outs]
        declaration = f"{returned} {name}({', '.join(declared) or 'void'})"
        core = self._types.names.claim("ingen", "import" if imported else "export", name)
        write = self._import_body if imported else self._export_body
        record_name = f"{core}_params"
        body = write(function, core if imported else name, params, [out for _, out in outs], record_name)
        post_return, post_body = self._post_return(function)
        return FunctionView(
            docs=function.docs,
            declaration=declaration,
            core=_core_declaration(function.core, core, named=not imported),
            core_module=function.core_module or "",
            core_name=function.core_name,
            record=tuple(f"{param.c_type} f{number}" for number, param in enumerate(params))
            if function.params_spilled
            else (),
            record_name=record_name,
            body=body,
            post_return=f"void {core}_post_return(int32_t result)" if post_return else "",
            post_return_name=post_return,
            post_return_body=post_body,
            is_import=imported,
        )

    def _name_parts(self, function: FunctionPlan) -> list[str]:
        resource = [] if function.resource is None else [self._plan.types[function.resource].name or ""]
        if function.shape is FunctionShape.CONSTRUCTOR:
            return [snake_case(resource[0]), "constructor"]
        accessor = _ACCESSORS.get(function.shape, "")
        return [*map(snake_case, resource), accessor, snake_case(function.item_name)]

    def _results(self, function: FunctionPlan, names: Names) -> tuple[str, list[tuple[str, str]]]:
        """What the C function returns, and the type and name of what its last parameters point to."""
        if function.result is None:
            return "void", []
        kind = self._types.kind(function.result)
        if self._types.by_value(function.result):
            return self._types.name(function.result), []
        match kind:
            case Option(some):
                return "bool", [(self._types.name(some), names.claim("ret"))]
            case Result(ok, err):
                outs = []
                if ok is not None:
                    outs.append((self._types.name(ok), names.claim("ret")))
                if err is not None:
                    outs.append((self._types.name(err), names.claim("err")))
                return "bool", outs
            case _:
                return "void", [(self._types.name(function.result), names.claim("ret"))]

    # --- Imports ------------------------------------------------------------------------------------------

    def _import_body(
        self, function: FunctionPlan, core: str, params: list[_Param], outs: list[str], record: str
    ) -> tuple[str, ...]:
        out = Statements()
        flat = Flat(self._types, out, self._casts)
        arguments: list[str] = []
        if function.params_spilled:
            spilled = out.fresh()
            out.add(f"struct {record} {spilled};")
            for number, param in enumerate(params):
                out.add(f"{spilled}.f{number} = {_plain(param.value)};")
            arguments.append(_address(f"&{spilled}"))
        else:
            for param in params:
                arguments += flat.lower(param.type, param.value)
        if function.result is None:
            out.call(core, arguments)
            return tuple(out.lines)
        kind = self._types.kind(function.result)
        if outs and not isinstance(kind, Option | Result):
            self._call_into(function, function.result, f"(*{outs[0]})", core, arguments, out, flat)
            return tuple(out.lines)
        result = out.fresh()
        out.add(f"{self._types.name(function.result)} {result};")
        self._call_into(function, function.result, result, core, arguments, out, flat)
        match kind:
            case Option():
                with out.block(f"if ({result}.is_some)"):
                    out.add(f"*{outs[0]} = {result}.val;")
                out.add(f"return {result}.is_some;")
            case Result(ok, err):
                places = iter(outs)
                for test, payload, place in (("!", ok, "ok"), ("", err, "err")):
                    if payload is not None:
                        with out.block(f"if ({test}{result}.is_err)"):
                            out.add(f"*{next(places)} = {result}.val.{place};")
                out.add(f"return !{result}.is_err;")
            case _:
                out.add(f"return {result};")
        return tuple(out.lines)

    def _call_into(
        self,
        function: FunctionPlan,
        type_: Type,
        place: str,
        core: str,
        arguments: list[str],
        out: Statements,
        flat: Flat,
    ) -> None:
        """Call the core function, and put its result in `place`."""
        if function.result_spilled:
            address = place[2:-1] if place.startswith("(*") else f"&{place}"
            out.call(core, [*arguments, _address(address)])
            return
        (core_type,) = function.core.results
        value = out.fresh()
        out.call(f"{CORE_TYPES[core_type]} {value} = {core}", arguments)
        flat.lift(type_, place, iter([value]))

    # --- Exports ------------------------------------------------------------------------------------------

    def _export_body(
        self, function: FunctionPlan, user: str, params: list[_Param], outs: list[str], record: str
    ) -> tuple[str, ...]:
        out = Statements()
        flat = Flat(self._types, out, self._casts)
        arguments: list[str] = []
        if function.params_spilled:
            spilled = out.fresh()
            out.add(f"struct {record} {spilled} = *(struct {record} *)(intptr_t)p0;")
            out.add("free((void *)(intptr_t)p0);")
            places = [f"{spilled}.f{number}" for number in range(len(params))]
        else:
            flats = iter([f"p{number}" for number in range(len(function.core.params))])
            places = [out.fresh() for _ in params]
            for param, place in zip(params, places, strict=True):
                out.add(f"{param.c_type} {place};")
                flat.lift(param.type, place, flats)
        for param, place in zip(params, places, strict=True):
            arguments.append(place if param.by_value else f"&{place}")
        if function.result is None:
            out.call(user, arguments)
            return tuple(out.lines)
        result = out.fresh()
        storage = "static " if function.result_spilled else ""
        out.add(f"{storage}{self._types.name(function.result)} {result};")
        match self._types.kind(function.result):
            case Option():
                out.call(f"{result}.is_some = {user}", [*arguments, f"&{result}.val"])
            case Result(ok, err):
                arguments += [f"&{result}.val.ok"] * (ok is not None)
                arguments += [f"&{result}.val.err"] * (err is not None)
                out.call(f"{result}.is_err = !{user}", arguments)
            case _ if outs:
                out.call(user, [*arguments, f"&{result}"])
            case _:
                out.call(f"{result} = {user}", arguments)
        if function.result_spilled:
            out.add(f"return {_address(f'&{result}')};")
        else:
            (value,) = flat.lower(function.result, result)
            out.add(f"return {value};")
        return tuple(out.lines)

    def _post_return(self, function: FunctionPlan) -> tuple[str, tuple[str, ...]]:
        if function.post_return is None or function.result is None:
            return "", ()
        out = Statements()
        name = self._types.name(function.result)
        out.add(f"{pointer_to(name)}value = ({pointer_to(name)})(intptr_t)result;")
        out.add(self._helpers.memory_free(function.result, "(*value)"))
        return function.post_return, tuple(out.lines)


def _address(pointer: str) -> str:
    return f"(int32_t)(intptr_t){pointer}"


def _plain(value: str) -> str:
    return value[1:-1] if value.startswith("(*") else value


def _core_declaration(type_: CoreFuncType, name: str, *, named: bool) -> str:
    params = [
        f"{CORE_TYPES[core]} p{number}" if named else CORE_TYPES[core]
        for number, core in enumerate(type_.params)
    ]
    result = CORE_TYPES[type_.results[0]] if type_.results else "void"
    return f"{result} {name}({', '.join(params) or 'void'})"

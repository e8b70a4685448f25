"""The command `python -m ingen_runtime`: calls what a component exports, with values in WAVE."""

from __future__ import annotations

import argparse
import difflib
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ingen_runtime.canonical import Err, Ok, ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.interface import ItemInfo
from ingen_runtime.component.linker import Linker
from ingen_runtime.component.type_text import func_type_text, val_type_text
from ingen_runtime.component.types import FuncType, OptionType, ResultType, ValType
from ingen_runtime.engine import CoreStore, StoreLimits
from ingen_runtime.errors import IngenError
from ingen_runtime.exit_status import EXIT_OK, EXIT_USAGE, EXIT_USER, report
from ingen_runtime.frozen import frozen
from ingen_runtime.wave import WaveError, parse_value, print_value, textless_part

_MOST_MEBIBYTES = 1 << 43
"""The 8 EiB that a 64-bit memory could have."""

_EPILOG = """\
Values are written in WAVE:
  u8 to s64, f32, f64   42, -7, 2.5e3, inf, nan
  bool, char, string    true, 'x', "text"
  list, tuple           [1, 2, 3], ("a", 1)
  record, flags         {x: 1, y: 2}, {read, write}
  variant, enum         circle(1.5), north
  option, result        none, some(1), ok(1), err("why")

examples:
  python -m ingen_runtime greeter.wasm                          what can be called
  python -m ingen_runtime greeter.wasm greet '"world"'
  python -m ingen_runtime shapes.wasm shapes.area '{width: 2, height: 3}'
  python -m ingen_runtime shapes.wasm ingen:demo/shapes@1.0.0#scale 2.5

Imports of the component trap when they are called.

exit status:
  0   the function has returned; its result is on standard output
  1   it has returned an error result, or was stopped; or the file or a value is wrong
  2   the command line is wrong
  70  a bug in ingen
"""


class UsageError(IngenError):
    """The command line does not fit what the component exports."""


@frozen
class Function:
    """An exported function: the name of its instance (empty at the root), its own name and type."""

    instance: str
    name: str
    type: FuncType

    @property
    def path(self) -> str:
        """The name that tells it from all others."""
        return f"{self.instance}#{self.name}" if self.instance else self.name

    def answers_to(self, name: str) -> bool:
        """Whether `name` is the function's whole name, or a short one: `iface.f`, or `f`."""
        instance = self.instance.partition("@")[0]
        short = instance.rpartition("/")[2]
        return name in {
            self.path,
            self.name,
            f"{instance}#{self.name}",
            f"{short}#{self.name}",
            f"{short}.{self.name}",
        }


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    try:
        return _run(_parser().parse_args(arguments))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except WaveError as error:
        print(f"error: {error.render()}", file=sys.stderr)
        return EXIT_USER
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
            return EXIT_USER
        return report(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingen_runtime",
        usage="%(prog)s [--timeout SECONDS] [--memory MIB] FILE [FUNCTION [ARGUMENT ...]]",
        description="Call a function that a WebAssembly component exports, and print its result.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="stop the guest after this time")
    parser.add_argument(
        "--memory", type=_mebibytes, metavar="MIB", help="how large each linear memory may become"
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a component, or a core module with a world")
    # Everything after the file is taken as it is, because values may begin with a minus.
    call = parser.add_argument("call", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    call.required = False  # else it is named where FILE is missing
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds above 0")
    return seconds


def _mebibytes(text: str) -> int:
    count = int(text)
    if not 0 < count <= _MOST_MEBIBYTES:
        raise argparse.ArgumentTypeError(f"`{text}` is not from 1 to {_MOST_MEBIBYTES} (MiB)")
    return count


def _run(options: argparse.Namespace) -> int:
    component = Component.from_file(options.file)
    functions = list(_functions(component.exports))
    if not options.call:
        for function in functions:
            print(f"{function.path}: {func_type_text(function.type)}")
        return EXIT_OK
    name, *texts = options.call
    function = _find(functions, name)
    values = _arguments(function, texts, component)
    return _call(component, function, values, options)


def _functions(items: Any, instance: str = "") -> Iterator[Function]:
    for item in items.values():
        assert isinstance(item, ItemInfo)
        if item.func is not None:
            yield Function(instance, item.name, item.func)
        if not instance:
            yield from _functions(item.items, item.name)


def _find(functions: list[Function], name: str) -> Function:
    for function in functions:
        if function.path == name:
            return function
    found = [function for function in functions if function.answers_to(name)]
    if len(found) == 1:
        return found[0]
    if found:
        paths = ", ".join(function.path for function in found)
        raise UsageError(f"`{name}` is one of {paths}: which?")
    if not functions:
        raise UsageError("the component exports no functions")
    known = {text: function.path for function in functions for text in (function.path, function.name)}
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"is it `{known[near[0]]}`?" if near else "without a FUNCTION, all are listed"
    raise UsageError(f"the component exports no function `{name}`: {hint}")


def _arguments(function: Function, texts: list[str], component: Component) -> list[Any]:
    params, signature = function.type.params, f"{function.path}: {func_type_text(function.type)}"
    for type_ in [*(param for _, param in params), function.type.result]:
        part = None if type_ is None else textless_part(type_)
        if part is not None:
            raise UsageError(f"values of the type {val_type_text(part)} have no text form: {signature}")
    least = len(params)
    while least and isinstance(params[least - 1][1], OptionType):
        least -= 1
    if not least <= len(texts) <= len(params):
        wanted = f"{least} to {len(params)}" if least < len(params) else str(least)
        raise UsageError(f"{wanted} arguments are needed, not {len(texts)}: {signature}")
    values: list[Any] = [None] * len(params)
    for index, (text, (label, type_)) in enumerate(zip(texts, params, strict=False)):
        values[index] = _argument(text, label, type_, component)
    return values


def _argument(text: str, label: str, type_: ValType, component: Component) -> Any:
    try:
        return parse_value(text, type_, component.classes)
    except WaveError as error:
        error.message = f"{label}: {error.message}"
        raise


def _call(component: Component, function: Function, values: list[Any], options: argparse.Namespace) -> int:
    limits = StoreLimits(memory_bytes=None if options.memory is None else options.memory << 20)
    store = CoreStore(component.engine, limits)
    if options.timeout is not None:
        store.set_timeout(options.timeout)
    instance: Instance = Linker().trap_missing().instantiate(component, store=store)
    exports: Any = instance.exports[function.instance] if function.instance else instance.exports
    status, type_ = EXIT_OK, function.type.result
    try:
        result = exports[function.name](*values)
        if isinstance(type_, ResultType):
            result = Ok(result)
    except ResultError as error:
        result, status = Err(error.value), EXIT_USER
    if type_ is not None:
        print(print_value(result, type_, component.classes))
    sys.stdout.flush()
    return status

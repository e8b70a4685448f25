"""Source of the functions that cross the boundary, compiled once per number of parameters and results.

`invoke` calls a guest function, `dispatch` is called by the guest. Both are written out for their number of
values, because packing a fixed number costs less than `*args`; the arguments of the native call never change,
and ctypes takes the same tuple again and again.

Three rules keep the process alive, because wasmtime would take whatever a failed ctypes callback leaves in
the return register as the address of a trap:

- `dispatch` catches everything, also what a signal handler raises at its first instruction: see
  `cover_entry`.
- Its handler makes no call, so nothing can fail in it. It hands over a trap that was made in advance.
- `invoke` calls `probe` before it enters the guest: where that finds room on Python's stack,
  `dispatch` can start as well. Else the RecursionError is raised here, where Python sees it.
"""

from __future__ import annotations

import functools
import linecache
import sys
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingen_runtime.engine.host import Failure


def probe(failure: Failure) -> None:
    """Have ready what a callback will need, of Python's stack as well: Python 3.11 counts ctypes' call as a
    frame, too.
    """
    if not (failure.trap and failure.error):
        # The last failure came where the stack was full.
        failure.renew()
    _deeper()


def _deeper() -> None:
    pass


def _names(prefix: str, count: int) -> str:
    return ", ".join([f"{prefix}{index}" for index in range(count)])


@functools.cache
def invoke_code(param_count: int, result_count: int) -> CodeType:
    """The code of a function that calls a guest: takes its arguments, returns None, its result or a tuple."""
    params = _names("a", param_count)
    pack = f"pack(raw, 0, {params})" if param_count else "pass"
    returns = {0: "None", 1: "unpack(raw)[0]"}.get(result_count, "unpack(raw)")
    return _inner_code(
        f"<call of a core function: {param_count} to {result_count}>",
        f"""\
def outer():
    abandon = active = arguments = call = fail = failure = pack = raw = trap = unpack = 0
    def invoke({params}):
        nonlocal active
        probe(failure)
        {pack}
        active += 1
        try:
            error = call(*arguments)
        except BaseException:
            abandon()
            raise
        finally:
            active -= 1
        if error or trap:
            fail(error)
        return {returns}
    return invoke, (abandon, arguments, call, fail, failure, pack, raw, trap, unpack)
""",
    )


@functools.cache
def dispatch_code(param_count: int, result_count: int) -> CodeType:
    """The code of a callback that unpacks the raw slots, calls the host function and packs its results."""
    params = _names("a", param_count)
    unpack = f"{params}, = unpack(raw)" if param_count else "pass"
    call = f"functions[environment]()({params})"
    if result_count == 1:
        call = f"pack(raw, 0, {call})"
    elif result_count:
        call = f"pack(raw, 0, *{call})"
    return _dispatch_code(f"{param_count} to {result_count}", unpack, call)


@functools.cache
def raw_dispatch_code() -> CodeType:
    """The code of a callback that hands the raw slots to the host function, to read and to write."""
    return _dispatch_code("raw slots", "pass", "functions[environment]()(raw, 0)")


def _dispatch_code(what: str, unpack: str, call: str) -> CodeType:
    return cover_entry(
        _inner_code(
            f"<call of a host function: {what}>",
            f"""\
def outer():
    failures = functions = pack = unpack = window = 0
    def dispatch(environment, caller, address):
        try:
            raw = window(address)
            {unpack}
            {call}
            return 0
        except BaseException as error:
            failure = failures[environment]
            failure.exception = error
            trap = failure.trap
            failure.trap = 0
            return trap
    return dispatch, (failures, functions, pack, unpack, window)
""",
        )
    )


def _inner_code(filename: str, source: str) -> CodeType:
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec", dont_inherit=True), namespace)
    code: CodeType = namespace["outer"]()[0].__code__
    return code


def function_from(code: CodeType, cells: dict[str, CellType]) -> FunctionType:
    """A function of `code` whose free variables are the cells of their names."""
    return FunctionType(
        code, {"probe": probe}, code.co_name, None, tuple([cells[name] for name in code.co_freevars])
    )


def cover_entry(code: CodeType) -> CodeType:
    """The same code, with its first `try` also guarding the function's entry.

    CPython runs signal handlers at a function's first instruction, before a `try` in its first line begins. A
    KeyboardInterrupt that came while the guest ran would be raised right there.

    The code must begin with a `try`. Source: CPython's InternalDocs/exception_handling.md.
    """
    table = code.co_exceptiontable
    numbers: list[int] = []
    continues = False
    for byte in table:
        if byte & 0x80:  # the first byte of an entry
            if len(numbers) >= 4:
                break
            numbers.append(byte & 0x3F)
        elif numbers and continues:
            numbers[-1] = numbers[-1] << 6 | byte & 0x3F
        else:
            numbers.append(byte & 0x3F)
        continues = bool(byte & 0x40)
    start, length, target, depth_lasti = numbers[:4]
    first = _entry(0, start + length, target, depth_lasti)
    rest = table[len(_entry(start, length, target, depth_lasti)) :]
    return code.replace(co_exceptiontable=first + rest)


def _entry(start: int, length: int, target: int, depth_lasti: int) -> bytes:
    """One entry of an exception table; lengths and offsets count code units of two bytes."""
    packed = bytearray()
    for number in (start, length, target, depth_lasti):
        groups = [number & 0x3F]
        while number := number >> 6:
            groups.append(number & 0x3F)
        groups.reverse()
        packed += bytes([group | 0x40 for group in groups[:-1]]) + bytes(groups[-1:])
    packed[0] |= 0x80
    return bytes(packed)


if sys.implementation.name != "cpython":
    raise ImportError("ingen_runtime.engine needs CPython")

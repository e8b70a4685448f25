"""`wasi:cli`: what a program was started with, its standard streams, and its end."""

from __future__ import annotations

from typing import NoReturn, final

from ingen_runtime.canonical import Err, Ok
from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.kernel.streams import InputStream as KernelInput
from ingen_runtime.wasi.p2.bindings.environment import AsyncEnvironmentImports
from ingen_runtime.wasi.p2.bindings.exit import AsyncExitImports
from ingen_runtime.wasi.p2.bindings.stderr import AsyncStderrImports
from ingen_runtime.wasi.p2.bindings.stdin import AsyncStdinImports
from ingen_runtime.wasi.p2.bindings.stdout import AsyncStdoutImports
from ingen_runtime.wasi.p2.bindings.terminal_input import AsyncTerminalInputImports
from ingen_runtime.wasi.p2.bindings.terminal_output import AsyncTerminalOutputImports
from ingen_runtime.wasi.p2.bindings.terminal_stderr import AsyncTerminalStderrImports
from ingen_runtime.wasi.p2.bindings.terminal_stdin import AsyncTerminalStdinImports
from ingen_runtime.wasi.p2.bindings.terminal_stdout import AsyncTerminalStdoutImports
from ingen_runtime.wasi.p2.resources import Resource
from ingen_runtime.wasi.p2.streams import InputStream, OutputStream, Sink


class Environment(AsyncEnvironmentImports):
    """Implements `wasi:cli/environment`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def get_environment(self) -> list[tuple[str, str]]:
        return list(self._process.environment.items())

    def get_arguments(self) -> list[str]:
        return list(self._process.arguments)

    def initial_cwd(self) -> str | None:
        return None


class Exit(AsyncExitImports):
    """Implements `wasi:cli/exit`."""

    def exit(self, status: Ok[None] | Err[None]) -> NoReturn:
        raise ProcessExit(1 if isinstance(status, Err) else 0)

    def exit_with_code(self, status_code: int) -> NoReturn:
        raise ProcessExit(status_code)


class Stdin(AsyncStdinImports):
    """Implements `wasi:cli/stdin`."""

    def __init__(self, source: KernelInput) -> None:
        self._source = source

    def get_stdin(self) -> InputStream:
        return InputStream(self._source)


class Stdout(AsyncStdoutImports):
    """Implements `wasi:cli/stdout`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def get_stdout(self) -> OutputStream:
        return OutputStream(self._sink)


class Stderr(AsyncStderrImports):
    """Implements `wasi:cli/stderr`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def get_stderr(self) -> OutputStream:
        return OutputStream(self._sink)


@final
class TerminalInput(Resource):
    """The input is a terminal."""

    __slots__ = ()


@final
class TerminalOutput(Resource):
    """The output is a terminal."""

    __slots__ = ()


class TerminalInputs(AsyncTerminalInputImports):
    """Implements `wasi:cli/terminal-input`."""

    terminal_input = TerminalInput


class TerminalOutputs(AsyncTerminalOutputImports):
    """Implements `wasi:cli/terminal-output`."""

    terminal_output = TerminalOutput


class TerminalStdin(AsyncTerminalStdinImports):
    """Implements `wasi:cli/terminal-stdin`."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def get_terminal_stdin(self) -> TerminalInput | None:
        return TerminalInput() if self._is_terminal else None


class TerminalStdout(AsyncTerminalStdoutImports):
    """Implements `wasi:cli/terminal-stdout`."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def get_terminal_stdout(self) -> TerminalOutput | None:
        return TerminalOutput() if self._is_terminal else None


class TerminalStderr(AsyncTerminalStderrImports):
    """Implements `wasi:cli/terminal-stderr`."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def get_terminal_stderr(self) -> TerminalOutput | None:
        return TerminalOutput() if self._is_terminal else None

"""Runs the commands of a `.wast` script of components, as `wasm-tools json-from-wast` gives them."""

from __future__ import annotations

import json
import math
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingen_runtime.canonical import Err, Ok, ResultError, Some, ValueClasses
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.types import (
    EnumType,
    FixedListType,
    FlagsType,
    ListType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.engine import CoreModule, Engine
from ingen_runtime.errors import ComponentFormatError, IngenError, LinkError, PoisonedError, Trap

Json = dict[str, Any]


@dataclass
class Outcome:
    """What a script's commands gave: the number that passed, and a line for each that failed."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)


def convert(wasm_tools: Path, script: Path, folder: Path) -> list[Json]:
    """The commands of a script; the binaries are put in `folder`."""
    output = folder / "script.json"
    arguments = [str(wasm_tools), "json-from-wast", str(script), "-o", str(output), "--wasm-dir", str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ScriptUnreadable(done.stderr.splitlines()[0] if done.stderr else "no reason given")
    commands: list[Json] = json.loads(output.read_text())["commands"]
    return commands


class NoInstance(IngenError):
    """A script calls an instance that could not be made."""


class ScriptUnreadable(Exception):
    """wasm-tools does not know what a script has in it."""


class Script:
    """The state of a running script: definitions and instances by name, and the current instance."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._definitions: dict[str | None, Component | CoreModule] = {}
        self._instances: dict[str, Instance] = {}
        self._current: Instance | None = None

    def run(self, commands: list[Json]) -> Outcome:
        """Run all commands."""
        outcome = Outcome()
        for command in commands:
            try:
                failure = self._run(command)
            except IngenError as error:
                failure = " ".join((type(error).__name__, *str(error).splitlines()[:1]))
            if failure is None:
                outcome.passed += 1
            else:
                outcome.failures.append(f"line {command['line']}, {command['type']}: {failure}")
        return outcome

    def _run(self, command: Json) -> str | None:
        """Run one command; what went wrong, or None."""
        match command["type"]:
            case "module":
                self._current = None
                self._instantiate(self._define(command), command.get("name"))
            case "module_definition":
                self._definitions[command.get("name")] = self._define(command)
            case "module_instance":
                self._current = None
                self._instantiate(self._definitions[command.get("module")], command.get("instance"))
            case "assert_return":
                return self._assert_return(command)
            case "action":
                self._invoke(command["action"])
            case "assert_trap":
                return self._assert_trap(command)
            case "assert_invalid" | "assert_malformed":
                return self._assert_rejected(command)
            case "assert_uninstantiable" | "assert_unlinkable":
                try:
                    self._instantiate(self._define(command), None)
                except (Trap, LinkError):
                    return None
                return "it was instantiated"
            case other:
                return f"unknown command {other}"
        return None

    def _define(self, command: Json) -> Component | CoreModule:
        data = (self._folder / command["filename"]).read_bytes()
        if data[4:8] == b"\1\0\0\0":
            return CoreModule(self._engine, data)
        return Component.from_bytes(data, engine=self._engine)

    def _instantiate(self, definition: Component | CoreModule, name: str | None) -> None:
        assert isinstance(definition, Component)
        self._current = definition.instantiate()
        if name is not None:
            self._instances[name] = self._current

    def _invoke(self, action: Json) -> Any:
        name = action.get("module")
        instance = self._current if name is None else self._instances[name]
        if instance is None:
            raise NoInstance
        function = instance.function(action["field"])
        arguments = [
            from_json(argument, type_, instance.classes)
            for argument, (_, type_) in zip(action["args"], function.type.params, strict=True)
        ]
        try:
            return function(*arguments)
        except ResultError as error:
            return Err(error.value)

    def _assert_return(self, command: Json) -> str | None:
        value = self._invoke(command["action"])
        expected = command.get("expected", [])
        if not expected:
            return None if value is None else f"returned {value!r}"
        return None if agrees(value, expected[0]) else f"returned {value!r}, not {expected[0]}"

    def _assert_trap(self, command: Json) -> str | None:
        try:
            value = self._invoke(command["action"])
        except Trap:
            return None
        except PoisonedError:
            return None if "cannot enter" in command["text"] else "an earlier call has ended the instance"
        return f"returned {value!r} and did not trap"

    def _assert_rejected(self, command: Json) -> str | None:
        if command.get("module_type") == "text":
            return None  # the text format is wasm-tools' business
        try:
            self._define(command)
        except ComponentFormatError:
            return None
        return f"accepted: {command['text']}"


def from_json(value: Json, type_: ValType, classes: ValueClasses) -> Any:
    """The Python value of a type for a value in a script."""
    content: Any = value.get("value")
    match type_:
        case ListType(element) | FixedListType(element, _):
            items = [from_json(item, element, classes) for item in content or []]
            return bytes(items) if element is PrimitiveType.U8 else items
        case TupleType(types):
            return tuple(from_json(item, each, classes) for item, each in zip(content, types, strict=True))
        case RecordType(fields):
            pairs = zip(content, fields, strict=True)
            values = [from_json(item, each.type, classes) for (_, item), each in pairs]
            return classes.record(type_).class_(*values)
        case VariantType(cases):
            index = [case.label for case in cases].index(content["case"])
            payload, inner = content.get("payload"), cases[index].type
            made = classes.variant(type_).cases[index]
            return made() if inner is None else made(from_json(payload, inner, classes))
        case EnumType(labels):
            return list(classes.enum(type_))[labels.index(content)]
        case FlagsType(labels):
            bits = sum(1 << labels.index(label) for label in content)
            return classes.flags(type_)(bits)
        case OptionType(inner):
            return None if content is None else from_json(content, inner, classes)
        case ResultType(ok, err):
            ((side, inner_value),) = content.items()
            carried = ok if side == "Ok" else err
            unwrapped = None if carried is None else from_json(inner_value, carried, classes)
            return Ok(unwrapped) if side == "Ok" else Err(unwrapped)
        case _:
            return scalar(value)


def scalar(value: Json) -> Any:
    """The Python value for a number, bool, char or string in a script."""
    content = value["value"]
    match value["type"]:
        case "bool":
            return content in (True, "true")
        case "f32" | "f64" as kind:
            if str(content).startswith("nan"):
                return math.nan
            bits, format_ = ("<I", "<f") if kind == "f32" else ("<Q", "<d")
            return struct.unpack(format_, struct.pack(bits, int(content)))[0]
        case "char" | "string":
            return content
        case _:
            return int(content)


def agrees(value: Any, expected: Json) -> bool:
    """Whether a Python value is the one that a script expects."""
    content: Any = expected.get("value")
    match expected["type"]:
        case "f32" | "f64":
            wanted = scalar(expected)
            return math.isnan(value) if math.isnan(wanted) else bool(value == wanted)
        case "list" | "tuple":
            items = content or []
            return len(value) == len(items) and all(map(agrees, value, items))
        case "option":
            inner = value.value if isinstance(value, Some) else value
            return inner is None if content is None else agrees(inner, content)
        case "result":
            return _agrees_result(value, expected)
        case "enum":
            return bool(str(value.name).lower().replace("_", "-") == content)
        case "variant":
            case, payload = content["case"], content.get("payload")
            named = type(value).__name__.lower() == case.replace("-", "")
            return bool(named) and (payload is None or agrees(value.value, payload))
        case "flags":
            return bool({flag.name.lower().replace("_", "-") for flag in value} == set(content or []))
        case "record":
            return all(agrees(getattr(value, name), inner) for name, inner in content)
        case _:
            return bool(value == scalar(expected))


def _agrees_result(value: Any, expected: Json) -> bool:
    content = expected["value"]
    side, inner = next(iter(content.items())) if isinstance(content, dict) else (content, None)
    if side.lower() == "ok":
        unwrapped = value.value if isinstance(value, Ok) else value
        return not isinstance(value, Err) and (inner is None or agrees(unwrapped, inner))
    return isinstance(value, Err) and (inner is None or agrees(value.value, inner))

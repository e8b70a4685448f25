"""WAVE, the text form of component values: `{name: "sea", depth: 12}` for a record.

    type_ = component.exports["measure"].func.params[0][1]
    value = parse_value('{name: "sea", depth: 12}', type_, component.classes)
    print_value(value, type_, component.classes)          # '{name: "sea", depth: 12}'

Values are those that exports take and return. Resources, streams, futures and error contexts have no text
form; a map is written like the list of its key-value tuples.

Source: the README of wasm-wave, "Encoding".
"""

from ingen_runtime.wave.parser import parse_value
from ingen_runtime.wave.printer import print_value
from ingen_runtime.wave.tokens import WaveError, textless_part

__all__ = ["WaveError", "parse_value", "print_value", "textless_part"]

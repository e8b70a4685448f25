"""A world whose items are named as no one would name them: like keywords and like generated code."""

from __future__ import annotations

import keyword
import re

from ingen_sdkgen.languages.c.names import KEYWORDS

_RUST = """
    as async await become box break const continue crate do dyn else enum extern false final fn for
    gen if impl in let loop macro match mod move mut override priv pub raw ref return self static
    struct super trait true try type typeof union unsafe unsized use virtual where while yield
"""
_COLLIDING = """
    self result memory ptr ptr0 ptr1 new drop rep handle own borrow free make copy some none ok err
    val value tag ret len items item string list option vec box bytes str int float object dict set
    tuple print map filter id len0 arg0 base result0 ingen ingen-0 ingen-allocate cabi-realloc
    realloc malloc errno null size-t uint8-t assert main exports imports core std alloc guest export
    wit-bindgen rt i u8 u32 clone default debug into from display hash eq builtins typing dataclass
    enums annotations property classmethod staticmethod name doc init call class-name mro value0 cls
    close enter exit instance types wit-world componentize-py
"""


def awkward_names() -> list[str]:
    """Labels that some language has a use of its own for, sorted."""
    words = {*KEYWORDS, *keyword.kwlist, *keyword.softkwlist, *_RUST.split(), *_COLLIDING.split()}
    lowered = {word.lower() for word in words}
    return sorted(word for word in lowered if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", word))


def awkward_world() -> str:
    """A world that has the names everywhere: interfaces, types, fields, cases, functions, parameters."""
    names = [f"%{name}" for name in awkward_names()]
    fields = "\n".join(f"    {name}: u8," for name in names)
    cases = "\n".join(f"    {name}(string)," for name in names)
    labels = "\n".join(f"    {name}," for name in names)
    flags = "\n".join(
        f"  flags flags{start} {{ {', '.join(names[start : start + 32])} }}"
        for start in range(0, len(names), 32)
    )
    functions = "\n".join(f"  {name}: func({name}: string) -> result<string, string>;" for name in names)
    params = ", ".join(f"{name}: u8" for name in names)
    methods = "\n".join(f"    {name}: func({name}: u32) -> string;" for name in names if name != "%self")
    statics = "\n".join(f"    {name}: static func({name}: u32) -> string;" for name in names)
    records = "\n".join(f"  record {name} {{ x: string }}" for name in names)
    record_uses = ", ".join(f"{name}: {name}" for name in names)
    resources = "\n".join(
        f"  resource {name} {{ constructor(); m: func(x: list<{name}>); }}" for name in names
    )
    interfaces = "\n".join(f"interface {name} {{ {name}: func() -> string; }}" for name in names)
    sides = [f"  {('import', 'export')[number % 2]} {name};" for number, name in enumerate(names)]
    return f"""package test:names;

interface shapes {{
  record fields {{
{fields}
  }}
  variant cases {{
{cases}
  }}
  enum labels {{
{labels}
  }}
{flags}
  use-all: func(a: fields, b: cases, c: labels, d: flags0) -> result<cases, labels>;
  all-params: func({params});
}}

interface functions {{
{functions}
}}

interface methods {{
  resource thing {{
    constructor(%self: u32);
{methods}
  }}
  resource other {{
{statics}
  }}
}}

interface records {{
{records}
  %use-records: func({record_uses});
}}

interface resources {{
{resources}
}}

{interfaces}

world names {{
  import shapes;
  export shapes;
  import functions;
  export functions;
  import methods;
  export methods;
  import records;
  export records;
  import resources;
  export resources;
{chr(10).join(sides)}
}}
"""


def named_world(name: str) -> str:
    """A world of that name, with the name in it again."""
    return f"""package test:named;

world %{name} {{
  enum e {{ x }}
  import f: func(a: e) -> result<string, e>;
  import i: interface {{ g: func(); }}
  export h: func(%{name}: list<u8>) -> e;
  export j: interface {{
    resource %{name} {{
      constructor();
      x: static func(%{name}: string) -> %{name};
    }}
  }}
}}
"""

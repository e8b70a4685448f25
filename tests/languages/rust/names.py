"""A world in which everything has a name that Rust has other plans for."""

from __future__ import annotations

from ingen_sdkgen.languages.rust.names import KEYWORDS

NAMES = sorted(
    {keyword.lower() for keyword in KEYWORDS}
    | {"ok", "err", "some", "none", "option", "result", "string", "str", "vec", "box", "b-tree-map"}
    | {
        "guest",
        "guest-r",
        "r-borrow",
        "t",
        "drop",
        "clone",
        "copy",
        "debug",
        "default",
        "from",
        "into",
        "fmt",
    }
    | {"u8", "i32", "bool", "char", "usize", "core", "std", "alloc", "test", "main", "export", "exports"}
    | {"memory", "ptr0", "a0", "p0", "at", "value", "scratch", "base", "area", "index", "handle", "target"}
    | {"new", "get", "get-mut", "into-inner", "bits", "empty", "all", "rep", "lower", "lift", "load", "read"}
    | {"a1", "a-B", "ingen", "ingen-import", "component", "formatter", "deref", "type-id"}
)


# What rustdoc and clippy would have written in another way.
_DOCS = """/// - a list
/// that goes on
///      * and in
///
/// - [a]: b
///
///\tA tab, a [broken] link and <html>, `open
///
/// ```rust
/// #[test]
/// fn main() {}
/// ```
///! A bang \\
///
///
///     #![indented]
"""


def names_wit() -> str:
    """The text of the world `names`."""
    escaped = [f"%{name}" for name in NAMES]
    functions = [f"  {name}: func({name}: u32) -> u32;" for name in escaped]
    params = ", ".join(f"{name}: u8" for name in escaped)
    lines = [
        "package self:super;",
        _DOCS + "interface functions {",
        *functions,
        f"  params: func({params});",
        "}",
    ]
    lines += [_DOCS + "interface types {"]
    lines += [f"  record {name} {{ {name}: string }}" for name in escaped]
    lines += ["  resource r;"]
    uses = ", ".join(f"x{i}: {name}" for i, name in enumerate(escaped))
    lines += [f"  take: func({uses}, r: borrow<r>) -> result<{escaped[0]}, {escaped[1]}>;", "}"]
    kinds = {
        "fields": ("record all-fields", ": list<u8>"),
        "flags-of": ("flags all-flags", ""),
        "cases": ("enum all-cases", ""),
        "variants": ("variant all-variants", "(string)"),
    }
    for interface, (start, end) in kinds.items():
        name = start.split()[1]
        chunks = [escaped[at : at + 32] for at in range(0, len(escaped), 32)]
        lines += [f"interface {interface} {{"]
        for i, chunk in enumerate(chunks):
            lines += [f"  {start}{i} {{ {', '.join(member + end for member in chunk)} }}"]
            lines += [f"  use{i}: func(x: {name}{i}) -> result<{name}{i}, {name}{i}>;"]
        lines += ["}"]
    lines += ["interface resources {"]
    for name, other in zip(escaped, escaped[1:] + escaped[:1], strict=True):
        lines += [f"  resource {name} {{", f"{_DOCS}    constructor({name}: borrow<{name}>);"]
        lines += [f"    {other}: func(x-{other.strip('%')}: list<borrow<{name}>>) -> {name};", "  }"]
    lines += ["}", "interface upper {", "  enum SELF { SELF, OK }", "  f: func(SELF: SELF);"]
    lines += ["}", "interface methods {", "  resource r {", "    constructor();"]
    lines += [f"    {name}: func();" for name in escaped if name != "%r"]
    lines += ["  }", "  resource s {", "    constructor() -> result<s>;"]
    lines += [f"    {name}: static func(self: s);" for name in escaped]
    lines += ["  }", "}"]
    for name in escaped:
        lines += [f"interface {name} {{", f"  type {name} = u32;", f"  f: func() -> {name};", "}"]
    interfaces = ["functions", "types", *kinds, "resources", "upper", "methods"]
    lines += ["world names {"]
    lines += [f"  {way} {interface};" for way in ("import", "export") for interface in interfaces]
    lines += [
        f"  {way} x-{name.strip('%')}: func({name}: string);"
        for way in ("import", "export")
        for name in escaped
    ]
    for name in ("u32", "i32", "char", "str", "self", "super", "core", "exports", "string", "result"):
        lines += [f"  import %{name}: interface {{ f: func(x: u32, y: list<char>) -> string; }}"]
    lines += ["}"]
    return "\n".join(lines) + "\n"

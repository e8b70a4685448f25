"""Templates place what views decided, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import jinja2
import pytest
from jinja2 import nodes

from ingen_sdkgen.languages import c, python_guest, python_host, rust
from ingen_sdkgen.render import Header, TemplateError, Templates, doc, indent, own_templates, verify

_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.For,
    nodes.Include,
    nodes.FromImport,
    nodes.Macro,
    nodes.Const,
)
_FILTERS = {"indent", "doc"}


def violations(source: str) -> list[str]:
    """What a template does besides placing; each with its line."""
    tree = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).parse(source)
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    for statement in tree.find_all(nodes.FromImport):
        macros |= {name if isinstance(name, str) else name[1] for name in statement.names}
    found: list[str] = []

    def walk(node: nodes.Node) -> None:
        match node:
            case nodes.Call(node=nodes.Name(name=name)) if name in macros and not node.kwargs:
                pass
            case nodes.Filter(name=name, args=args) if name in _FILTERS:
                if not all(isinstance(argument, nodes.Const) for argument in args):
                    found.append(f"{node.lineno}: filter `{name}` with an argument that is no constant")
            case nodes.If(test=test):
                if not isinstance(test, nodes.Name | nodes.Getattr):
                    found.append(f"{node.lineno}: `if` on something else than a field")
            case _ if not isinstance(node, _NODES):
                found.append(f"{node.lineno}: {type(node).__name__}")
            case _:
                pass
        for child in node.iter_child_nodes():
            walk(child)

    walk(tree)
    return found


TEMPLATES = sorted(own_templates().rglob("*.j2"))


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=[path.relative_to(own_templates()).as_posix() for path in TEMPLATES]
)
def test_our_templates_only_place(path: Path) -> None:
    assert violations(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ a.b() }}",
        "{{ a + 1 }}",
        "{{ a | upper }}",
        "{{ a | indent(b) }}",
        "{{ a['b'] }}",
        "{% if a == b %}{% endif %}",
        "{% if not a %}{% endif %}",
        "{% set a = 1 %}",
        "{% for a in b() %}{% endfor %}",
        "{{ 'x' ~ a }}",
        "{{ a if b else c }}",
        "{{ range(3) }}",
    ],
)
def test_what_is_not_placing_is_found(source: str) -> None:
    assert violations(source) != []


def test_what_is_placing_is_not() -> None:
    source = (
        "{% from 'c/m.j2' import m %}{% macro f(a) %}{{ a.b }}{% endmacro %}{{ f(x.y) }}{{ m(1) }}"
        "{% for x in y.z %}{% if x.a %}{{ x.b | doc('// ') | indent(4) }}{% elif x.c %}{% else %}{% endif %}"
        "{% endfor %}{% include 'c/header.j2' %}"
    )
    assert violations(source) == []


@pytest.mark.parametrize(
    "language", [c, python_guest, python_host, rust], ids=lambda language: str(language.LANGUAGE)
)
def test_a_language_knows_its_templates(language: ModuleType) -> None:
    assert sorted(language.TEMPLATES) == Templates().names(language.LANGUAGE)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_users_templates_come_first(tmp_path: Path) -> None:
    write(tmp_path, "markdown/world.md.j2", "# {{ name }}\n")
    templates = Templates(tmp_path)
    assert templates.render("markdown/world.md.j2", {"name": "w"}) == b"# w\n"
    assert templates.names("markdown") == ["markdown/world.md.j2"]
    assert set(templates.names()) > set(Templates().names())


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n{{ absent }}\n", 2, "'absent' is undefined"),
        ("{{ here.absent }}\n", 1, "'str object' has no attribute 'absent'"),
        ("\n\n{% if %}\n", 3, "Expected an expression, got 'end of statement block'"),
        ("{% include 'x/nothing.j2' %}", None, "there is no such template"),
    ],
)
def test_a_wrong_template_is_named(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    write(tmp_path, "x/y.j2", text)
    with pytest.raises(TemplateError) as caught:
        Templates(tmp_path).render("x/y.j2", {"here": ""})
    assert caught.value.line == line
    assert message in str(caught.value)
    with pytest.raises(TemplateError, match="there is no such template"):
        Templates(tmp_path).source("x/absent.j2")


def test_the_header_tells_a_changed_file(tmp_path: Path) -> None:
    write(tmp_path, "x/y.j2", "// {{ header.line }}\nint {{ name }};\n")
    content = Templates(tmp_path).render("x/y.j2", {"header": Header("a:b/w"), "name": "x"})
    assert b"\xe2" not in content
    assert content.startswith(b"// Generated by ingen-sdkgen ")
    assert verify(content) is True
    assert verify(content.replace(b"int x", b"int y")) is False
    assert verify(b"int x;\n") is None
    assert verify(b"\xff") is None


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        ("one\n\n  two ", "/// ", "/// one\n///\n///   two"),
        ("ends */ and /* begins */*", " * ", " * ends * / and / * begins * / *"),
        ("a\\", "// ", "// a\\."),
        ("a\r\nb\rc\x00d\u2028e", "# ", "# a\n# b\n# c d e"),
        ('say """no""" \\', "", 'say \\"\\"\\"no\\"\\"\\" \\\\'),
        ('quoted "end"', "", 'quoted "end\\"'),
    ],
)
def test_documentation_stays_in_its_comment(text: str, prefix: str, expected: str) -> None:
    assert doc(text, prefix) == expected
    if not prefix:
        namespace: dict[str, str] = {}
        exec(f'value = """{expected}"""', namespace)
        assert namespace["value"] == text


def test_indent() -> None:
    assert indent("a\nb\n\nc", 2) == "a\n  b\n\n  c"

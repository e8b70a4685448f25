"""The JSON form without numbers: two forms that differ in the numbering of their tables become equal.

Numbers depend on the order in which a reader meets things, so they change when WIT goes through a binary or
through canonical text. Here an item is named by its path, and a type without a name is written out.
"""

from __future__ import annotations

from typing import Any


def canonical(form: dict[str, Any]) -> dict[str, Any]:
    """The packages of a JSON form by name; `clone_of` (how a copy came about) is left out."""
    return _Canonical(form).packages()


class _Canonical:
    def __init__(self, form: dict[str, Any]) -> None:
        self.form = form
        self.package_names: list[str] = [package["name"] for package in form["packages"]]
        self.inline_names: dict[int, str] = {}
        for world in form["worlds"]:
            for direction in ("imports", "exports"):
                for key, item in world[direction].items():
                    if "interface" in item:
                        path = f"{self.package_names[world['package']]}/{world['name']} {direction} {key}"
                        self.inline_names[item["interface"]["id"]] = path

    def packages(self) -> dict[str, Any]:
        return {
            package["name"]: {
                "docs": package.get("docs"),
                "interfaces": {name: self.interface(id_) for name, id_ in package["interfaces"].items()},
                "worlds": {name: self.world(id_) for name, id_ in package["worlds"].items()},
            }
            for package in self.form["packages"]
        }

    def interface_path(self, id_: int) -> str:
        interface = self.form["interfaces"][id_]
        if interface["name"] is None:
            return self.inline_names[id_]
        return f"{self.package_names[interface['package']]}/{interface['name']}"

    def interface(self, id_: int) -> dict[str, Any]:
        interface = self.form["interfaces"][id_]
        return self.details(interface) | {
            "types": {name: self.type_def(type_) for name, type_ in interface["types"].items()},
            "functions": {name: self.function(f) for name, f in interface["functions"].items()},
        }

    def world(self, id_: int) -> dict[str, Any]:
        world = self.form["worlds"][id_]
        return self.details(world) | {
            direction: dict(self.world_item(key, item) for key, item in world[direction].items())
            for direction in ("imports", "exports")
        }

    def world_item(self, key: str, item: dict[str, Any]) -> tuple[str, Any]:
        match item:
            case {"interface": content}:
                id_ = content["id"]
                if self.form["interfaces"][id_]["name"] is None:
                    return key, self.details(content) | {"inline": self.interface(id_)}
                path = self.interface_path(id_)
                name = path if key == f"interface-{id_}" else key
                return name, self.details(content) | {"interface": path}
            case {"function": function}:
                return key, {"function": self.function(function)}
            case {"type": type_}:
                return key, {"type": self.type_def(type_)}
            case other:
                raise AssertionError(other)

    def details(self, item: dict[str, Any]) -> dict[str, Any]:
        return {key: item[key] for key in ("docs", "stability", "external_id") if key in item}

    def function(self, function: dict[str, Any]) -> dict[str, Any]:
        kind = function["kind"]
        if isinstance(kind, dict):
            ((shape, resource),) = kind.items()
            kind = [shape, self.type(resource)]
        return self.details(function) | {
            "name": function["name"],
            "kind": kind,
            "params": [(param["name"], self.type(param["type"])) for param in function["params"]],
            "result": self.type(function.get("result")),
        }

    def type(self, type_: str | int | None) -> Any:
        if not isinstance(type_, int):
            return type_
        type_def = self.form["types"][type_]
        if type_def["name"] is None:
            return self.kind(type_def["kind"])
        match type_def["owner"]:
            case {"interface": id_}:
                return f"{self.interface_path(id_)}.{type_def['name']}"
            case {"world": id_}:
                world = self.form["worlds"][id_]
                return f"{self.package_names[world['package']]}/{world['name']}.{type_def['name']}"
            case other:
                raise AssertionError(other)

    def type_def(self, id_: int) -> dict[str, Any]:
        type_def = self.form["types"][id_]
        return self.details(type_def) | {"kind": self.kind(type_def["kind"])}

    def kind(self, kind: str | dict[str, Any]) -> Any:
        if isinstance(kind, str):
            return kind
        ((name, content),) = kind.items()
        match name:
            case "record" | "variant":
                (members,) = content.values()
                return {name: [member | {"type": self.type(member["type"])} for member in members]}
            case "flags" | "enum":
                return kind
            case "tuple":
                return {name: [self.type(type_) for type_ in content["types"]]}
            case "result":
                return {name: [self.type(content["ok"]), self.type(content["err"])]}
            case "map":
                return {name: [self.type(type_) for type_ in content]}
            case "fixed-length-list":
                return {name: [self.type(content[0]), content[1]]}
            case "handle":
                ((handle, resource),) = content.items()
                return {handle: self.type(resource)}
            case _:
                return {name: self.type(content)}


def carried_by_binary(form: dict[str, Any], source: dict[str, Any], main: str) -> dict[str, Any]:
    """The part of the canonical `source` that an encoded package with the canonical form `form` has to have.

    That is the main package whole, and of each other package what `form` has of it, less its documentation
    and gates. What `form` makes up stays missing in the result.
    """
    expected: dict[str, Any] = {main: source[main]}
    for name, package in form.items():
        if name == main or name not in source:
            continue
        expected[name] = {"docs": None, "worlds": {}, "interfaces": {}}
        for interface_name, interface in package["interfaces"].items():
            original = source[name]["interfaces"].get(interface_name, {"types": {}, "functions": {}})
            expected[name]["interfaces"][interface_name] = {
                group: {
                    item: _without_metadata(original[group][item])
                    for item in interface[group]
                    if item in original[group]
                }
                for group in ("types", "functions")
            }
    return expected


def _without_metadata(item: Any) -> Any:
    match item:
        case dict():
            return {
                key: _without_metadata(value)
                for key, value in item.items()
                if key not in ("docs", "stability")
            }
        case list():
            return [_without_metadata(value) for value in item]
        case _:
            return item

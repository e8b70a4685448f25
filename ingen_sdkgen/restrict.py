"""One world out of an IR, with what it needs and nothing else."""

from __future__ import annotations

from typing import assert_never

from ingen_sdkgen.diagnostics import ItemNotFound, did_you_mean
from ingen_sdkgen.model import (
    Interface,
    InterfaceId,
    InterfaceOwner,
    PackageId,
    Primitive,
    Resolve,
    Type,
    TypeDef,
    TypeId,
    World,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.rewrite import Renumbering, types_in, types_of


def find_world(resolve: Resolve, name: str) -> WorldId:
    """The world of that name: `name` in the main package, or `namespace:package/name@version` in any.

    Raises: ItemNotFound
    """
    main = resolve.packages[resolve.main]
    if name in main.worlds:
        return main.worlds[name]
    by_full_name = {
        package.name.interface_id(world): id_
        for package in resolve.packages
        for world, id_ in package.worlds.items()
    }
    if name in by_full_name:
        return by_full_name[name]
    known = [*main.worlds, *by_full_name]
    hint = did_you_mean(name, known)
    if hint is None and known:
        shown = [f"`{world}`" for world in (main.worlds or by_full_name)]
        more = ", and more" if len(shown) > 8 else ""
        hint = f"what there is: {', '.join(shown[:8])}{more}"
    raise ItemNotFound(f"package `{main.name}` has no world `{name}`", hint=hint)


def only_world(resolve: Resolve) -> WorldId:
    """The main package's world, where it has just one.

    Raises: ItemNotFound
    """
    main = resolve.packages[resolve.main]
    if len(main.worlds) == 1:
        return next(iter(main.worlds.values()))
    if not main.worlds:
        raise ItemNotFound(f"package `{main.name}` has no world", hint="name one of another package in full")
    names = ", ".join(f"`{name}`" for name in main.worlds)
    raise ItemNotFound(
        f"package `{main.name}` has several worlds, so one must be named", hint=f"there is {names}"
    )


def restrict_to_world(resolve: Resolve, world: WorldId) -> Resolve:
    """The IR with just this world, the interfaces and types that it reaches, and their packages.

    Interfaces stay whole. The main package is the world's. Order is kept, ids are numbered anew.
    """
    return _Restriction(resolve, world).result()


class _Restriction:
    def __init__(self, resolve: Resolve, world: WorldId) -> None:
        self._resolve = resolve
        self._world = world
        self._kept_worlds: set[WorldId] = set()
        self._kept_interfaces: set[InterfaceId] = set()
        self._kept_types: set[TypeId] = set()
        self._collect()
        kept_packages = {resolve.interfaces[id_].package for id_ in self._kept_interfaces}
        kept_packages |= {resolve.worlds[id_].package for id_ in self._kept_worlds}
        self._new = Renumbering(
            {old: TypeId(new) for new, old in enumerate(sorted(self._kept_types))},
            {old: InterfaceId(new) for new, old in enumerate(sorted(self._kept_interfaces))},
            {old: WorldId(new) for new, old in enumerate(sorted(self._kept_worlds))},
            {old: PackageId(new) for new, old in enumerate(sorted(kept_packages))},
        )

    # --- What is reached ---

    def _collect(self) -> None:
        """Fill the kept sets. A stack instead of recursion: chains of types may be long."""
        pending: list[World | Interface | TypeDef] = []

        def reach_type(type_: Type) -> None:
            if not isinstance(type_, Primitive) and type_ not in self._kept_types:
                self._kept_types.add(type_)
                pending.append(self._resolve.types[type_])

        def reach_interface(id_: InterfaceId) -> None:
            if id_ not in self._kept_interfaces:
                self._kept_interfaces.add(id_)
                pending.append(self._resolve.interfaces[id_])

        def reach_world(id_: WorldId) -> None:
            if id_ not in self._kept_worlds:
                self._kept_worlds.add(id_)
                pending.append(self._resolve.worlds[id_])

        reach_world(self._world)
        while pending:
            match pending.pop():
                case World() as world:
                    for item in [*world.imports.values(), *world.exports.values()]:
                        match item:
                            case WorldInterface(interface=interface):
                                reach_interface(interface)
                            case WorldFunction(function):
                                for type_ in types_of(function):
                                    reach_type(type_)
                            case WorldType(type=type_id):
                                reach_type(type_id)
                            case _:
                                assert_never(item)
                case Interface() as interface_:
                    for type_id in interface_.types.values():
                        reach_type(type_id)
                    for function in interface_.functions.values():
                        for type_ in types_of(function):
                            reach_type(type_)
                case TypeDef() as definition:
                    for type_ in types_in(definition.kind):
                        reach_type(type_)
                    match definition.owner:
                        case WorldOwner(owner_world):
                            reach_world(owner_world)
                        case InterfaceOwner(owner_interface):
                            reach_interface(owner_interface)
                        case None:
                            pass

    def result(self) -> Resolve:
        old, new = self._resolve, self._new
        return Resolve(
            worlds=tuple(new.world(old.worlds[id_]) for id_ in new.worlds),
            interfaces=tuple(new.interface(old.interfaces[id_]) for id_ in new.interfaces),
            types=tuple(new.definition(old.types[id_]) for id_ in new.types),
            packages=tuple(new.package(old.packages[id_]) for id_ in new.packages),
            main=new.packages[old.worlds[self._world].package],
        )

"""Guest processes of one language, in a place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.linker import Linker
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.interface import Network
from ingen_runtime.sdk import Vm, sdk_imports, variables_of
from tests.sdk.building import scenarios
from tests.sdk.places import Place

ENVIRONMENT = variables_of(
    Vm(
        ["/data", "/shared"],
        ["/process"],
        "north",
        "n1",
        "c7",
        "h42",
        "vm1",
        "somebody",
        "database",
        (10, 0, 0, 1),
        (0xFD00, 0, 0, 0, 0, 0, 0, 1),
    )
)


class Guest:
    """One guest process. `reports` has what it has reported, in order."""

    def __init__(self, language: str, network: Network, environment: Mapping[str, str] = ENVIRONMENT) -> None:
        self.reports: asyncio.Queue[str] = asyncio.Queue()
        self._language = language
        self._network = network
        self._environment = environment

    async def run(self, scenario: str, *arguments: str) -> str:
        """What a scenario returns, or `error NAME` where it fails."""
        process = Process(network=self._network, environment=self._environment)
        linker = Linker({**sdk_imports(process), "report": self.reports.put_nowait})
        with process, await linker.instantiate_async(scenarios(self._language)) as instance:
            try:
                result: Any = await instance.exports.run.call_async(scenario, list(arguments))
            except ResultError as error:
                return f"error {error.value}"
        assert isinstance(result, str)
        return result

    async def listening(self) -> str:
        """Where it listens, once it does."""
        return (await self.reports.get()).removeprefix("listening ")


class World:
    """A place, and guests of one language in it."""

    def __init__(self, language: str, place: Place) -> None:
        self.language = language
        self.place = place

    def guest(self, network: Network | None = None, environment: Mapping[str, str] = ENVIRONMENT) -> Guest:
        """A guest in the first VM, or where it is said."""
        return Guest(self.language, network or self.place.first, environment)

    async def both(
        self, server: tuple[str, ...], client: Callable[[str], tuple[str, ...]]
    ) -> tuple[str, str]:
        """What a server in the second VM and a client in the first return; the client gets the address."""
        serving = self.guest(self.place.second)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(serving.run(*server))
            where = asyncio.create_task(serving.listening())
            await asyncio.wait([task, where], return_when=asyncio.FIRST_COMPLETED)
            if not where.done():
                where.cancel()
                pytest.fail(f"the server has ended: {task.result()}")
            result = await self.guest().run(*client(where.result()))
        return task.result(), result

    @property
    def here(self) -> str:
        """A free port of the first VM."""
        return f"{self.place.first_address}:0"

    @property
    def there(self) -> str:
        """A free port of the second VM."""
        return f"{self.place.second_address}:0"

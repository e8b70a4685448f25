"""Tests of networks: `async def` tests run on an event loop, for ten seconds at most."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from tests.runtime.network.backends import BACKENDS, Backend, Namespaces, namespaces

_TIMEOUT_S = 10.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}

    async def in_time() -> None:
        async with asyncio.timeout(_TIMEOUT_S):
            await test(**arguments)

    asyncio.run(in_time())
    return True


@pytest.fixture(scope="session")
def three_namespaces() -> Iterator[Namespaces]:
    with namespaces() as mine:
        yield mine


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    name: str = request.param
    return Backend(name, request.getfixturevalue("three_namespaces") if "netns" in name else None)

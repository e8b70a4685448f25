"""A topological order that keeps the given order wherever it may."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping


def topological_order(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """Order names so that each comes after those that it depends on, and the first that is free goes first.

    `dependencies` has a key for each name; dependencies that are no key are ignored. Names on a cycle, and
    those that depend on one, are left out: the result is then shorter than `dependencies`.
    """
    names = list(dependencies)
    index = {name: i for i, name in enumerate(names)}
    remaining = [0] * len(names)
    dependents: list[list[int]] = [[] for _ in names]
    for i, name in enumerate(names):
        for dependency in dependencies[name]:
            j = index.get(dependency)
            if j is not None:
                remaining[i] += 1
                dependents[j].append(i)
    ready = [i for i, count in enumerate(remaining) if count == 0]
    order = []
    while ready:
        i = heapq.heappop(ready)
        order.append(names[i])
        for j in dependents[i]:
            remaining[j] -= 1
            if remaining[j] == 0:
                heapq.heappush(ready, j)
    return order

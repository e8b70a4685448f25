"""Compare our reading of random WIT packages with that of wasm-tools.

    python -m scripts.compare_wit [--count N] [--first SEED]

The packages are those of `tests/sdkgen/strategies.py`, one to three for each seed. A seed on which the JSON
forms differ is named; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from ingen_sdkgen.diagnostics import WitErrors
from ingen_sdkgen.model_json import to_json
from ingen_sdkgen.resolve import load_text
from tests.sdkgen.oracle import FEATURES, OracleError, wit_json
from tests.sdkgen.strategies import document, generate

BATCH = 50


def differ(seeds: range) -> str | None:
    """What differs on packages that are read together, or None."""
    text = document([generate(Random(seed), f"n{seed}") for seed in seeds])
    try:
        expected = wit_json(text, *FEATURES)
    except OracleError as error:
        return f"wasm-tools refuses it: {error}"
    try:
        found = to_json(load_text(text, features=["active"]).resolve)
    except WitErrors as errors:
        return f"we refuse it: {errors}"
    return None if found == expected else "the JSON forms differ"


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description="Compare our reading of random WIT with that of wasm-tools.")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    started = time.perf_counter()
    found = 0
    for first in range(arguments.first, arguments.first + arguments.count, BATCH):
        batch = range(first, min(first + BATCH, arguments.first + arguments.count))
        if differ(batch) is None:
            continue
        for seed in batch:
            what = differ(range(seed, seed + 1))
            if what is not None:
                found += 1
                print(f"seed {seed}: {what}", flush=True)
    took_s = time.perf_counter() - started
    print(f"{arguments.count} groups of packages in {took_s:.0f} s, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

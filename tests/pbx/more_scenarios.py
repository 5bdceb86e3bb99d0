"""The PBX lab's scenarios and some of ours, to be run as its tools/scenarios.py is (its tools must be importable)."""

import asyncio
import sys

import scenarios  # type: ignore[import-not-found]

scenarios.PARAMS["i_thirty", "twelve"] = {"n": 12, "gap": 0.15}

if __name__ == "__main__":
    sys.exit(asyncio.run(scenarios.main()))

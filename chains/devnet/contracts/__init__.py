"""Our own small test contracts, compiled once and checked in, so that no compiler is needed to use them.

The sources are the `.vy` files beside this one; `python -m chains.devnet.contracts.build` compiles them into
`contracts.json`. None of them belongs on a public chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

ARTIFACT = "contracts.json"


@dataclass(frozen=True, slots=True)
class Contract:
    """A compiled test contract."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    """What a creating transaction carries, before the constructor's arguments; 0x-prefixed hex."""
    runtime: str
    """The code that stands at the address afterwards; 0x-prefixed hex."""
    source_sha256: str
    """Digest of the source this was compiled from, in hex."""

    def constructor_types(self) -> list[str]:
        """ABI types of the constructor's arguments."""
        return next((_types(entry["inputs"]) for entry in self.abi if entry["type"] == "constructor"), [])

    def function_types(self, name: str) -> tuple[list[str], list[str]]:
        """ABI types of a function's arguments and results; raise KeyError when it has no such function."""
        for entry in self.abi:
            if entry["type"] == "function" and entry["name"] == name:
                return _types(entry["inputs"]), _types(entry["outputs"])
        raise KeyError(f"{self.name} has no function {name}")


def names() -> list[str]:
    """The names that `load` knows."""
    return sorted(_artifact())


def load(name: str) -> Contract:
    """The contract of that name; raise KeyError, which lists what there is, when there is none."""
    contracts = _artifact()
    if name not in contracts:
        raise KeyError(f"no test contract {name!r}; there are {', '.join(sorted(contracts))}")
    entry = contracts[name]
    return Contract(name, entry["abi"], entry["bytecode"], entry["runtime"], entry["source_sha256"])


def source_digests() -> dict[str, str]:
    """SHA-256 of each source file beside this module, by contract name."""
    sources = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".vy")]
    return {source.name.removesuffix(".vy"): sha256(source.read_bytes()).hexdigest() for source in sources}


@cache
def _artifact() -> dict[str, dict[str, Any]]:
    document = json.loads(files(__name__).joinpath(ARTIFACT).read_text(encoding="utf-8"))
    contracts: dict[str, dict[str, Any]] = document["contracts"]
    return contracts


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [_type(entry) for entry in inputs]


def _type(entry: dict[str, Any]) -> str:
    """The canonical type: a struct is the tuple of its members, as selectors and encoders want it."""
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return f"({','.join(_types(entry['components']))}){entry['type'].removeprefix('tuple')}"

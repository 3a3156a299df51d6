"""The recorded replies of a real Bitcoin Core, and its chain, for bringing the test node into the same state."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data" / "bitcoin-core-replies"
STAGES = ("genesis", "before_spends", "spends_in_mempool", "before_reorg", "after_reorg", "forms", "side_block")
"""Those that the test node can be brought into, in order; `rewound` needs `invalidateblock`."""
FORK_HEIGHT = 113
BEFORE_SPENDS_HEIGHT = 109


@dataclass(frozen=True)
class Row:
    """One recorded request with its reply."""

    name: str
    stage: str
    method: str
    path: str
    headers: dict[str, str]
    request: bytes
    status: int
    reason: str
    reply_headers: dict[str, str]
    reply: bytes

    @property
    def rpc_method(self) -> str | None:
        """The JSON-RPC method of a single call."""
        try:
            call = json.loads(self.request)
        except ValueError:
            return None
        return call.get("method") if isinstance(call, dict) else None


def load(name: str) -> list[Row]:
    """The rows of one file."""
    return [_row(json.loads(line)) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def blocks_of(stage: str) -> Iterator[bytes]:
    """The raw blocks that a node gets before the stage, after those of the stages before."""
    chain = _chain()
    named: dict[str, str] = expected()["blocks"]
    trunk = [row for row in chain.values() if 0 < row["height"] <= FORK_HEIGHT]
    hashes = {
        "before_spends": [row["hash"] for row in trunk if row["height"] <= BEFORE_SPENDS_HEIGHT],
        "before_reorg": [row["hash"] for row in trunk if row["height"] > BEFORE_SPENDS_HEIGHT]
        + [named["stale1"], named["stale2"]],
        "after_reorg": [named["new1"], named["new2"], named["new3"]],
        "side_block": [named["last_tip"]],
    }
    for block_hash in hashes.get(stage, []):
        yield bytes.fromhex(chain[block_hash]["raw_hex"])


def expected() -> dict[str, Any]:
    """Balances and movements that the real node's own set of coins shows."""
    document: dict[str, Any] = json.loads((FOLDER / "main" / "expected.json").read_text(encoding="utf-8"))
    return document


def _chain() -> dict[str, dict[str, Any]]:
    lines = (FOLDER / "main" / "chain.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["hash"]: row for row in map(json.loads, lines)}


def _row(row: dict[str, Any]) -> Row:
    request, response = row["request"], row["response"]
    body = response.get("body")
    return Row(
        name=row["id"],
        stage=row["stage"],
        method=request["method"],
        path=request["path"],
        headers=request["headers"],
        request=request.get("body", "").encode(),
        status=response["status"],
        reason=response["reason"],
        reply_headers=response["headers"],
        reply=body.encode() if body is not None else base64.b64decode(response.get("body_base64", "")),
    )

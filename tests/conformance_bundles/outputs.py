"""Check 29: Bitcoin outputs, each bundle with one thing in them that is not so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from exports.bundle import Bundle
from exports.output_records import BitcoinInclusionRecord
from tests.conformance_bundles.recipe import bad, good
from tests.exports import test_output_checks as outputs
from tests.exports.output_samples import with_bitcoin

KINDS: Final = (
    "bitcoin_headers",
    "bitcoin_transactions",
    "bitcoin_outputs",
    "bitcoin_inclusions",
    "balances",
    "sweeps",
)


@good("outputs of two Bitcoin addresses, in two blocks under four headers; that they are unspent is not shown")
def bitcoin_outputs() -> Bundle:
    return with_bitcoin()


@good("Bitcoin balances whose outputs are not shown, which is said of each")
def bitcoin_outputs_not_shown() -> Bundle:
    bundle = with_bitcoin()
    return replace(
        bundle,
        bitcoin_headers=(),
        bitcoin_transactions=(),
        bitcoin_outputs=(),
        bitcoin_inclusions=[_nothing(each) for each in bundle.bitcoin_inclusions],
    )


def _nothing(record: BitcoinInclusionRecord) -> BitcoinInclusionRecord:
    return replace(record, shown=0, not_shown=record.shown, reason="no ledger file was there")


def _enter(name: str) -> None:
    def maker() -> Bundle:
        bundle = with_bitcoin()
        own = {kind: [each for each in getattr(bundle, kind) if _is_bitcoin(each)] for kind in KINDS}
        others = {kind: [each for each in getattr(bundle, kind) if not _is_bitcoin(each)] for kind in KINDS}
        changed = outputs.WRONG[name][0](own)
        kept: dict[str, Any] = {kind: [*others[kind], *changed[kind]] for kind in KINDS}
        return replace(bundle, **kept)

    maker.__name__ = f"outputs_{name.replace(' ', '_')}"
    bad(29, f"of Bitcoin outputs: {name}")(maker)


def _is_bitcoin(record: object) -> bool:
    return str(getattr(record, "chain_id", "")).startswith("bip122:")


for _name in (
    "another transaction",
    "another branch",
    "without the coinbase",
    "a header without work",
    "a header left out",
    "without headers",
    "a spent output beside",
    "another amount",
    "an output left out",
    "a balance without a word",
):
    _enter(_name)

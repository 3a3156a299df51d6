"""What the report says about each chain's block: how final it is, and what of the balances cannot be spent yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chains.bitcoin.maturity import CoinbasePayment, immature_by_address, youngest_immature
from chains.types import Asset, Finality, ReadStatus, StateEvidence, TransferKind, chain_namespace
from exports.contents import Contents
from exports.profiles import left_out
from exports.records import SweepRecord

NAMESPACE_OF_COINBASES: Final = "bip122"


def block_lines(contents: Contents) -> Iterator[str]:
    """A line for each chain, and more where its block may still leave the chain or coins are immature."""
    missing = left_out(contents.manifest.disclosure)
    for sweep in contents.sweeps:
        finality = Finality.parse(sweep.finality)
        yield f"{sweep.chain_id} was read at block {sweep.height} ({finality})."
        if "proof_headers" not in missing:
            yield from _proven_lines(contents, sweep)
        if not finality.is_final:
            yield f"  PROVISIONAL: block {sweep.height} was not final and may have left the chain since."
        if chain_namespace(sweep.chain_id) == NAMESPACE_OF_COINBASES and "transfers" not in missing:
            yield from _immature_lines(contents, sweep)


def _proven_lines(contents: Contents, sweep: SweepRecord) -> Iterator[str]:
    """How many balances have a state proof, and what more it takes for them to be proven."""
    good = [b for b in contents.balances if b.chain_id == sweep.chain_id and b.status is ReadStatus.OK]
    with_proof = [balance for balance in good if balance.state is StateEvidence.PROVEN]
    if not with_proof:
        return
    agreed = all(balance.grade is StateEvidence.PROVEN for balance in with_proof)
    block = "operators agree on the block" if agreed else "the block is one operator's word until check 16 passes"
    yield f"  {len(with_proof)} of {len(good)} balances have a state proof; {block}."


def _immature_lines(contents: Contents, sweep: SweepRecord) -> Iterator[str]:
    assets = [
        asset
        for each in contents.assets
        if (asset := Asset(each.asset_id, each.symbol, each.decimals)).chain_id == sweep.chain_id and asset.is_native
    ]
    if not assets:
        return
    wallets = {wallet.address for wallet in contents.wallets if wallet.chain_id == sweep.chain_id}
    payments = [
        CoinbasePayment(each.height, each.receiver, each.base_units)
        for each in contents.transfers
        if each.chain_id == sweep.chain_id and each.kind is TransferKind.COINBASE and each.receiver in wallets
    ]
    total = sum(immature_by_address(payments, sweep.height).values())
    if total:
        amount = f"{assets[0].format_quantity(total)} {assets[0].symbol}"
        yield f"  Immature: {amount} of the balances there, made by coinbases, counted and not to be spent yet."
    first = youngest_immature(sweep.height)
    if sweep.coverage_first is None or sweep.coverage_first > first:
        yield f"  The movements here do not reach back to block {first}: more of the balances may be immature."

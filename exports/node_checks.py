"""Checks 16, 17, 20 and 21: block, balances, proofs that rest on the chain and control, asked of the auditor's node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chains.errors import ChainError, InvalidValue, ReadError
from chains.reader import ChainReader, Pin
from chains.types import Asset, BlockRef, Finality, Holding, ReadStatus
from exports.contents import Contents
from exports.control_node_check import answered_review, check_control
from exports.holding_sample import HoldingSample
from exports.key_checks import check_proofs_on_node, proofs_by_chain
from exports.records import BalanceRecord, SweepRecord
from exports.verdict import Outcome

ReaderOpener = Callable[[], ChainReader]
"""Opens a reader of one chain through the auditor's own node; the caller of it closes the reader."""


NODE_CHECKS: Final = (16, 17, 20, 21)
"""Those that ask the reader's own node."""


def check_with_node(
    contents: Contents, sweep: SweepRecord, open_reader: ReaderOpener, sample: HoldingSample | None = None
) -> tuple[Outcome, Outcome | None, Outcome | None, Outcome | None]:
    """The outcomes of `NODE_CHECKS` for one chain. Raises nothing of a node's or the bundle's making.

    None stands where there is nothing to ask: no proof that rests on the chain, nothing said of who else could move it,
    no balance drawn here.

    A node that cannot answer makes a check not possible; only an answer that differs makes it fail. With a `sample`
    only its balances are asked for.
    """
    has_proofs = bool(proofs_by_chain(contents, sweep.chain_id))
    review = answered_review(contents, sweep)
    try:
        reader = open_reader()
    except ChainError as error:
        obstacle = Outcome(0, obstacles=[_told(error)])
        return obstacle, obstacle, obstacle if has_proofs else None, obstacle if review else None
    try:
        block_outcome = _check_block(reader, sweep)
        if block_outcome.problems or block_outcome.obstacles:
            obstacle = Outcome(0, obstacles=["the block could not be found on your node"])
            return block_outcome, obstacle, obstacle if has_proofs else None, obstacle if review else None
        balances = _put(lambda: _check_balances(reader, contents, sweep, sample))
        proofs = _put(lambda: check_proofs_on_node(contents, sweep.chain_id, reader)) if has_proofs else None
        control = _put(lambda: check_control(contents, sweep, review, reader)) if review else None
        return block_outcome, balances, proofs, control
    finally:
        reader.close()


def _put(check: Callable[[], Outcome | None]) -> Outcome | None:
    """The outcome, also where a record names what cannot be put to a node: an address that is none, for example."""
    try:
        return check()
    except ValueError as error:
        code = getattr(error, "code", InvalidValue.code)
        return Outcome(0, obstacles=[f"{code}: what the bundle states cannot be put to a node ({error})"])


def _check_block(reader: ChainReader, sweep: SweepRecord) -> Outcome:
    try:
        identity = reader.identify()
        if reader.chain_id != sweep.chain_id or identity.chain_id != sweep.chain_id:
            return Outcome(0, obstacles=[f"the node reads {identity.chain_id}, not {sweep.chain_id}"])
        block = reader.block_at(sweep.height)
    except (ReadError, InvalidValue) as error:
        return Outcome(0, obstacles=[_told(error)])
    if block.height != sweep.height:
        return Outcome(0, obstacles=[f"the node answered block {block.height} for {sweep.height}"])
    if block.block_hash != sweep.block_hash:
        return Outcome(1, [f"block {sweep.height} is no longer canonical: your node has {block.block_hash}"])
    problems = []
    if block.parent_hash != sweep.parent_hash:
        problems.append("the block's parent hash differs")
    if block.timestamp != sweep.block_time:
        problems.append("the block's time differs")
    return Outcome(1, problems, note=f"block {sweep.height} {sweep.block_hash}")


def _check_balances(
    reader: ChainReader, contents: Contents, sweep: SweepRecord, sample: HoldingSample | None
) -> Outcome | None:
    assets = {asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals) for asset in contents.assets}
    stated = [
        balance
        for balance in (contents.balances if sample is None else sample.drawn)
        if balance.chain_id == sweep.chain_id and balance.status is ReadStatus.OK and balance.asset_id in assets
    ]
    block = BlockRef(sweep.chain_id, sweep.height, sweep.block_hash, sweep.parent_hash, sweep.block_time)
    pin = Pin(block, Finality.parse(sweep.finality), header_checked=False, header_note="pin taken from the bundle")
    holdings = [Holding(balance.address, assets[balance.asset_id]) for balance in stated]
    if not holdings:
        if sample is not None and sample.drawn:
            return None  # the draw fell on other chains
        return Outcome(0, obstacles=["the bundle states no balance on this chain"])
    try:
        observations = reader.read_balances(pin, holdings)
    except (ReadError, InvalidValue) as error:
        return Outcome(0, obstacles=[_told(error)])
    if [observation.holding for observation in observations] != holdings:
        return Outcome(0, obstacles=["the node's answers are not those asked for"])
    problems, obstacles = _compare(stated, [(o.base_units, o.reason) for o in observations])
    drawn = f", a sample of {len(sample.drawn)} of {sample.population}" if sample is not None else ""
    return Outcome(len(stated) - len(obstacles), problems, obstacles, note=f"at block {sweep.height}{drawn}")


def _compare(stated: Sequence[BalanceRecord], answers: Sequence[tuple[int | None, str]]) -> tuple[list[str], list[str]]:
    problems, obstacles = [], []
    for balance, (base_units, reason) in zip(stated, answers, strict=True):
        where = f"{balance.address} {balance.asset_id}"
        if base_units is None:
            obstacles.append(f"{where}: {reason}")
        elif base_units != balance.base_units:
            problems.append(f"{where}: the bundle says {balance.base_units}, your node {base_units}")
    return problems, obstacles


def _told(error: ChainError) -> str:
    return f"{error.code}: {error}"

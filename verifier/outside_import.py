"""Taking others' evidence: read, judged, its amounts asked of our own nodes where they can say, and recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from chains.errors import ChainError, InvalidValue
from chains.reader import ChainConfig, ChainReader
from chains.registry import plugin_for
from chains.types import Address, ChainId, Holding, ReadStatus
from exports.outside_evidence import OutsideDocument, take_bip127, take_list
from exports.outside_judging import Holding as Amount
from exports.outside_kinds import EvidenceKind
from exports.outside_lists import ListProblem, OutsideLine, OutsideList, read_outside_list
from verifier.errors import InputError
from verifier.store import Store
from verifier.store.outside_store import ImportedEvidence

OpenReader = Callable[[ChainConfig], ChainReader]
ConfigOf = Callable[[ChainId], ChainConfig | None]
"""The configuration of a chain whose node may be asked; None for the others."""


@dataclass(frozen=True, slots=True)
class EvidenceImport:
    """What became of a file."""

    problems: tuple[ListProblem, ...]
    """Nothing was recorded when there is one."""
    document: OutsideDocument | None
    stored: ImportedEvidence | None
    """None for a dry run."""


def open_first_node(config: ChainConfig) -> ChainReader:
    """A reader of a chain's first node, which keeps nothing: others' addresses have no place in our ledgers."""
    return plugin_for(config.chain_id).open(replace(config, state_directory=None), config.nodes[0])


def import_evidence(
    store: Store,
    data: bytes,
    kind: EvidenceKind,
    *,
    source: str,
    chain_id: ChainId | None,
    message: str,
    config_of: ConfigOf,
    open_reader: OpenReader,
    actor: str,
    now: datetime,
    dry_run: bool = False,
    coins: bytes | None = None,
) -> EvidenceImport:
    """Take a file. `config_of` gives the chains whose nodes may be asked, `coins` lists what a proof file spends.

    Raises `InputError` for what cannot be taken at all.
    """
    if not source.strip():
        raise InputError("say whose evidence it is")
    try:
        taken = _taken(data, kind, source.strip(), chain_id, message, coins, config_of, open_reader, now)
    except InvalidValue as error:
        return EvidenceImport((ListProblem(0, "", "", str(error)),), None, None)
    if isinstance(taken, OutsideList):
        return EvidenceImport(taken.problems, None, None)
    if dry_run:
        return EvidenceImport((), taken, None)
    text = taken.to_bytes()
    stored = store.add_evidence(str(taken.kind), text.decode(), sha256(text).hexdigest(), actor, now)
    return EvidenceImport((), taken, stored)


def _taken(
    data: bytes,
    kind: EvidenceKind,
    source: str,
    chain_id: ChainId | None,
    message: str,
    coins: bytes | None,
    config_of: ConfigOf,
    open_reader: OpenReader,
    now: datetime,
) -> OutsideList | OutsideDocument:
    if kind is EvidenceKind.BIP127:
        if chain_id is None or not message:
            raise InputError("a proof by BIP-127 needs --chain and the --message it commits to")
        return take_bip127(data, source, chain_id, message, coins)
    if coins is not None:
        raise InputError("a list of coins goes with a proof by BIP-127")
    found = read_outside_list(data, chain_id)
    if found.problems:
        return found
    answers = ask_nodes(found.lines, config_of, open_reader, now)
    return take_list(data, source, chain_id, lambda line: answers[line.line])


def ask_nodes(
    lines: Iterable[OutsideLine], config_of: ConfigOf, open_reader: OpenReader, now: datetime
) -> dict[int, tuple[Amount, str]]:
    """What our own nodes say of each stated amount of a chain's native coin, by line."""
    answers: dict[int, tuple[Amount, str]] = {}
    asked: defaultdict[ChainId, defaultdict[int, list[OutsideLine]]] = defaultdict(lambda: defaultdict(list))
    listed = list(lines)
    chains = {name: config_of(ChainId(name)) for name in {line.chain_id for line in listed} if name}
    for line in listed:
        config = chains.get(line.chain_id)
        if config is None:
            answers[line.line] = Amount.STATED, "no node of this chain was asked"
        elif line.height is None:
            answers[line.line] = Amount.STATED, "no height is stated"
        elif line.coin.upper() != config.native_asset.symbol.upper():
            answers[line.line] = Amount.STATED, "nodes are asked for the chain's own coin alone"
        else:
            asked[config.chain_id][line.height].append(line)
    for chain_id, heights in asked.items():
        config = chains[chain_id]
        assert config is not None, "only configured chains are asked"
        try:
            with closing(open_reader(config)) as reader:
                reader.identify()
                for height, wanted in heights.items():
                    answers |= _at_height(reader, config, height, wanted, now)
        except ChainError as error:
            for line in (each for wanted in heights.values() for each in wanted):
                answers.setdefault(line.line, (Amount.STATED, f"{config.nodes[0].node_id} could not say: {error.code}"))
    return answers


def _at_height(
    reader: ChainReader, config: ChainConfig, height: int, lines: list[OutsideLine], now: datetime
) -> dict[int, tuple[Amount, str]]:
    asset = config.native_asset
    try:
        pin = reader.pin(height=height, now=now)
        seen = reader.read_balances(pin, [Holding(Address(line.address), asset) for line in lines])
    except ChainError as error:
        return {line.line: (Amount.STATED, f"{reader.node_id} could not say: {error.code}") for line in lines}
    answers = {}
    for line, found in zip(lines, seen, strict=True):
        if found.status is not ReadStatus.OK or found.base_units is None:
            answers[line.line] = Amount.STATED, f"{reader.node_id} could not say: {found.reason[:200]}"
            continue
        is_same = Decimal(line.amount).scaleb(asset.decimals) == found.base_units
        where = f"{reader.node_id} at block {pin.block.block_hash}"
        answers[line.line] = (
            (Amount.READ, where) if is_same else (Amount.DIFFERS, f"{where}: {found.base_units} base units")
        )
    return answers

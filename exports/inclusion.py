"""A client's own inclusion statement: one JSON file that says what the firm owes them, and leads to the one root.

Whoever has the statement and the root that the firm published to everybody checks it alone: the leaves are made again
from the stated amounts, the paths lead to each asset's root, and these to the root over all assets. The file holds
nothing of anybody else but the subtotals on its paths and the digests of assets the client does not own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chains.errors import InvalidValue
from chains.types import DECIMALS_MAX, Asset, AssetId
from exports.canonical import canonical_json, parse_canonical_object
from exports.codec import BaseUnits, Code, Digest, Identifier, PlainText, from_object, to_object
from exports.errors import LiabilityInvalid, NotCanonical, RecordInvalid, StatementInvalid, StatementRefused
from exports.liabilities import (
    AssetTree,
    LiabilityContext,
    entry_of,
    leaves_of,
    line_digest,
    top_digest,
)
from exports.liability_records import PARTS, LiabilityRecord
from exports.merkle_sum import DIGEST_SIZE, HEIGHT_MAX, Entry, MerkleSumTree, root_of_path

STATEMENT_FORMAT: Final = "custody-verifier-inclusion"
STATEMENT_VERSION: Final = 1
STATEMENT_BYTES_MAX: Final = 16 * 1024 * 1024
ASSETS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class SiblingRecord:
    """The other half of a step on a path: a digest, and the sum below it, which is a part of other owners' amounts."""

    digest: Digest
    base_units: BaseUnits

    def __post_init__(self) -> None:
        if self.base_units < 0:
            raise InvalidValue("a sibling is negative")


@dataclass(frozen=True, slots=True)
class PathRecord:
    """The way from one leaf to the root of its asset."""

    index: int
    """Position of the leaf, from 0."""
    siblings: tuple[SiblingRecord, ...]
    """From the leaf's own level upwards."""


@dataclass(frozen=True, slots=True)
class StatedPosition:
    """What the client is owed of one asset, and the paths of its leaves."""

    account_class: Code
    asset_id: AssetId
    decimals: int
    base_units: BaseUnits
    position_key: Digest
    line: int
    """Which of the statement's asset lines this asset's tree is, from 0."""
    paths: tuple[PathRecord, ...]
    """One for each of the position's leaves."""

    def __post_init__(self) -> None:
        if self.base_units < 0:
            raise InvalidValue("an amount owed is negative")
        if self.decimals > DECIMALS_MAX:
            raise InvalidValue(f"decimals must be 0 to {DECIMALS_MAX}")
        if len(self.paths) != PARTS:
            raise InvalidValue(f"a position has {PARTS} paths")

    @property
    def quantity(self) -> str:
        """Plain text of the exact quantity."""
        return Asset(self.asset_id, "", self.decimals).format_quantity(self.base_units)


@dataclass(frozen=True, slots=True)
class InclusionStatement:
    """What one client can check alone."""

    format: str
    format_version: int
    firm: PlainText
    bundle_id: Identifier
    as_of: datetime
    client_id: Identifier
    root: Digest
    """The root over all assets; to be compared with the one the firm published."""
    lines: tuple[Digest, ...]
    """The digest of each asset's tree, ascending by asset id; the client's own are computed again."""
    positions: tuple[StatedPosition, ...]

    def __post_init__(self) -> None:
        if len(self.lines) > ASSETS_MAX:
            raise InvalidValue("there are too many assets")

    @property
    def context(self) -> LiabilityContext:
        """What the root speaks of."""
        return LiabilityContext(self.firm, self.bundle_id, self.as_of)

    def to_bytes(self) -> bytes:
        """The file: canonical JSON and a line feed."""
        return canonical_json(to_object(self)) + b"\n"

    @staticmethod
    def parse(data: bytes) -> InclusionStatement:
        """The statement of a file's bytes.

        Raises `StatementRefused` for one that breaks its rules, and `StatementInvalid` for anything else.
        """
        if len(data) > STATEMENT_BYTES_MAX:
            raise StatementInvalid(f"larger than {STATEMENT_BYTES_MAX} bytes")
        try:
            value = parse_canonical_object(data.removesuffix(b"\n"))
        except NotCanonical as error:
            raise StatementInvalid(str(error)) from error
        if value.get("format") != STATEMENT_FORMAT:
            raise StatementInvalid(f"this is not a {STATEMENT_FORMAT}")
        if value.get("format_version") != STATEMENT_VERSION:
            raise StatementInvalid(f"this program knows version {STATEMENT_VERSION} only")
        try:
            return from_object(InclusionStatement, value)
        except RecordInvalid as error:
            raise StatementRefused(str(error)) from error


@dataclass(frozen=True, slots=True)
class InclusionVerdict:
    """What came of checking a statement."""

    positions: int
    """How many positions were led to the root."""
    leaves: int
    problems: tuple[str, ...]
    obstacles: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 included; 1 contradicted; 2 nothing to compare with."""
        if self.problems:
            return 1
        return 2 if self.obstacles or not self.positions else 0


def make_statements(
    records: Sequence[LiabilityRecord],
    trees: Iterable[tuple[AssetTree, MerkleSumTree]],
    context: LiabilityContext,
    client_ids: Iterable[str],
) -> Iterator[InclusionStatement]:
    """A statement for each client, in the order given. The trees are those of all assets, ascending by asset id.

    Raises `LiabilityInvalid` when a client has no position.
    """
    opened = {asset.asset_id: (number, asset, tree) for number, (asset, tree) in enumerate(trees)}
    lines = [asset.line() for _, asset, _ in opened.values()]
    root, shown = top_digest(context, lines).hex(), tuple(line.hex() for line in lines)
    wanted: dict[str, list[LiabilityRecord]] = {client_id: [] for client_id in client_ids}
    for record in records:
        if record.client_id in wanted:
            wanted[record.client_id].append(record)
    for client_id, own in wanted.items():
        if not own:
            raise LiabilityInvalid(f"client {client_id} has no position in this bundle")
        positions = tuple(_stated(record, *opened[record.asset_id]) for record in own)
        yield InclusionStatement(
            format=STATEMENT_FORMAT,
            format_version=STATEMENT_VERSION,
            firm=context.firm,
            bundle_id=context.bundle_id,
            as_of=context.as_of,
            client_id=client_id,
            root=root,
            lines=shown,
            positions=positions,
        )


def _stated(record: LiabilityRecord, line: int, asset: AssetTree, tree: MerkleSumTree) -> StatedPosition:
    if record.position_key is None:
        raise LiabilityInvalid("this bundle does not have the keys from which statements are made")
    paths = []
    for leaf in leaves_of(record):
        index = tree.index_of(entry_of(leaf).digest)
        siblings = tuple(SiblingRecord(entry.digest.hex(), entry.base_units) for entry in tree.path(index))
        paths.append(PathRecord(index, siblings))
    return StatedPosition(
        account_class=record.account_class,
        asset_id=record.asset_id,
        decimals=asset.decimals,
        base_units=record.base_units,
        position_key=record.position_key,
        line=line,
        paths=tuple(paths),
    )


def verify_statement(statement: InclusionStatement, published_root: str | None) -> InclusionVerdict:
    """Lead every position of a statement to the root, and compare that with the published one.

    `published_root` is the root as the firm told it to everybody, in hex; without it the statement agrees with itself
    and proves nothing, which is an obstacle.
    """
    problems: list[str] = []
    named = [(position.account_class, position.asset_id) for position in statement.positions]
    if len(set(named)) != len(named):
        problems.append("a position stands twice")
    lines = [bytes.fromhex(line) for line in statement.lines]
    if len(set(lines)) != len(lines):
        problems.append("an asset's line stands twice")
    used: set[tuple[int, int]] = set()
    assets: dict[int, AssetId] = {}
    for position in statement.positions:
        name = f"{position.asset_id} ({position.account_class})"
        try:
            line = _line(statement, position)
        except LiabilityInvalid as error:
            problems.append(f"{name}: {error}")
            continue
        if position.line >= len(lines) or lines[position.line] != line:
            problems.append(f"{name}: the paths do not lead to the tree of this asset")
        if assets.setdefault(position.line, position.asset_id) != position.asset_id:
            problems.append(f"{name}: two assets share a tree")
        places = {(position.line, path.index) for path in position.paths}
        if len(places) != PARTS or places & used:
            problems.append(f"{name}: a leaf is counted twice")
        used |= places
    ordered = [assets[number] for number in sorted(assets)]
    if ordered != sorted(set(ordered)):
        problems.append("the assets are not in ascending order, each once")
    if top_digest(statement.context, lines).hex() != statement.root:
        problems.append("the assets' trees do not lead to the stated root")
    obstacles = []
    if published_root is None:
        obstacles.append("no published root was given to compare with: the statement agrees with itself only")
    elif published_root.lower() != statement.root:
        problems.append("the stated root is not the published one")
    return InclusionVerdict(len(statement.positions), len(used), tuple(problems), tuple(obstacles))


def _line(statement: InclusionStatement, position: StatedPosition) -> bytes:
    """The line of the asset's tree as the position's own leaves and paths lead to it. Raises `LiabilityInvalid`."""
    record = LiabilityRecord(
        statement.client_id, position.account_class, position.asset_id, position.base_units, position.position_key
    )
    roots: set[tuple[int, Entry]] = set()
    for leaf, path in zip(leaves_of(record), position.paths, strict=True):
        if len(path.siblings) > HEIGHT_MAX:
            raise LiabilityInvalid("a path is too long")
        siblings = [Entry(bytes.fromhex(each.digest), each.base_units) for each in path.siblings]
        roots.add((len(siblings), root_of_path(entry_of(leaf), path.index, siblings)))
    if len(roots) != 1:
        raise LiabilityInvalid("the paths of one position lead to different roots")
    ((height, root),) = roots
    assert len(root.digest) == DIGEST_SIZE
    return line_digest(position.asset_id, position.decimals, height, root)

"""The liabilities of a bundle's file, for statements and samples; each member is the one the manifest names.

Who signed is not looked at here: `custody verify` does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports.contents import ReadLimits, read_member
from exports.errors import ContainerInvalid, LiabilityInvalid, RecordInvalid
from exports.inclusion import InclusionStatement, make_statements
from exports.liabilities import LiabilityContext, open_tree, summary
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.manifest import MANIFEST_BYTES_MAX, MANIFEST_NAME, Manifest, digest_hex, member_name
from exports.records import AssetRecord
from exports.strictzip import StrictZip, ZipLimits


@dataclass(frozen=True, slots=True)
class BundleLiabilities:
    """What a bundle says is owed."""

    manifest: Manifest
    digest: str
    """SHA-256 of the manifest bytes."""
    assets: Sequence[AssetRecord]
    liabilities: Sequence[LiabilityRecord]
    totals: Sequence[LiabilityTotalRecord]
    root: str

    @property
    def client_ids(self) -> list[str]:
        """Every owner, ascending."""
        return sorted({record.client_id for record in self.liabilities})

    def statements(self, client_ids: Iterable[str]) -> Iterator[InclusionStatement]:
        """The inclusion statement of each client. Raises `LiabilityInvalid`.

        A bundle whose trees do not lead to its own root gives none.
        """
        context = LiabilityContext(self.manifest.firm.name, self.manifest.bundle_id, self.manifest.as_of)
        by_asset: dict[str, list[LiabilityRecord]] = {total.asset_id: [] for total in self.totals}
        for record in self.liabilities:
            if record.asset_id not in by_asset:
                raise LiabilityInvalid(f"{record.asset_id} is owed and has no tree")
            by_asset[record.asset_id].append(record)
        with ExitStack() as stack:
            trees = []
            for total in sorted(self.totals, key=lambda total: total.asset_id):
                if total.padding_key is None:
                    raise LiabilityInvalid("this bundle does not have the keys from which statements are made")
                padding = bytes.fromhex(total.padding_key)
                tree = stack.enter_context(closing(open_tree(by_asset[total.asset_id], padding)))
                trees.append((summary(total.asset_id, total.decimals, tree), tree))
            for statement in make_statements(self.liabilities, trees, context, client_ids):
                if statement.root != self.root:
                    raise LiabilityInvalid("the bundle's trees do not lead to its root")
                yield statement


def read_liabilities(path: Path) -> BundleLiabilities:
    """The liabilities of a bundle. Raises `BundleError` when its manifest or a member of them is not right."""
    try:
        with path.open("rb") as file:
            container = StrictZip(file, ZipLimits())
            if MANIFEST_NAME not in container.entries:
                raise ContainerInvalid(f"there is no {MANIFEST_NAME}")
            data = container.read(MANIFEST_NAME, MANIFEST_BYTES_MAX)
            manifest = Manifest.parse(data)
            found: dict[str, tuple[Any, ...]] = {
                kind: _read(container, manifest, kind)
                for kind in ("assets", "liabilities", "liability_totals", "liability_roots")
            }
    except OSError as error:
        raise ContainerInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    roots: tuple[LiabilityRootRecord, ...] = found["liability_roots"]
    if len(roots) != 1:
        raise RecordInvalid(f"{len(roots)} liabilities roots, not one")
    return BundleLiabilities(
        manifest, digest_hex(data), found["assets"], found["liabilities"], found["liability_totals"], roots[0].root
    )


def _read(container: StrictZip, manifest: Manifest, kind: str) -> tuple[Any, ...]:
    name = member_name(kind)
    member = next(member for member in manifest.members if member.name == name)
    if name not in container.entries:
        raise ContainerInvalid(f"{name} is missing")
    records, problems = read_member(container, member, ReadLimits())
    if problems:
        raise RecordInvalid(problems[0])
    return tuple(records)

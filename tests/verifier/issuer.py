"""A firm that exports: desks before chains in memory, a signing key, and an auditor who trusts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chains.reader import ChainReader
from chains.types import ChainId
from exports.bundle import WrittenBundle
from exports.keys import create_key_pair, load_signer
from exports.trust import TrustedKeys, trusted_key, trusted_keys
from exports.verdict import CheckStatus, VerificationReport
from exports.verify import verify_bundle
from tests.exports.sample import FIRM_SECRET
from tests.verifier.sweep.desk import Desk
from verifier.bundling import issue_bundle
from verifier.config import Settings


@dataclass(frozen=True)
class Issuer:
    """Exports what its desks swept, and verifies as an auditor does."""

    desks: Sequence[Desk]
    folder: Path
    key: Path
    trusted: TrustedKeys

    @staticmethod
    def of(folder: Path, *desks: Desk) -> Issuer:
        """An issuer with a new key."""
        key = folder / "key.pem"
        entry = trusted_key("operations", create_key_pair(key), "operations")
        expires = desks[0].now().replace(microsecond=0) + timedelta(days=365)
        return Issuer(desks, folder, key, trusted_keys((entry,), expires=expires))

    @property
    def settings(self) -> Settings:
        """The configuration that knows every desk's chain."""
        return Settings.model_validate(
            {
                "firm": {"name": "Test firm"},
                "sweep": self.desks[0].settings.model_dump(),
                "chains": [
                    {
                        "chain_id": desk.chain_id,
                        "name": "test chain",
                        "genesis_hash": desk.config.genesis_hash,
                        "finality": str(desk.config.finality),
                        "state_directory": desk.config.state_directory,
                        "native_asset": {"asset_id": desk.native.asset_id, "symbol": "ETH"},
                        "nodes": [
                            {"node_id": node.node_id, "operator": node.operator, "url": "http://127.0.0.1:1"}
                            for node in desk.config.nodes
                        ],
                    }
                    for desk in self.desks
                ],
            }
        )

    def issue(self, name: str = "bundle.zip", since: Mapping[str, int] | None = None) -> WrittenBundle:
        """Export into a file."""
        desk = self.desks[0]
        signers = [load_signer(f"file2:{self.key}")]
        return issue_bundle(
            desk.store, self.settings, self.folder / name, since or {}, signers, "ops", desk.now, FIRM_SECRET
        )

    def verify(self, path: Path, after: tuple[int, str] | None = None, *, nodes: bool = False) -> VerificationReport:
        """The auditor's report; with `nodes` against the desks' own chains."""
        readers = {ChainId(desk.chain_id): opener(desk) for desk in self.desks} if nodes else None
        return verify_bundle(path, self.trusted, now=self.desks[0].now(), readers=readers, after=after)


def opener(desk: Desk) -> Callable[[], ChainReader]:
    """Opens a reader through the desk's first node."""
    return lambda: desk.plugin.open(desk.config, desk.config.nodes[0])


def refused(report: VerificationReport) -> dict[int, tuple[str, ...]]:
    """What did not pass, by number of the check."""
    bad = (CheckStatus.FAILED, CheckStatus.NOT_POSSIBLE)
    return {check.number: check.problems or (check.detail,) for check in report.checks if check.status in bad}

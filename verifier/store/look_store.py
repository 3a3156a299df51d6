"""What is seen between sweeps: at the head of a chain, and that nothing new was seen for too long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from chains.errors import InvalidValue
from chains.types import BlockRef, ChainId
from verifier.case_book import Sighting
from verifier.records import Finding
from verifier.store.case_seeing import see_cases
from verifier.store.case_store import CaseStore
from verifier.store.records import CaseSeen


class LookStore(CaseStore):
    """Cases without a sweep."""

    def see_at_head(
        self, block: BlockRef, sightings: Sequence[Sighting], actor: str, now: datetime, gone: Collection[str] = ()
    ) -> list[CaseSeen]:
        """Open or see again the cases of provisional findings. Raises `InvalidValue` when one is not provisional.

        `gone` are hashes of blocks that left the chain before any sweep covered them: what was seen there and is seen
        again is noted at its new block.
        """
        if any(not each.finding.provisional for each in sightings):
            raise InvalidValue("what is seen at the head is provisional")
        if not sightings:  # so nearly always: no head of a busy chain waits for the writer, or for all cases to be read
            return []
        payload = {"chain_id": block.chain_id, "height": block.height, "block_hash": block.block_hash}
        with self.record("head.looked", actor, payload, now) as unit:
            return see_cases(unit, block.chain_id, None, sightings, actor, all_seen=False, is_look=True, gone=gone)

    def see_stale(self, chain_id: ChainId, findings: Sequence[Finding], actor: str, now: datetime) -> list[CaseSeen]:
        """Open or see again the case that a chain was not observed for too long."""
        with self.record("heartbeat.missed", actor, {"chain_id": chain_id}, now) as unit:
            sightings = [Sighting(each, ()) for each in findings]
            return see_cases(unit, chain_id, None, sightings, actor, all_seen=False)

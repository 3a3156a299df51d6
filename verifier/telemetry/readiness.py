"""Whether a process can do its work now: each check by name, with a stable code where it fails."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.errors import VerifierError
from verifier.process_identity import ProcessIdentity
from verifier.store import open_store

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.telemetry.process import ProcessMetrics


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    """`database`, `schema`, `lease:NAME` or `chain:ID`."""
    ok: bool
    code: str = ""
    """Why not; empty where it holds."""


def checks(
    settings: Settings, chain_ids: Collection[str], leases: Collection[str], process: ProcessMetrics
) -> list[Check]:
    """The database answers and has this program's schema; each lease is held by somebody; each chain answered lately.

    A chain that another process follows is that process's matter, and so are its nodes.
    """
    try:
        store = open_store(settings.database.url.get_secret_value())
    except VerifierError as error:
        return [Check("database", False, error.code)]
    try:
        return _checks(store, settings, chain_ids, leases, process)
    except VerifierError as error:
        return [Check("schema" if error.code == "schema-outdated" else "database", False, error.code)]
    finally:
        store.close()


def _checks(
    store: Store, settings: Settings, chain_ids: Collection[str], leases: Collection[str], process: ProcessMetrics
) -> list[Check]:
    store.require_schema()
    found = [Check("database", True), Check("schema", True)]
    names = {*leases, *(f"watch:{chain_id}" for chain_id in chain_ids)}
    held = {name: lease.holder for name, (lease, is_held) in store.held_leases(names).items() if is_held}
    found += [Check(f"lease:{name}", name in held, "" if name in held else "lease-free") for name in leases]
    own = str(ProcessIdentity.own())
    for chain_id in chain_ids:
        if held.get(f"watch:{chain_id}") != own:
            continue
        late = process.seconds_silent(chain_id) > settings.metrics.answered_seconds_max
        found.append(Check(f"chain:{chain_id}", not late, "no-answer" if late else ""))
    return found

"""What judges, as a document: each change is journalled with its digest, and approved by another person where asked.

The document is everything of the configuration that decides what becomes a finding, a case, a deadline or an approval.
Where nodes live, files lie and how much is read at a time is not in it, and no secret is.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from exports.canonical import canonical_json
from verifier.errors import PoliciesNotApproved
from verifier.rules.wording import some_of
from verifier.store.records import ChangeKind

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.proposal_store import StoredChange

FORMAT: Final = "custody-policies/1"
_SECTIONS: Final = ("firm", "sweep", "imports", "reserve", "custodians", "supervision", "approvals", "schedule")
_NOT_OF_CHAINS: Final = frozenset({"nodes", "limits", "state_directory", "native_asset"})


def policy_document(settings: Settings) -> dict[str, Any]:
    """The policies as canonical values: text, whole numbers, truth values, lists and objects."""
    shown = settings.shown()
    document: dict[str, Any] = {name: shown[name] for name in _SECTIONS if name in shown}
    document["chains"] = [
        {name: value for name, value in chain.items() if name not in _NOT_OF_CHAINS}
        | {"nodes": sorted([node["node_id"], node.get("operator") or ""] for node in chain["nodes"])}
        for chain in shown["chains"]
    ]
    fitted: dict[str, Any] = _fit({"format": FORMAT, **document})
    return fitted


def note_policies(store: Store, settings: Settings, actor: str, now: datetime) -> StoredChange:
    """Journal the policies when they are not those in force; gives those that are.

    Raises `PoliciesNotApproved` when they wait for another person: by this configuration, or by the one in force, so
    that nobody takes the demand away alone.
    """
    document = policy_document(settings)
    digest = hashlib.sha256(canonical_json(document)).hexdigest()
    standing = [each for each in store.changes(ChangeKind.POLICIES) if each.in_force]
    if standing and standing[-1].digest == digest:
        return standing[-1]
    demanded = bool(standing) and bool(standing[-1].content.get("approvals", {}).get("policies"))
    needs = settings.approvals.policies or demanded
    text = (
        f"changes {standing[-1].proposal_id}: {_differences(standing[-1].content, document)}" if standing else "first"
    )
    stored = store.add_change(ChangeKind.POLICIES, document, {}, text, actor, now, needs_approval=needs)
    if needs:
        raise PoliciesNotApproved(
            f"the configured policies are {stored.proposal_id} and wait for another person ({stored.text})"
        )
    return stored


def changed_values(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Path, value before and value after of everything that differs, as JSON; empty where there is none."""
    old, new = ({name: value.decode() for name, value in _leaves("", document)} for document in (before, after))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [(name, old.get(name, ""), new.get(name, "")) for name in names]


def _differences(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The paths of what differs, for people."""
    return some_of([name for name, _, _ in changed_values(before, after)], most=12)


def _leaves(path: str, value: Any) -> list[tuple[str, bytes]]:
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in _leaves(f"{path}.{name}".lstrip("."), each)]
    return [(path, canonical_json(value))]


def _fit(value: Any) -> Any:
    """The value without floats: canonical JSON has none."""
    if isinstance(value, dict):
        return {str(name): _fit(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(each) for each in value]
    return repr(value) if isinstance(value, float) else value

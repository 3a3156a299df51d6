"""What changed from one bundle of a firm to a later one: figures, what stands behind them, and what is newly withheld.

Both bundles were verified by themselves; this only compares what they say. A change is no contradiction. What no later
bundle can honestly say is one: another firm, the same number with other content, a journal that became shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exports.codec import to_object
from exports.contents import Contents
from exports.manifest import Manifest, digest_hex
from exports.profiles import left_out
from exports.records import RECORD_TYPES
from exports.superseded import superseded_lines

CHANGES_SHOWN_MAX: Final = 20
"""Most changes of one kind a text lists; the number of all of them is always given."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How records of one kind are paired, and which of their fields are figures or facts that a reader follows."""

    key: tuple[str, ...]
    fields: tuple[str, ...]


FOLLOWED: Final[Mapping[str, Compared]] = {
    "acceptances": Compared(("acceptance_id",), ()),
    "allocations": Compared(("client_id", "account_class", "location", "asset_id", "is_gas_float"), ("base_units",)),
    "assets": Compared(("asset_id",), ("decimals", "legal_class", "legal_class_from", "dust_limit")),
    "authorizations": Compared(("authorization_id",), ("base_units_max", "destination", "valid_until", "approved_by")),
    "balances": Compared(("chain_id", "address", "asset_id"), ("base_units", "status", "grade")),
    "cases": Compared(("case_id",), ("status", "base_units")),
    "liability_totals": Compared(("asset_id",), ("owed", "observed", "positions", "status")),
    "pools": Compared(("pool_id", "chain_id", "address", "from_date"), ("to_date",)),
    "reconciliations": Compared(("rail", "location", "asset_id"), ("claimed", "observed", "difference", "status")),
    "possession_reviews": Compared(("review_id",), ("digest",)),
    "securities_runs": Compared(("run_id",), ("digest",)),
    "reserve_computations": Compared(("computation_id",), ("digest",)),
    "token_layouts": Compared(("asset_id",), ()),
    "wallets": Compared(
        ("chain_id", "address"),
        ("structure", "titling", "custodian", "mpc_vault", "threshold", "share_count", "share_holders", "closed_on"),
    ),
}
"""Kinds whose records are followed from bundle to bundle. Of the other kinds only the numbers are compared."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that came, went, or says something else now."""

    kind: str
    key: tuple[str, ...]
    what: str
    """`added`, `removed` or `changed`."""
    before: Mapping[str, object]
    """The followed fields that differ; of a removed record all of them; of an added one none."""
    after: Mapping[str, object]

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "key": list(self.key),
            "what": self.what,
            "before": dict(self.before),
            "after": dict(self.after),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from an older bundle to a newer one."""

    older: tuple[int, str]
    """Sequence and digest."""
    newer: tuple[int, str]
    problems: tuple[str, ...]
    """What a later bundle of the same firm cannot honestly say."""
    notes: tuple[str, ...]
    """What of the scope changed: rails, chains, bundles between the two."""
    newly_withheld: tuple[str, ...]
    no_longer_withheld: tuple[str, ...]
    weaker: tuple[str, ...]
    """Holdings whose figure rests on weaker evidence than before, or could not be read any more."""
    changes: tuple[Change, ...]
    counts: tuple[tuple[str, int, int], ...]
    """For every kind of record how many there were and are."""

    def to_dict(self) -> dict[str, object]:
        """For `--json`: amounts are strings of base units."""
        return {
            "older": {"sequence": self.older[0], "digest": self.older[1]},
            "newer": {"sequence": self.newer[0], "digest": self.newer[1]},
            "problems": list(self.problems),
            "notes": list(self.notes),
            "newly_withheld": list(self.newly_withheld),
            "no_longer_withheld": list(self.no_longer_withheld),
            "weaker": list(self.weaker),
            "changes": [change.to_dict() for change in self.changes],
            "records": {kind: {"before": before, "after": after} for kind, before, after in self.counts},
        }


def difference(older: Contents, newer: Contents) -> Difference:
    """What changed from one bundle to a later one."""
    before, after = older.manifest, newer.manifest
    problems, notes = _sequence(before, after)
    if older.manifest == newer.manifest:
        notes.append("both are the same bundle")
    notes += superseded_lines(
        record for record in newer.superseded_bundles if record.sequence == before.sequence < after.sequence
    )
    was, now = (_withheld(manifest) for manifest in (before, after))
    followed = _comparable(before, after)
    if before.profile is not after.profile or before.subject != after.subject:
        notes.append(f"the profile was {_profile(before)} and is {_profile(after)}: only what both show is compared")
    if left := sorted(set(FOLLOWED) - set(followed)):
        notes.append(f"not compared, because one of the two does not show them alike: {', '.join(left)}")
    return Difference(
        (before.sequence, digest_hex(before.to_bytes())),
        (after.sequence, digest_hex(after.to_bytes())),
        tuple(problems),
        tuple(notes),
        tuple(sorted(now - was)),
        tuple(sorted(was - now)),
        tuple(_weaker(older, newer)),
        tuple(change for kind in followed for change in _changes(kind, older, newer)),
        tuple((kind, len(getattr(older, kind)), len(getattr(newer, kind))) for kind in sorted(RECORD_TYPES)),
    )


def difference_lines(found: Difference) -> Iterator[str]:
    """The difference as lines of text, the same on every machine."""
    yield f"From bundle {found.older[0]} to bundle {found.newer[0]}:"
    yield from (f"  CONTRADICTION: {problem}" for problem in found.problems)
    yield from (f"  {note}" for note in found.notes)
    yield from (f"  newly withheld: {text}" for text in found.newly_withheld)
    yield from (f"  no longer withheld: {text}" for text in found.no_longer_withheld)
    yield from (f"  weaker evidence: {text}" for text in found.weaker[:CHANGES_SHOWN_MAX])
    if len(found.weaker) > CHANGES_SHOWN_MAX:
        yield f"  weaker evidence: and {len(found.weaker) - CHANGES_SHOWN_MAX} more"
    for kind in sorted({change.kind for change in found.changes}):
        of_kind = [change for change in found.changes if change.kind == kind]
        counts = Counter(change.what for change in of_kind)
        told = ", ".join(f"{counts[what]} {what}" for what in ("added", "removed", "changed") if counts[what])
        yield f"  {kind}: {told}"
        yield from (f"    {_line(change)}" for change in of_kind[:CHANGES_SHOWN_MAX])
        if len(of_kind) > CHANGES_SHOWN_MAX:
            yield f"    and {len(of_kind) - CHANGES_SHOWN_MAX} more"
    for kind, before, after in found.counts:
        if kind not in FOLLOWED and before != after:
            yield f"  {kind}: {before} records before, {after} now"
    if not found.changes:
        yield "  no figure changed"


def _line(change: Change) -> str:
    key = " ".join(change.key)
    if change.what == "added":
        return f"+ {key}: {_told(change.after)}" if change.after else f"+ {key}"
    if change.what == "removed":
        return f"- {key}: {_told(change.before)}" if change.before else f"- {key}"
    return f"~ {key}: " + ", ".join(f"{name} {change.before[name]} -> {change.after[name]}" for name in change.after)


def _told(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def _sequence(before: Manifest, after: Manifest) -> tuple[list[str], list[str]]:
    problems, notes = [], []
    if before.firm != after.firm:
        problems.append(f"the firm was {before.firm.name} and is {after.firm.name}")
    if after.sequence < before.sequence:
        problems.append(f"bundle {after.sequence} is not later than bundle {before.sequence}")
    elif after.sequence == before.sequence:
        if _full_digest(after) != _full_digest(before):
            problems.append(f"there are two different bundles {after.sequence}")
    elif after.sequence == before.sequence + 1:
        if after.previous_digest != _full_digest(before):
            problems.append(f"bundle {after.sequence} does not follow this bundle {before.sequence}, but another one")
    else:
        notes.append(f"{after.sequence - before.sequence - 1} bundles lie between the two; ask for them")
    if after.sequence > before.sequence:
        if after.as_of < before.as_of:
            problems.append("the later bundle speaks of an earlier moment")
        if after.journal.sequence < before.journal.sequence:
            problems.append(f"the journal had {before.journal.sequence} entries and has {after.journal.sequence}")
    for name, was, now in (
        ("rail", set(map(str, before.scope.rails)), set(map(str, after.scope.rails))),
        ("chain", set(before.scope.chains), set(after.scope.chains)),
    ):
        notes += [f"{name} {each} is not spoken of any more" for each in sorted(was - now)]
        notes += [f"{name} {each} is spoken of for the first time" for each in sorted(now - was)]
    return problems, notes


def _full_digest(manifest: Manifest) -> str:
    """The digest in the firm's sequence of bundles: that of the full one."""
    return manifest.full_digest or digest_hex(manifest.to_bytes())


def _profile(manifest: Manifest) -> str:
    return f"{manifest.profile} of {manifest.subject}" if manifest.subject else str(manifest.profile)


def _withheld(manifest: Manifest) -> set[str]:
    """What a bundle leaves out, by its own words and by kinds of record."""
    words = {f"{item.what}: {item.why}" for item in manifest.withheld}
    kinds = {f"{kind}: not all records are shown" for kind in left_out(manifest.disclosure)}
    return (
        words | kinds | {f"{each.kind}: {name} is not shown" for each in manifest.disclosure for name in each.replaced}
    )


def _comparable(before: Manifest, after: Manifest) -> list[str]:
    """Kinds whose records both show whole and whose keys mean the same; pseudonyms are of one bundle alone."""
    told = [{each.kind: each for each in manifest.disclosure} for manifest in (before, after)]
    same = (
        before.full_digest is not None and before.full_digest == after.full_digest and before.profile is after.profile
    )
    return [
        kind
        for kind, compared in sorted(FOLLOWED.items())
        if same
        or all(each[kind].is_whole and not {*compared.key, *compared.fields} & {*each[kind].replaced} for each in told)
    ]


_STRENGTH: Final = {"": 0, "stated": 1, "read": 2, "proven": 3}


def _weaker(older: Contents, newer: Contents) -> Iterator[str]:
    """Holdings that both bundles state, with less behind them now."""
    graded = {key: _grade(record) for key, record in _keyed("balances", older).items()}
    for key, record in sorted(_keyed("balances", newer).items()):
        was, now = graded.get(key, ""), _grade(record)
        if _STRENGTH[now] < _STRENGTH[was]:
            yield f"{' '.join(key)}: {was} before, {now or 'not read'} now"


def _grade(balance: Mapping[str, object]) -> str:
    return str(balance["grade"]) if balance["base_units"] is not None else ""


def _changes(kind: str, older: Contents, newer: Contents) -> Iterator[Change]:
    fields = FOLLOWED[kind].fields
    before, after = _keyed(kind, older), _keyed(kind, newer)
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            yield Change(kind, key, "added", {}, {name: after[key][name] for name in fields})
        elif key not in after:
            yield Change(kind, key, "removed", {name: before[key][name] for name in fields}, {})
        else:
            moved = [name for name in fields if before[key][name] != after[key][name]]
            if moved:
                was, now = ({name: side[key][name] for name in moved} for side in (before, after))
                yield Change(kind, key, "changed", was, now)


def _keyed(kind: str, contents: Contents) -> dict[tuple[str, ...], dict[str, Any]]:
    records: Sequence[Any] = getattr(contents, kind)
    key_of = _key_of(kind)
    return {key_of(record): to_object(record) for record in records}


def _key_of(kind: str) -> Callable[[Any], tuple[str, ...]]:
    names = FOLLOWED[kind].key
    return lambda record: tuple(str(getattr(record, name)) for name in names)

"""Bundles that show less: nobody else's id, name or address is in their bytes, and nothing withheld is claimed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exports.audit_report import audit_report_html
from exports.bundle import Bundle, payload_members, record_lines
from exports.bundle_file import read_contents
from exports.bundle_liabilities import read_liabilities
from exports.contents import Contents
from exports.difference import difference, difference_lines
from exports.disclosure import (
    SHARED_PLACE,
    client_bundle,
    commitment,
    commitment_key,
    pseudonym,
    pseudonymous_bundle,
)
from exports.errors import DisclosureRefused, LiabilityInvalid
from exports.liabilities import LiabilityContext
from exports.profiles import Profile
from exports.report import report_text
from exports.verdict import CheckStatus, VerificationReport
from tests.conformance_bundles.profiles import contents_of, with_documents
from tests.exports.outside_samples import FIRST, row, signed, snapshot, taken, with_evidence
from tests.exports.proof_samples import proven_bundle
from tests.exports.sample import (
    ETH,
    FIRM_SECRET,
    OMNIBUS,
    OUTSIDE,
    POOLED_A,
    POOLED_B,
    SEGREGATED,
    Firm,
    allocation,
    check,
    make_firm,
    sample_bundle,
    verify,
    write,
)

NAMES = {"client-1": "Ada Lovelace", "client-2": "Benjamin Banneker", "client-3": "Zoë Åkesson"}
OWN_BYTES = {
    "client-1": (),
    "client-2": (),
    "client-3": (SEGREGATED,),
}
"""Addresses that a client's own bundle may name."""


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def named_bundle() -> Bundle:
    """The sample, in whose words people wrote the names of clients."""
    base = sample_bundle()
    titled = {SEGREGATED: NAMES["client-3"]}
    first, *rest = base.cases
    return replace(
        base,
        wallets=tuple(replace(each, titling=titled.get(each.address, each.titling)) for each in base.wallets),
        authorizations=tuple(replace(each, reference=f"for {NAMES['client-1']}") for each in base.authorizations),
        cases=(replace(first, text=f"client-2 ({NAMES['client-2']}) was told"), *rest),
        transfers=tuple(replace(each, reason="paid to client-2" if each.reason else "") for each in base.transfers),
    )


FULL = contents_of(named_bundle())
CONTEXT = LiabilityContext(FULL.manifest.firm.name, FULL.manifest.bundle_id, FULL.manifest.as_of)


def bytes_of(bundle: Bundle) -> bytes:
    """Every unsigned member, one after the other."""
    return b"\n".join(payload_members(bundle)[1].values())


def found_in(data: bytes, words: list[str]) -> list[str]:
    folded = data.decode("utf-8").casefold()
    return [word for word in words if word.casefold() in folded]


def secrets_of(*, but: str = "") -> list[str]:
    """All that tells of clients: ids, names and the keys of their positions; of one client nothing."""
    keys = [record.position_key or "" for record in FULL.liabilities if record.client_id != but]
    return [word for client, name in NAMES.items() if client != but for word in (client, name)] + keys


@pytest.mark.fault("E15")
def test_a_pseudonymous_bundle_names_no_client() -> None:
    assert found_in(bytes_of(named_bundle()), secrets_of()) == secrets_of(), "the full one has them all"
    made = pseudonymous_bundle(FULL, FIRM_SECRET, NAMES.values())
    assert found_in(bytes_of(made), secrets_of()) == []
    assert {each.client_id for each in made.allocations if not each.is_gas_float} == {
        pseudonym(client, CONTEXT, FIRM_SECRET) for client in NAMES
    }
    assert [each.reason for each in made.transfers if each.reason] == ["withheld"]


@pytest.mark.fault("E15")
@pytest.mark.parametrize("client", NAMES)
def test_a_clients_own_bundle_holds_nothing_of_others(client: str) -> None:
    made = client_bundle(FULL, client, [name for who, name in NAMES.items() if who != client])
    addresses = [each for each in (OMNIBUS, SEGREGATED, POOLED_A, POOLED_B, OUTSIDE) if each not in OWN_BYTES[client]]
    acts = ["auth-1", "pool:main", *(each.tx_id for each in FULL.transfers), *(each.case_id for each in FULL.cases)]
    padding = [total.padding_key or "" for total in FULL.liability_totals]
    foreign = [*secrets_of(but=client), *addresses, *acts, *padding]
    assert found_in(bytes_of(named_bundle()), foreign) == foreign, "the full one has them all"
    assert found_in(bytes_of(made), foreign) == []
    assert found_in(bytes_of(made), [client, *OWN_BYTES[client]]) == [client, *OWN_BYTES[client]]
    assert {each.client_id for each in made.allocations} == {client}


def test_what_lies_at_shared_places_is_one_sum() -> None:
    made = client_bundle(FULL, "client-1")
    sums = {(each.location, each.asset_id): each.base_units for each in made.allocations}
    assert sums[SHARED_PLACE, ETH] == 10**18 + 12
    assert {location for location, _ in sums} == {SHARED_PLACE}
    assert not made.wallets
    assert not made.reconciliations


def test_a_wallet_is_a_clients_own_only_while_nobody_else_has_something_in_it() -> None:
    place = sample_bundle().wallets[1].location
    assert [each.address for each in client_bundle(FULL, "client-3").wallets] == [SEGREGATED]
    shared = replace(FULL, allocations=(*FULL.allocations, allocation("client-2", place, ETH, 1)))
    assert client_bundle(shared, "client-3").wallets == []
    omnibus = tuple(replace(each, structure="omnibus") for each in FULL.wallets)
    assert client_bundle(replace(FULL, wallets=omnibus), "client-3").wallets == []


def test_the_root_stays_and_the_same_bytes_come_out_again() -> None:
    made = [pseudonymous_bundle(FULL, FIRM_SECRET), client_bundle(FULL, "client-2")]
    assert {record.root for each in made for record in each.liability_roots} == {FULL.liability_roots[0].root}
    again = [pseudonymous_bundle(FULL, FIRM_SECRET), client_bundle(FULL, "client-2")]
    assert [bytes_of(each) for each in made] == [bytes_of(each) for each in again]
    assert bytes_of(pseudonymous_bundle(FULL, b"other secret" * 3)) != bytes_of(made[0])
    with pytest.raises(LiabilityInvalid, match="32 bytes"):
        pseudonymous_bundle(FULL, b"short")


def test_pseudonyms_are_of_one_bundle() -> None:
    next_one = replace(CONTEXT, bundle_id="bundle-0002")
    assert pseudonym("client-1", CONTEXT, FIRM_SECRET) != pseudonym("client-1", next_one, FIRM_SECRET)
    assert pseudonym("client-1", CONTEXT, FIRM_SECRET) != pseudonym("client-2", CONTEXT, FIRM_SECRET)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pools": tuple(replace(each, pool_id="client-2") for each in FULL.pools)}, "pools.pool_id"),
        (
            {"wallets": tuple(replace(each, custodian="Ada Lovelace Trust") for each in FULL.wallets)},
            "wallets.custodian",
        ),
    ],
)
def test_a_client_named_where_nothing_can_be_left_out_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(DisclosureRefused, match=field):
        pseudonymous_bundle(replace(FULL, **change), FIRM_SECRET, NAMES.values())  # type: ignore[arg-type]
    assert pseudonymous_bundle(FULL, FIRM_SECRET, NAMES.values()).profile is Profile.PSEUDONYMOUS


def test_nobody_gets_a_bundle_of_a_client_who_is_not_there_or_of_one_that_shows_less() -> None:
    with pytest.raises(DisclosureRefused, match="client-9 has no position"):
        client_bundle(FULL, "client-9")
    with pytest.raises(DisclosureRefused, match="full bundle"):
        pseudonymous_bundle(contents_of(pseudonymous_bundle(FULL, FIRM_SECRET)), FIRM_SECRET)


def test_a_commitment_is_opened_by_its_key_and_the_records() -> None:
    full = contents_of(with_documents())
    made = pseudonymous_bundle(full, FIRM_SECRET)
    told = {each.kind: each for each in made.disclosure}
    for kind in ("possession_reviews", "reserve_computations"):
        key, lines = commitment_key(kind, CONTEXT, FIRM_SECRET), record_lines(getattr(full, kind))
        assert (told[kind].published, told[kind].committed, told[kind].withheld) == (0, 1, 0)
        assert told[kind].commitment == commitment(lines, key)
        assert told[kind].commitment != commitment(lines + b"\n", key)
        assert told[kind].commitment != commitment(lines, commitment_key("cases", CONTEXT, FIRM_SECRET))


def verified(folder: Path, firm: Firm, bundle: Bundle, expected: Profile | None = None) -> VerificationReport:
    return verify(write(folder, firm, bundle, f"{len(list(folder.iterdir()))}.zip"), firm.trusted, expected=expected)


def test_what_is_withheld_is_not_checked_and_never_claimed(tmp_path: Path, firm: Firm) -> None:
    bundle = client_bundle(FULL, "client-3")
    report = verified(tmp_path, firm, bundle)
    assert report.exit_code == 2
    assert {each.number for each in report.checks if each.status is CheckStatus.WITHHELD} == {7, 10, 11, 14, 18}
    text = report_text(report)
    assert "withheld: not checked, for it rests on" in text
    assert "NOT VERIFIED: 5 checks rest on what is withheld. Say `--profile client`" in text
    assert "grants: 0 shown, 1 withheld." in text
    asked = verified(tmp_path, firm, bundle, Profile.CLIENT)
    assert asked.exit_code == 0
    assert "VERIFIED as far as a client bundle shows:" in report_text(asked)
    assert "5 withheld: not checked" in report_text(asked)
    assert asked.bundle is not None
    assert asked.bundle.control == ()
    full = verified(tmp_path, firm, named_bundle())
    assert full.exit_code == 0
    assert full.bundle is not None
    assert full.bundle.control != ()
    assert full.count(CheckStatus.WITHHELD) == 0


def test_a_reader_gets_the_profile_they_ask_for_or_no_verdict(tmp_path: Path, firm: Firm) -> None:
    pseudonyms = pseudonymous_bundle(FULL, FIRM_SECRET)
    assert verified(tmp_path, firm, pseudonyms).exit_code == 0, "all of it can be checked"
    assert verified(tmp_path, firm, pseudonyms, Profile.PSEUDONYMOUS).exit_code == 0
    other = verified(tmp_path, firm, pseudonyms, Profile.FULL)
    assert other.exit_code == 2
    assert "a full bundle was asked for, and this is a pseudonymous one" in report_text(other)
    assert verified(tmp_path, firm, named_bundle(), Profile.FULL).exit_code == 0
    assert verified(tmp_path, firm, named_bundle(), Profile.CLIENT).exit_code == 2


def test_a_clients_own_wallets_are_proven_by_what_they_need_alone(tmp_path: Path, firm: Firm) -> None:
    full = contents_of(proven_bundle())
    made = client_bundle(full, "client-3")
    assert {str(each.state) for each in made.balances} == {"proven", "read"}
    assert 0 < len(made.proof_nodes) < len(full.proof_nodes)
    told = {each.kind: each for each in contents_of(made).manifest.disclosure}
    assert told["balances"].replaced == ()
    assert (told["proof_nodes"].published, told["proof_nodes"].withheld) == (
        len(made.proof_nodes),
        len(full.proof_nodes) - len(made.proof_nodes),
    )
    proven = check(verified(tmp_path, firm, made, Profile.CLIENT), 24)
    assert (proven.status, proven.compared) == (CheckStatus.PASSED, 1)


@pytest.mark.parametrize("left_out", ["proof_headers", "proof_nodes", "both"])
def test_a_client_is_not_told_that_a_balance_is_proven_without_its_proof(
    left_out: str, tmp_path: Path, firm: Firm
) -> None:
    made = client_bundle(contents_of(proven_bundle()), "client-3")
    kinds = ("proof_headers", "proof_nodes") if left_out == "both" else (left_out,)
    less: Any = dict.fromkeys(kinds, ())
    told = tuple(replace(each, published=0) if each.kind in kinds else each for each in made.disclosure)
    report = verified(tmp_path, firm, replace(made, disclosure=told, **less), Profile.CLIENT)
    assert check(report, 24).status is CheckStatus.FAILED


def test_a_client_without_a_wallet_of_their_own_has_no_state_proofs(tmp_path: Path, firm: Firm) -> None:
    made = client_bundle(contents_of(proven_bundle()), "client-1")
    assert (list(made.proof_headers), list(made.proof_nodes), list(made.balances)) == ([], [], [])
    report = verified(tmp_path, firm, made, Profile.CLIENT)
    assert check(report, 24).status is CheckStatus.WITHHELD
    assert report.exit_code == 0


def test_statements_are_made_of_no_bundle_without_keys(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, pseudonymous_bundle(FULL, FIRM_SECRET))
    found = read_liabilities(path)
    with pytest.raises(LiabilityInvalid, match="does not have the keys"):
        list(found.statements(found.client_ids))
    full = read_liabilities(write(tmp_path, firm, named_bundle(), "full.zip"))
    assert len(list(full.statements(full.client_ids))) == 3


def read(folder: Path, firm: Firm, bundle: Bundle, name: str) -> Contents:
    return read_contents(write(folder, firm, bundle, name))


def test_a_change_of_profile_is_told_and_only_what_both_show_is_compared(tmp_path: Path, firm: Firm) -> None:
    full = read(tmp_path, firm, named_bundle(), "full.zip")
    pseudonyms = read(tmp_path, firm, pseudonymous_bundle(FULL, FIRM_SECRET), "pseudonymous.zip")
    own = read(tmp_path, firm, client_bundle(FULL, "client-3"), "own.zip")
    found = difference(full, pseudonyms)
    assert (found.problems, found.changes) == ((), ())
    assert any("the profile was full and is pseudonymous" in note for note in found.notes)
    assert "allocations: client_id is not shown" in found.newly_withheld
    less = difference(pseudonyms, own)
    assert "transfers: not all records are shown" in less.newly_withheld
    assert any("of client-3" in line for line in difference_lines(less))
    same = difference(pseudonyms, pseudonyms)
    assert (same.newly_withheld, same.problems) == ((), ())
    forged = replace(pseudonyms, manifest=replace(pseudonyms.manifest, full_digest="0" * 64))
    assert difference(full, forged).problems == ("there are two different bundles 1",)


def test_the_next_bundle_follows_one_that_shows_less_by_the_full_ones_digest(tmp_path: Path, firm: Firm) -> None:
    pseudonyms = pseudonymous_bundle(FULL, FIRM_SECRET)
    before = contents_of(pseudonyms)
    follows = replace(named_bundle(), sequence=2, previous_digest=pseudonyms.full_digest)
    assert difference(before, contents_of(follows)).problems == ()
    other = replace(follows, previous_digest="1" * 64)
    assert difference(before, contents_of(other)).problems != ()


def test_the_report_says_which_profile_it_reads_and_claims_nothing_of_what_is_left_out(
    tmp_path: Path, firm: Firm
) -> None:
    made = client_bundle(FULL, "client-3")
    whole = audit_report_html(FULL, verified(tmp_path, firm, named_bundle())).decode("utf-8")
    page = audit_report_html(contents_of(made), verified(tmp_path, firm, made, Profile.CLIENT)).decode("utf-8")
    assert "<dt>Profile</dt><dd>full</dd>" in whole
    assert "What this bundle leaves out" not in whole
    assert "exceptions are open, of 4 the bundle holds" in whole
    assert "<dt>Profile</dt><dd>client of client-3, made from the full bundle" in page
    assert "grants: 0 shown, 1 withheld." in page
    assert "the bundle holds" not in page
    assert "check 18, who else could move it is stated and has its cases: withheld" in page
    assert verified(tmp_path, firm, named_bundle()).bundle.control[0] in whole  # type: ignore[union-attr]


def test_documents_of_others_are_committed_to_too() -> None:
    full = contents_of(with_evidence(taken(snapshot(row(signature=signed(FIRST))))))
    assert full.imported_evidence
    made = pseudonymous_bundle(full, FIRM_SECRET)
    told = {each.kind: each for each in made.disclosure}["imported_evidence"]
    key = commitment_key("imported_evidence", CONTEXT, FIRM_SECRET)
    assert (list(made.imported_evidence), told.published, told.committed) == ([], 0, len(full.imported_evidence))
    assert told.commitment == commitment(record_lines(full.imported_evidence), key)

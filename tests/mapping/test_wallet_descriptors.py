"""Wallets out of output descriptors: what follows from a row, what is refused, and that no private key is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.bitcoin.descriptors import descriptor_checksum, parse_descriptor
from chains.bitcoin.networks import MAIN
from mapping.importer import ImportOptions, ImportResult
from mapping.types import DescriptorRole, PoolMember, Wallet, WalletDescriptor
from tests.mapping.desk import BITCOIN, DESCRIPTOR, FIRST_OF_DESCRIPTOR, NOW, OMNIBUS, Desk, only

ADDRESSES = tuple(parse_descriptor(MAIN, DESCRIPTOR).addresses(0, 40))
XPUB = DESCRIPTOR.partition("]")[2].partition("/")[0]
XPRV = "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"
WIF = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"


def written(body: str) -> str:
    return f"{body}#{descriptor_checksum(body)}"


def wallets(result: ImportResult) -> dict[str, Wallet]:
    return {row.record.address: row.record for row in result.records if isinstance(row.record, Wallet)}


def members(result: ImportResult) -> set[tuple[str, str]]:
    return {(row.record.pool_id, row.record.address) for row in result.records if isinstance(row.record, PoolMember)}


def test_every_derived_address_is_a_wallet_like_the_first(desk: Desk) -> None:
    result = desk.take(wallet_descriptors=({"look_ahead": "5", "birth_height": "880000"},))
    (descriptor,) = [row.record for row in result.records if isinstance(row.record, WalletDescriptor)]
    assert descriptor == WalletDescriptor(
        MAIN.chain_id, ADDRESSES[0], DESCRIPTOR, DescriptorRole.EXTERNAL, 880_000, look_ahead=5, derived=5
    )
    made = wallets(result)
    assert sorted(made) == sorted(ADDRESSES[1:5])
    assert {(each.titling, each.mpc_vault, each.threshold) for each in made.values()} == {
        ("For the exclusive benefit of customers", "vault-1", 2)
    }
    assert all(row.origin.source == "wallet_descriptors.csv" and row.origin.line == 2 for row in result.records)
    assert "5 addresses follow" in result.notices[0].text


def test_the_pools_of_the_first_are_those_of_all(desk: Desk) -> None:
    pool = {"pool_id": "P-BTC", "chain_id": BITCOIN, "address": FIRST_OF_DESCRIPTOR}
    together = desk.give(pools=(pool,), wallet_descriptors=({"look_ahead": "3"},))
    assert members(together) == {("P-BTC", address) for address in ADDRESSES[:3]}
    desk.take(wallet_descriptors=({"look_ahead": "3"},))
    later = desk.take(pools=(pool,))
    assert members(later) == {("P-BTC", address) for address in ADDRESSES[:3]}
    assert wallets(later) == {}
    more = desk.take(wallet_descriptors=({"look_ahead": "3", "derived": "6"},))
    assert members(more) == {("P-BTC", address) for address in ADDRESSES[3:6]}
    assert sorted(wallets(more)) == sorted(ADDRESSES[3:6])


def test_a_change_of_the_first_is_one_for_all_and_rows_of_their_own_go_before(desk: Desk) -> None:
    desk.take(wallet_descriptors=({"look_ahead": "4"},))
    first = {"chain_id": BITCOIN, "address": FIRST_OF_DESCRIPTOR, "mpc_vault": "vault-2"}
    own = {"chain_id": BITCOIN, "address": ADDRESSES[2], "mpc_vault": "vault-3"}
    made = wallets(desk.take(wallets=(first, own)))
    assert [made[address].mpc_vault for address in ADDRESSES[:4]] == ["vault-2", "vault-2", "vault-3", "vault-2"]
    again = desk.take(wallet_descriptors=({"look_ahead": "4", "derived": "5"},))
    assert list(wallets(again)) == [ADDRESSES[4]]
    assert wallets(again)[ADDRESSES[4]].mpc_vault == "vault-2"


def test_the_same_rows_again_say_nothing_new(desk: Desk) -> None:
    desk.take(wallet_descriptors=({"look_ahead": "4"},))
    again = desk.give(wallet_descriptors=({"look_ahead": "4", "derived": "4"},))
    assert again.is_noop
    assert again.unchanged == 1


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"address": OMNIBUS}, "address", "Bech32"),
        ({"address": ADDRESSES[1]}, "address", "number 0"),
        ({"chain_id": "eip155:1", "address": OMNIBUS}, "descriptor", "no descriptors"),
        ({"descriptor": DESCRIPTOR[:-1] + "q"}, "descriptor", "checksum"),
        ({"descriptor": DESCRIPTOR.partition("#")[0]}, "descriptor", "checksum"),
        ({"descriptor": written(f"wpkh({XPUB}/1/2/0)")}, "descriptor", "one address only"),
        ({"descriptor": written(f"wpkh({XPUB}/<0;1>/*)")}, "descriptor", "one descriptor for each"),
        ({"descriptor": written(f"combo({XPUB}/1/2/*)")}, "descriptor", "four scripts"),
        ({"role": "both"}, "role", "external, change"),
        ({"look_ahead": "0"}, "look_ahead", "1 to 1000"),
        ({"look_ahead": "1001"}, "look_ahead", "1 to 1000"),
        ({"look_ahead": "20", "derived": "19"}, "derived", "at least the look_ahead"),
        ({"birth_height": "-1"}, "birth_height", "height"),
    ],
)
def test_what_is_refused(desk: Desk, changes: dict[str, str], column: str, words: str) -> None:
    problem = only(desk.refused(wallet_descriptors=(changes,)))
    assert problem.column == column
    assert words in problem.reason


def test_a_script_without_an_address_cannot_be_a_wallet(desk: Desk) -> None:
    text = written(f"pk({XPUB}/1/2/*)")
    problem = only(desk.refused(wallet_descriptors=({"descriptor": text},)))
    assert "no address" in problem.reason


@pytest.mark.fault("B20")
@pytest.mark.parametrize(
    "body", [f"wpkh({XPRV}/1/2/*)", f"wpkh({WIF})", f"wsh(sortedmulti(1,{XPUB}/*,{XPRV}/*))", f"{WIF}"]
)
def test_a_private_key_is_refused_and_shown_nowhere(desk: Desk, body: str) -> None:
    for text in (body, written(body), written(body)[:-1] + "q"):
        problem = only(desk.refused(wallet_descriptors=({"descriptor": text},)))
        assert "private key" in problem.reason
        assert problem.value == "(not shown)"
        assert XPRV[4:14] not in str(problem)
        assert WIF[2:12] not in str(problem)


@pytest.mark.fault("B20")
def test_a_private_key_in_the_place_of_an_address_is_shown_nowhere(desk: Desk) -> None:
    problem = only(desk.refused(wallets=({"chain_id": BITCOIN, "address": WIF},)))
    assert "private key" in problem.reason
    assert WIF[2:12] not in str(problem)


def test_an_unknown_first_wallet_is_a_problem(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ImportOptions(now=NOW), empty=True)
    problem = only(desk.refused(wallet_descriptors=({},)))
    assert (problem.column, "wallets.csv" in problem.reason) == ("address", True)


def test_what_is_watched_stays_watched(desk: Desk) -> None:
    desk.take(wallet_descriptors=({"look_ahead": "6"},))
    fewer = only(desk.refused(wallet_descriptors=({"look_ahead": "5", "derived": "5"},)))
    assert (fewer.column, "stay watched" in fewer.reason) == ("derived", True)
    other = written(f"wpkh({XPUB}/1/2/*)")
    changed = only(desk.refused(wallet_descriptors=({"descriptor": other, "look_ahead": "6"},)))
    assert (changed.column, "never changed" in changed.reason) == ("descriptor", True)


def test_the_threshold_of_a_multisig_is_that_of_its_scripts(desk: Desk) -> None:
    text = written(f"wsh(sortedmulti(2,{XPUB}/0/*,{XPUB}/1/*,{XPUB}/2/*))")
    first = next(iter(parse_descriptor(MAIN, text).addresses(0, 1)))
    wallet = {"chain_id": BITCOIN, "address": first, "key_scheme": "multisig", "gas_float_limit": ""}
    row = {"address": first, "descriptor": text}
    assert desk.give(wallets=(wallet,), wallet_descriptors=(row,)).ok
    wrong = {**wallet, "threshold": "3", "firm_alone_can_sign": "no"}
    problem = only(desk.refused(wallets=(wrong,), wallet_descriptors=(row,)))
    assert "2 of 3 signatures" in problem.reason


def test_addresses_of_two_descriptors_do_not_meet(desk: Desk) -> None:
    """An address that follows from two rows would be two wallets."""
    first = {"chain_id": BITCOIN, "address": ADDRESSES[3]}
    desk.take(wallet_descriptors=({"look_ahead": "5"},))
    same = desk.give(wallets=(first,), wallet_descriptors=({"look_ahead": "5", "address": ADDRESSES[3]},))
    assert "number 0" in only(same.problems).reason

"""Public derivation against BIP-32's own test vectors (1, 2 and 5); private keys are refused and not repeated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin import curve
from chains.bitcoin.bip32 import HARDENED, ExtendedKey, parse_extended_key
from chains.bitcoin.curve import ORDER, _multiple, _sum, add_multiple, compressed, point_of
from chains.bitcoin.networks import MAIN, REGTEST, TEST
from chains.bitcoin.private_keys import PrivateKeyGiven
from chains.errors import InvalidValue

MASTER_1 = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
)
# Vector 1: m/0h, m/0h/1, m/0h/1/2h, m/0h/1/2h/2, m/0h/1/2h/2/1000000000.
VECTOR_1 = (
    "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
    "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
    "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5",
    "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV",
    "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy",
)
# Vector 2: m, m/0 and, behind hardened steps, m/0/2147483647h, …/1 and …/1/2147483646h, …/2.
VECTOR_2 = (
    "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
    "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
    "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
    "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon",
    "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
    "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt",
)
PRIVATE = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
)
# Vector 5: keys that are none, each with what is wrong with it.
INVALID = (
    # the version of a public key over a private one
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
    # first bytes of a key that do not exist
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
    # depth 0 with a parent, and with a number
    "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
    "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
    # unknown versions
    "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHPmHJiEDXkTiJTVV9rHEBUem2mwVbbNfvT2MTcAqj3nesx8uBf9",
    "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHGMQzT7ayAmfo4z3gY5KfbrZWZ6St24UVf2Qgo6oujFktLHdHY4",
    # no point of the curve
    "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
)


def key(text: str) -> ExtendedKey:
    return parse_extended_key(MAIN, text)


def test_children_are_those_of_the_vectors() -> None:
    assert key(VECTOR_1[0]).child(1) == key(VECTOR_1[1])
    assert key(VECTOR_1[2]).child(2).child(1_000_000_000) == key(VECTOR_1[4])
    assert key(VECTOR_2[0]).child(0) == key(VECTOR_2[1])
    assert key(VECTOR_2[2]).child(1).spelled(MAIN) == VECTOR_2[3]
    assert key(VECTOR_2[4]).child(2).spelled(MAIN) == VECTOR_2[5]
    assert key(VECTOR_2[0]).child(1) != key(VECTOR_2[1])


@pytest.mark.parametrize("text", [MASTER_1, *VECTOR_1, *VECTOR_2])
def test_every_public_key_of_the_vectors_is_read_and_spelled_alike(text: str) -> None:
    assert key(text).spelled(MAIN) == text


@pytest.mark.parametrize("text", INVALID)
def test_what_the_vectors_call_invalid_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        key(text)


def test_hardened_children_need_the_private_key() -> None:
    with pytest.raises(InvalidValue, match="private key only"):
        key(MASTER_1).child(HARDENED)
    with pytest.raises(InvalidValue, match="private key only"):
        key(MASTER_1).child(-1)


@pytest.mark.parametrize(
    "text", [PRIVATE, f"{PRIVATE}/0/1", PRIVATE[:-1] + "x", "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"]
)
def test_private_keys_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(PrivateKeyGiven) as refused:
        key(text)
    assert text[4:20] not in str(refused.value)
    assert refused.value.is_secret


def test_a_mistyped_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidValue, match="mistyped") as refused:
        key(MASTER_1[:-1] + "9")
    assert MASTER_1[:20] not in str(refused.value)


def test_keys_of_one_network_are_not_those_of_another() -> None:
    tpub = key(MASTER_1).spelled(REGTEST)
    assert tpub.startswith("tpub")
    assert parse_extended_key(TEST, tpub) == key(MASTER_1)
    for network, text in ((MAIN, tpub), (REGTEST, MASTER_1)):
        with pytest.raises(InvalidValue, match="another network"):
            parse_extended_key(network, text)


def test_letters_of_slip_132_are_refused_by_name() -> None:
    zpub = (
        "zpub6jftahH18ngZxLmXaKw3GSZzZsszmt9WqedkyZdezFtWRFBZqsQH5hyUm"
        "b4pCEeZGmVfQuP5bedXTB8is6fTv19U1GQRyQUKQGUTzyHACMF"
    )
    with pytest.raises(InvalidValue, match="write the key as xpub or tpub"):
        key(zpub)


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
@settings(max_examples=50, deadline=None)
def test_both_ways_of_adding_agree(one: int, other: int) -> None:
    pytest.importorskip("coincurve", reason="there is one way only")
    public_key = compressed(_multiple(one))
    if one + other == ORDER:
        return
    assert add_multiple(public_key, other) == compressed(_sum(_multiple(one), _multiple(other)))
    assert point_of(public_key) == _multiple(one)


def test_a_sum_that_is_no_key_is_refused_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = compressed(_multiple(1))
    for library in ("as installed", "none"):
        if library == "none":
            monkeypatch.setattr(curve, "_coincurve", lambda: None)
        assert add_multiple(generator, 1) == compressed(_multiple(2))
        with pytest.raises(InvalidValue, match="no key"):
            add_multiple(generator, ORDER - 1)
        with pytest.raises(InvalidValue, match="order"):
            add_multiple(generator, ORDER)

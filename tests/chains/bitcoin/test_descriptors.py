"""Output descriptors against the test vectors of BIP-380, 381, 382, 383, 385 and 386, accepted and refused.

Where a vector is written with a private key, it is here with the public one that its BIP gives beside it, and the
private one is among those refused: nothing here takes private keys.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.descriptors import _INPUT, Descriptor, descriptor_checksum, parse_descriptor
from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.private_keys import PrivateKeyGiven
from chains.errors import InvalidValue

KEY = "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
KEY_X = KEY[2:]
LONG = (
    "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
    "5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235"
)
OTHER = "0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600"
WIF = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
WIF_LONG = "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss"
XPUB_A = (
    "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"
)
XPUB_B = (
    "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL"
)
XPUB_C = (
    "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y"
)
XPUB_D = (
    "xpub69H7F5dQzmVd3vPuLKtcXJziMEQByuDidnX3YdwgtNsecY5HRGtAAQC5mXTt4dsv9RzyjgDjAQs9VGVV6ydYCHnprc9vvaA5YtqWyL6hyds"
)
XPRV = "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"
SIXTEEN = (
    "03669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
    "0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600",
    "0362a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
    "0261345b53de74a4d721ef877c255429961b7e43714171ac06168d7e08c542a8b8",
    "02da72e8b46901a65d4374fe6315538d8f368557dda3a1dcf9ea903f3afe7314c8",
    "0318c82dd0b53fd3a932d16e0ba9e278fcc937c582d5781be626ff16e201f72286",
    "0297ccef1ef99f9d73dec9ad37476ddb232f1238aff877af19e72ba04493361009",
    "02e502cfd5c3f972fe9a3e2a18827820638f96b6f347e54d63deb839011fd5765d",
    "03e687710f0e3ebe81c1037074da939d409c0025f17eb86adb9427d28f0f7ae0e9",
    "02c04d3a5274952acdbc76987f3184b346a483d43be40874624b29e3692c1df5af",
    "02ed06e0f418b5b43a7ec01d1d7d27290fa15f75771cb69b642a51471c29c84acd",
    "036d46073cbb9ffee90473f3da429abc8de7f8751199da44485682a989a4bebb24",
    "02f5d1ff7c9029a80a4e36b9a5497027ef7f3e73384a4a94fbfe7c4e9164eec8bc",
    "02e41deffd1b7cce11cde209a781adcffdabd1b91c0ba0375857a2bfd9302419f3",
    "02d76625f7956a7fc505ab02556c23ee72d832f1bac391bcd2d3abce5710a13d06",
    "0399eb0a5487515802dc14544cf10b3666623762fbed2ec38a3975716e2c29c232",
)
BARE_1_OF_2 = f"5121{KEY}41{LONG}52ae"

ACCEPTED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("BIP-381", f"pk({KEY})", (f"21{KEY}ac",)),
    ("BIP-381", f"pkh([deadbeef/1/2'/3/4']{KEY})", ("76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac",)),
    ("BIP-381", f"pkh([deadbeef/1/2h/3/4h]{KEY})", ("76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac",)),
    ("BIP-381", f"pk({LONG})", (f"41{LONG}ac",)),
    ("BIP-381", f"pkh({LONG})", ("76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac",)),
    ("BIP-381", f"sh(pk({KEY}))", ("a9141857af51a5e516552b3086430fd8ce55f7c1a52487",)),
    ("BIP-381", f"sh(pkh({KEY}))", ("a9141a31ad23bf49c247dd531a623c2ef57da3c400c587",)),
    ("BIP-381", f"pkh([bd16bee5/2147483647h]{XPUB_D}/0)", ("76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac",)),
    (
        "BIP-381",
        f"pk({XPUB_C}/0)",
        ("210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac",),
    ),
    ("BIP-382", f"wpkh({KEY})", ("00149a1c78a507689f6f54b847ad1cef1e614ee23f1e",)),
    (
        "BIP-382",
        f"wpkh([ffffffff/13']{XPUB_A}/1/2/*)",
        (
            "0014326b2249e3a25d5dc60935f044ee835d090ba859",
            "0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7",
            "00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27",
        ),
    ),
    ("BIP-382", f"wsh(pkh({KEY}))", ("0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b",)),
    ("BIP-382", f"wsh(pk({KEY}))", ("00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa",)),
    ("BIP-382", f"sh(wsh(pkh({KEY})))", ("a914b61b92e2ca21bac1e72a3ab859a742982bea960a87",)),
    ("BIP-383", f"multi(1,{KEY},{LONG})", (BARE_1_OF_2,)),
    ("BIP-383", f"sortedmulti(1,{LONG},{KEY})", (BARE_1_OF_2,)),
    (
        "BIP-383",
        f"sh(multi(2,[00000000/111'/222]{XPUB_B},{XPUB_C}/0))",
        ("a91445a9a622a8b0a1269944be477640eedc447bbd8487",),
    ),
    (
        "BIP-383",
        f"sortedmulti(2,{XPUB_B}/*,{XPUB_C}/0/0/*)",
        (
            (
                "5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b6"
                "2102fbd47cc8034098f0e6a94c6aeee8528abf0a2153a5d8e46d325b7284c046784652ae"
            ),
            (
                "52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe647"
                "2103f4ece6dfccfa37b211eb3d0af4d0c61dba9ef698622dc17eecdf764beeb005a652ae"
            ),
            (
                "5221022ccabda84c30bad578b13c89eb3b9544ce149787e5b538175b1d1ba259cbb833"
                "21024d902e1a2fc7a8755ab5b694c575fce742c48d9ff192e63df5193e4c7afe1f9c52ae"
            ),
        ),
    ),
    ("BIP-383", f"sh(wsh(multi(16,{','.join(SIXTEEN)})))", ("a9147fc63e13dc25e8a95a3cee3d9a714ac3afd96f1e87",)),
    ("BIP-385", "raw(deadbeef)", ("deadbeef",)),
    ("BIP-385", f"raw({BARE_1_OF_2})", (BARE_1_OF_2,)),
    (
        "BIP-385",
        "raw(a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87)",
        ("a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87",),
    ),
    ("BIP-385", "addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)", ("a914" + "ee" * 20 + "87",)),
    ("BIP-386", f"tr({KEY_X})", ("512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11",)),
    ("BIP-386", f"tr({KEY})", ("512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11",)),
    ("BIP-380", f"pk([deadbeef/0h/0h/0h]{OTHER})", (f"21{OTHER}ac",)),
    ("BIP-380", f"pk([deadbeef/0'/0h/0']{OTHER})", (f"21{OTHER}ac",)),
)

REFUSED: tuple[tuple[str, str], ...] = (
    ("BIP-380 children in the origin", f"pk([deadbeef/0h/0h/0h/*]{OTHER})"),
    ("BIP-380 slash at the end of the origin", f"pk([deadbeef/0h/0h/0h/]{OTHER})"),
    ("BIP-380 short fingerprint", f"pk([deadbef/0h/0h/0h]{OTHER})"),
    ("BIP-380 long fingerprint", f"pk([deadbeeef/0h/0h/0h]{OTHER})"),
    ("BIP-380 hardened f", f"pk([deadbeef/0f/0f/0f]{OTHER})"),
    ("BIP-380 hardened H", f"pk([deadbeef/0H/0H/0H]{OTHER})"),
    ("BIP-380 hardened -", f"pk([deadbeef/-0/-0/-0]{OTHER})"),
    ("BIP-380 step out of range", f"pkh({XPUB_A}/2147483648)"),
    ("BIP-380 step that is no number", f"pkh({XPUB_A}/1aa)"),
    ("BIP-380 two origins", f"pkh([aaaaaaaa][aaaaaaaa]{XPUB_A}/0)"),
    ("BIP-380 no beginning of the origin", f"pkh(aaaaaaaa]{XPUB_A}/0)"),
    ("BIP-380 fingerprint not hex", f"pkh([gaaaaaaa]{XPUB_A}/0)"),
    ("BIP-380 origin without a key", "pkh([deadbeef])"),
    ("BIP-380 hardened steps behind an xpub", f"pkh({XPUB_B}/3h/4h/5h/*)"),
    ("BIP-380 hardened children of an xpub", f"pkh({XPUB_B}/*h)"),
    ("BIP-381 pk in pk", f"pk(pk({KEY}))"),
    ("BIP-381 pk in pkh", f"pkh(pk({KEY}))"),
    ("BIP-381 key in sh", f"sh({KEY})"),
    ("BIP-381 sh in sh", f"sh(sh(pkh({KEY})))"),
    ("BIP-382 long key in wpkh", f"wpkh({LONG})"),
    ("BIP-382 long key in sh(wpkh)", f"sh(wpkh({LONG}))"),
    ("BIP-382 long key in wsh", f"wsh(pk({LONG}))"),
    ("BIP-382 wpkh in wsh", f"wsh(wpkh({KEY}))"),
    ("BIP-382 wsh in wsh", f"wsh(wsh(pkh({KEY})))"),
    ("BIP-382 wsh in wsh in sh", f"sh(wsh(wsh(pkh({KEY}))))"),
    ("BIP-382 script in wpkh", f"wpkh(wsh(pkh({KEY})))"),
    ("BIP-382 key in wsh", f"wsh({KEY})"),
    ("BIP-383 16 keys in sh", f"sh(multi(16,{','.join(SIXTEEN)}))"),
    ("BIP-383 threshold a", f"multi(a,{KEY},{LONG})"),
    ("BIP-383 threshold 0", f"multi(0,{KEY},{LONG})"),
    ("BIP-383 threshold beyond the keys", f"multi(3,{KEY},{LONG})"),
    ("BIP-383 four keys at the top", f"multi(1,{','.join(SIXTEEN[:4])})"),
    ("BIP-384 combo", f"combo({KEY})"),
    ("BIP-385 script not hex", "raw(asdf)"),
    ("BIP-385 no address", "addr(asdf)"),
    ("BIP-385 raw in sh", "sh(raw(deadbeef))"),
    ("BIP-385 raw in wsh", "wsh(raw(deadbeef))"),
    ("BIP-385 addr in sh", "sh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))"),
    ("BIP-385 addr in wsh", "wsh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))"),
    ("BIP-386 long key in tr", f"tr({LONG})"),
    ("BIP-386 tr in wsh", f"wsh(tr({KEY_X}))"),
    ("BIP-386 tr in sh", f"sh(tr({KEY_X}))"),
    ("tr with a script", f"tr({KEY_X},pk({KEY_X}))"),
    ("x-only key outside of tr", f"pkh({KEY_X})"),
    ("no point of the curve", f"wpkh(02{'00' * 31}05)"),
    ("several paths, BIP-389", f"wpkh({XPUB_A}/<0;1>/*)"),
    ("star not at the end", f"wpkh({XPUB_A}/*/0)"),
    ("Miniscript", f"wsh(and_v(v:pk({KEY}),older(10)))"),
    ("address of another network", "addr(2N1LGaGg836mqSQqiuUBLfcyGBhyZbremDX)"),
    ("nothing", ""),
    ("text behind", f"wpkh({KEY})x"),
)

WITH_PRIVATE_KEYS = (
    f"pk({WIF})",
    f"wpkh({WIF_LONG})",
    f"wpkh({XPRV}/0/*)",
    f"wsh(sortedmulti(2,{KEY},{XPRV}/1/*))",
    f"tr([deadbeef/0h]{WIF})",
    f"wpkh({XPRV}",  # mistyped, and refused for the key first
    f"{WIF}",
    f"combo({WIF})",
)


def read(text: str) -> Descriptor:
    return parse_descriptor(MAIN, text, checksum_required=False)


@pytest.mark.parametrize(("source", "text", "scripts"), ACCEPTED, ids=[f"{a} {b[:24]}" for a, b, _ in ACCEPTED])
def test_the_scripts_of_the_vectors(source: str, text: str, scripts: tuple[str, ...]) -> None:
    descriptor = read(text)
    assert [descriptor.script(number).hex() for number in range(len(scripts))] == list(scripts), source
    assert descriptor.is_ranged == ("*" in text) == (len(scripts) > 1)
    again = parse_descriptor(MAIN, descriptor.text)
    assert again == descriptor


@pytest.mark.parametrize(("source", "text"), REFUSED, ids=[source for source, _ in REFUSED])
def test_what_the_vectors_call_invalid_is_refused(source: str, text: str) -> None:
    with pytest.raises(InvalidValue):
        read(text)
    try:
        checksum = descriptor_checksum(text)
    except ValueError:
        return
    with pytest.raises(InvalidValue):
        parse_descriptor(MAIN, f"{text}#{checksum}")


@pytest.mark.fault("B20")
@pytest.mark.parametrize("text", WITH_PRIVATE_KEYS)
def test_private_keys_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(PrivateKeyGiven) as refused:
        read(text)
    assert not {WIF[5:15], WIF_LONG[5:15], XPRV[5:15]} & {
        str(refused.value)[at : at + 10] for at in range(len(str(refused.value)))
    }


def test_checksums_of_bip_380() -> None:
    assert parse_descriptor(MAIN, "raw(deadbeef)#89f8spxm").script(0).hex() == "deadbeef"
    assert read("raw(deadbeef)").text == "raw(deadbeef)#89f8spxm"
    for wrong in (
        "raw(deadbeef)",
        "raw(deadbeef)#",
        "raw(deadbeef)#89f8spxmx",
        "raw(deadbeef)#89f8spx",
        "raw(deedbeef)#89f8spxm",
        "raw(deedbeef)##9f8spxm",
        "raw(Ü)#00000000",
    ):
        with pytest.raises(InvalidValue):
            parse_descriptor(MAIN, wrong)


@given(st.integers(0, 160), st.sampled_from(_INPUT))
def test_no_single_wrong_character_passes(at: int, character: str) -> None:
    good = read(f"wpkh([ffffffff/13h]{XPUB_A}/1/2/*)").text
    at %= len(good)
    wrong = good[:at] + character + good[at + 1 :]
    if wrong == good:
        return
    with pytest.raises(InvalidValue):
        parse_descriptor(MAIN, wrong)


def test_numbers_of_scripts() -> None:
    ranged, single = read(f"wpkh({XPUB_A}/*)"), read(f"wpkh({XPUB_A}/7)")
    assert ranged.script(7) == single.script(0)
    assert list(ranged.addresses(6, 2))[1] == single.address(0)
    for wrong in (-1, 2**31):
        with pytest.raises(InvalidValue, match="numbers"):
            ranged.script(wrong)
    with pytest.raises(InvalidValue, match="one script only"):
        single.script(1)


def test_scripts_without_an_address_say_so() -> None:
    for text in (f"pk({KEY})", f"multi(1,{KEY},{OTHER})"):
        with pytest.raises(InvalidValue, match="no address"):
            read(text).address(0)


def test_who_can_sign_is_told_of_multisig() -> None:
    assert read(f"sh(wsh(sortedmulti(2,{KEY},{OTHER},{SIXTEEN[0]})))").multisig == (2, 3)
    assert read(f"wpkh({KEY})").multisig is None


def test_keys_of_another_network_are_refused() -> None:
    with pytest.raises(InvalidValue, match="another network"):
        parse_descriptor(REGTEST, f"wpkh({XPUB_A}/*)", checksum_required=False)

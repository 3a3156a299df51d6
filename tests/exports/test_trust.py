"""Lists of trusted keys follow each other by the rules of TUF's root role; who counts is counted role by role."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.errors import TrustedKeysInvalid
from exports.keys import sign_list
from exports.manifest import PAYLOAD_TYPE
from exports.public_keys import signed_bytes
from exports.trust import LIST_TYPE, ROOT, TrustedKeys, count_roles, follow, follow_all, trusted_keys
from exports.trust_changes import Change, find_key, next_version, with_revoked
from tests.exports.keyring import EXPIRES, draft, entry, pem, signed, signer
from tests.exports.sample import CREATED, NOW

OPS = "operations-1"


def names(count: int, first: int = 1) -> list[str]:
    return [f"root-{number}" for number in range(first, first + count)]


# Root keys and threshold before and after, and who signs the new list: the cases that TUF's own tests go through.
ROTATIONS = [
    # (before, threshold, after, threshold, signers, works)
    ([1], 1, [1], 1, [1], True),  # nothing changes
    ([1], 1, [2], 1, [1, 2], True),  # the one key is replaced
    ([1], 1, [2], 1, [2], False),  # the old key did not sign
    ([1], 1, [2], 1, [1], False),  # the new key did not sign
    ([1], 1, [2], 1, [], False),
    ([1, 2, 3, 4, 5], 3, [1, 2, 3, 4, 6], 3, [1, 2, 3], True),  # one of five replaced
    ([1, 2, 3, 4, 5], 3, [1, 2, 3, 4, 6], 3, [1, 2, 6], False),  # two of the old, three of the new
    ([1, 2, 3, 4, 5], 3, [1, 2, 3, 4, 6], 3, [1, 2, 5], False),  # three of the old, two of the new
    ([1, 2, 3, 4, 5], 3, [1, 2, 3, 4, 6], 3, [1, 2, 5, 6], True),  # three of each, two in common
    ([1, 2, 3], 2, [4, 5, 6], 2, [1, 2, 4, 5], True),  # all replaced
    ([1, 2, 3], 2, [4, 5, 6], 2, [1, 4, 5], False),
    ([1, 2, 3], 2, [4, 5, 6], 2, [1, 2, 4], False),
    ([1, 2, 3], 2, [3, 4, 5], 2, [1, 3, 4], True),  # one overlaps and counts for both
    ([1, 2, 3], 1, [1, 2, 3], 3, [1], False),  # threshold raised: the new one holds
    ([1, 2, 3], 1, [1, 2, 3], 3, [1, 2, 3], True),
    ([1, 2, 3], 3, [1, 2, 3], 1, [1], False),  # threshold lowered: the old one still holds
    ([1, 2, 3], 3, [1, 2, 3], 1, [1, 2, 3], True),
]


@pytest.mark.fault("E8")
@pytest.mark.parametrize(("before", "old", "after", "new", "signers", "works"), ROTATIONS)
def test_a_new_list_needs_the_old_and_the_new_threshold(
    before: list[int], old: int, after: list[int], new: int, signers: list[int], works: bool
) -> None:
    held = signed(draft(OPS, *(f"root-{n}" for n in before), root=old), *(f"root-{n}" for n in before))
    newer = signed(draft(OPS, *(f"root-{n}" for n in after), root=new, version=2), *(f"root-{n}" for n in signers))
    if works:
        assert follow(held, newer) is newer
        return
    with pytest.raises(TrustedKeysInvalid, match="root keys; "):
        follow(held, newer)


SOME = st.sets(st.integers(1, 5), min_size=1)


@pytest.mark.fault("E8")
@settings(max_examples=40, deadline=None)
@given(SOME, SOME, st.sets(st.integers(1, 6)), st.data())
def test_whoever_signs_both_thresholds_decide(
    before: set[int], after: set[int], signers: set[int], data: st.DataObject
) -> None:
    old, new = (data.draw(st.integers(1, len(each))) for each in (before, after))
    held = draft(OPS, *(f"root-{n}" for n in sorted(before)), root=old)
    newer = draft(OPS, *(f"root-{n}" for n in sorted(after)), root=new, version=2)
    newer = signed(newer, *(f"root-{n}" for n in sorted(signers)))
    if len(signers & before) >= old and len(signers & after) >= new:
        assert follow(held, newer) is newer
    else:
        with pytest.raises(TrustedKeysInvalid, match="root keys; "):
            follow(held, newer)


@pytest.mark.fault("E1", "E12")
def test_a_changed_byte_of_a_list_is_refused_or_changes_nothing() -> None:
    keys = signed(draft(OPS, "root-1"), "root-1")
    data = keys.to_bytes()
    refused = 0
    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 7)
        try:
            assert TrustedKeys.parse(bytes(changed)) == keys, f"byte {place}"
        except TrustedKeysInvalid:
            refused += 1
    assert refused > len(data) / 3 * 0.6, "the rest is white space between the words"


@pytest.mark.fault("E8", "E10")
@pytest.mark.parametrize(
    ("version", "works"), [(1, False), (2, False), (3, False), (4, True), (5, False), (2**40, False)]
)
def test_the_version_rises_by_exactly_one(version: int, works: bool) -> None:
    held = signed(draft(OPS, "root-1", version=3), "root-1")
    newer = signed(draft(OPS, "root-1", version=version), "root-1")
    if works:
        assert follow(held, newer).version == 4
        return
    with pytest.raises(TrustedKeysInvalid, match=r"never go back|lies between"):
        follow(held, newer)


@pytest.mark.fault("E8")
def test_one_root_key_counts_once_and_root_keys_are_root_keys() -> None:
    held = signed(draft(OPS, *names(2), root=2), *names(2))
    newer = draft(OPS, *names(2), root=2, version=2)
    assert follow(held, signed(newer, *names(2))).version == 2
    once = signed(newer, "root-1", "root-1")
    assert len(once.signatures) == 1
    for signers in (["root-1", "root-1"], ["root-1", OPS], ["root-1", "root-9"]):
        with pytest.raises(TrustedKeysInvalid, match="1 of version 1's root keys; 2 are needed"):
            follow(held, signed(newer, *signers))
    # the same signature under another key's id is a wrong signature, not a second one
    stolen = replace(once.signatures[0], key_id=entry("root-2").key_id)
    with pytest.raises(TrustedKeysInvalid, match="is wrong"):
        newer.signed_with([once.signatures[0], stolen])


@pytest.mark.fault("E6", "E8")
def test_a_signature_of_another_list_or_kind_is_refused() -> None:
    keys = draft(OPS, "root-1")
    other = signed(draft(OPS, "root-1", version=2), "root-1")
    with pytest.raises(TrustedKeysInvalid, match="is wrong"):
        keys.signed_with(other.signatures)
    good = signed(keys, "root-1").signatures[0]
    for payload_type, works in ((LIST_TYPE, True), (PAYLOAD_TYPE, False)):
        made = signer("root-1").sign(signed_bytes(keys.payload(), payload_type))
        text = base64.b64encode(bytes.fromhex(made.signature)).decode()
        if works:
            keys.signed_with([replace(good, signature=text)]).require_signed()
        else:
            with pytest.raises(TrustedKeysInvalid, match="is wrong"):
                keys.signed_with([replace(good, signature=text)])


@pytest.mark.fault("E7", "E8")
def test_a_list_with_root_keys_is_read_only_when_it_is_signed() -> None:
    keys = draft(OPS, *names(3), root=2)
    done = signed(keys, *names(2))
    assert TrustedKeys.parse(done.to_bytes()) == done
    for unfinished in (keys, signed(keys, "root-1")):
        with pytest.raises(TrustedKeysInvalid, match="its own root keys; 2 are needed"):
            TrustedKeys.parse(unfinished.to_bytes())
        assert TrustedKeys.parse(unfinished.to_bytes(), finished=False) == unfinished
    # a change after it was signed
    value = json.loads(done.to_bytes())
    value["keys"][0]["name"] = "someone else"
    with pytest.raises(TrustedKeysInvalid, match="is wrong"):
        TrustedKeys.parse(json.dumps(value).encode())


def compressed(der: bytes) -> bytes:
    """The same P-256 key with one coordinate of its point and the sign of the other (SEC 1, section 2.3.3)."""
    point = der[-64:]
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    return head + bytes((2 + point[-1] % 2,)) + point[:32]


def as_rsa_pss(der: bytes) -> bytes:
    """The same RSA key, its algorithm named as PSS (RFC 4055, section 1.2)."""
    inner = bytes.fromhex("300b06092a864886f70d01010a") + der[der.index(bytes.fromhex("0382010f")) :]
    return b"\x30\x82" + len(inner).to_bytes(2, "big") + inner


def list_of(*keys: tuple[str, bytes | str]) -> bytes:
    """A list of these ids and keys; all of them must sign."""
    entries = [
        {
            "key_id": key_id,
            "name": f"key {number}",
            "role": "operations",
            "public_key": key if isinstance(key, str) else base64.b64encode(key).decode(),
            "revoked_from": None,
            "compromised": False,
        }
        for number, (key_id, key) in enumerate(keys)
    ]
    roles = [{"name": "operations", "threshold": len(keys), "required": True}]
    listed = {"format": "custody-verifier-trusted-keys", "version": 1, "expires": "2030-01-01T00:00:00.000000Z"}
    return json.dumps({**listed, "roles": roles, "keys": entries, "signatures": []}).encode()


@pytest.mark.fault("E7")
@pytest.mark.parametrize("other", [compressed, as_rsa_pss])
def test_one_key_in_two_encodings_is_one_key_and_one_encoding_is_read(other: Callable[[bytes], bytes]) -> None:
    private = ec.generate_private_key(ec.SECP256R1()) if other is compressed else rsa.generate_private_key(65537, 2048)
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    again = other(der)
    assert load_der_public_key(again) == private.public_key(), "the same key"
    key_id, other_id = (hashlib.sha256(data).hexdigest() for data in (der, again))
    assert [key.key_id for key in TrustedKeys.parse(list_of((key_id, der))).keys] == [key_id]
    text = base64.b64encode(der).decode()
    for keys in (
        [(key_id, der), (other_id, again)],
        [(key_id, der), (key_id, again)],
        [(other_id, again)],
        [(key_id, again)],
        [(key_id, f"{text[:20]} {text[20:]}")],
        [(key_id, f"{text} -----END PUBLIC KEY-----")],
    ):
        with pytest.raises(TrustedKeysInvalid):
            TrustedKeys.parse(list_of(*keys))


@pytest.mark.fault("E10")
def test_a_reader_follows_the_whole_chain_and_only_the_last_must_be_current() -> None:
    moment = timedelta(days=1)
    lists = [signed(draft(OPS, "root-1", expires=NOW - 3 * moment), "root-1")]
    for version, expires in ((2, NOW - 2 * moment), (3, NOW - moment), (4, NOW + moment)):
        made = draft(OPS, f"root-{version}", version=version, expires=expires)
        lists.append(signed(made, f"root-{version - 1}", f"root-{version}"))
    held = signed(draft(OPS, "root-1", expires=NOW - 3 * moment), "root-1")
    assert follow_all(held, lists, NOW).version == 4
    assert follow_all(held, reversed(lists), NOW).version == 4
    with pytest.raises(TrustedKeysInvalid, match="expired"):
        follow_all(held, lists[:3], NOW)
    with pytest.raises(TrustedKeysInvalid, match="expired"):
        follow_all(held, [], NOW)
    with pytest.raises(TrustedKeysInvalid, match="version 3 lies between"):
        follow_all(held, [lists[1], lists[3]], NOW)
    with pytest.raises(TrustedKeysInvalid, match="expired"):
        follow_all(lists[3], lists, NOW + moment)
    # an old list, however well signed, changes nothing for who holds a newer one
    assert follow_all(lists[3], lists[:2], NOW) is lists[3]
    other = signed(draft(OPS, "operations-2", "root-4", version=4), "root-4")
    with pytest.raises(TrustedKeysInvalid, match="two different lists of version 4"):
        follow_all(lists[3], [other], NOW)


@pytest.mark.fault("E8")
def test_a_list_without_root_keys_is_a_readers_own_and_nothing_follows_it() -> None:
    own = trusted_keys([entry(OPS)], expires=EXPIRES)
    assert TrustedKeys.parse(own.to_bytes()) == own
    newer = signed(draft(OPS, "root-1", version=2), "root-1")
    with pytest.raises(TrustedKeysInvalid, match="no root keys, so nothing can follow"):
        follow(own, newer)
    rooted = signed(draft(OPS, "root-1"), "root-1")
    assert follow(rooted, newer) is newer
    with pytest.raises(TrustedKeysInvalid, match="version 2 has no root keys"):
        follow(rooted, replace(own, version=2))


@pytest.mark.fault("E9")
def test_a_revocation_is_never_taken_back() -> None:
    at, later = CREATED, CREATED + timedelta(days=1)
    held = signed(with_revoked(draft(OPS, "operations-2", "root-1"), entry(OPS).key_id, at, compromised=True,
                               expires=EXPIRES), "root-1")  # fmt: skip
    by_id = entry(OPS).key_id

    def changed(**changes: object) -> TrustedKeys:
        keys = tuple(replace(key, **changes) if key.key_id == by_id else key for key in held.keys)  # type: ignore[arg-type]
        return signed(replace(held, version=3, keys=keys, signatures=()), "root-1")

    for works in (changed(), changed(revoked_from=at - timedelta(days=1))):
        assert follow(held, works).version == 3
    gone = next_version(held, Change(EXPIRES, remove=[by_id]))
    assert follow(held, signed(gone, "root-1")).version == 3
    for weaker in (
        changed(revoked_from=None, compromised=False),
        changed(revoked_from=later),
        changed(compromised=False),
    ):
        with pytest.raises(TrustedKeysInvalid, match="takes back"):
            follow(held, weaker)


@pytest.mark.fault("E9")
@pytest.mark.parametrize(
    ("compromised", "created", "stamped", "counts"),
    [
        (False, -1, None, True),
        (False, 0, None, False),
        (False, 1, None, False),
        (False, 1, -1, False),  # a retired key is judged by the bundle's own time
        (True, -1, None, False),  # whoever stole a key writes any time
        (True, -1, -1, True),
        (True, -1, 0, False),
        (True, -1, 1, False),
        (True, 1, -1, True),
    ],
)
def test_when_a_revoked_key_counts(compromised: bool, created: int, stamped: int | None, counts: bool) -> None:
    key = replace(entry(OPS), revoked_from=NOW, compromised=compromised)
    moment = timedelta(microseconds=1)
    why_not = key.why_not(NOW + created * moment, None if stamped is None else NOW + stamped * moment)
    assert (why_not is None) is counts
    assert entry(OPS).why_not(NOW, None) is None


@pytest.mark.fault("G4", "E7")
def test_roles_are_counted_by_different_keys() -> None:
    keys = draft(
        OPS, "operations-2", "cco-1", "auditor-1", "root-1", thresholds={"operations": 2}, optional=("auditor",)
    )
    by_name = {key.name: key for key in keys.keys}

    def counted(*names: str, also: tuple[str, ...] = ()) -> dict[str, bool]:
        found = count_roles(keys, [by_name[name] for name in names], also)
        return {count.role: count.is_met for count in found if count.required}

    assert counted(OPS, "operations-2", "cco-1") == {"cco": True, "operations": True}
    assert counted(OPS, OPS, "cco-1") == {"cco": True, "operations": False}
    assert counted(OPS, "operations-2") == {"cco": False, "operations": True}
    assert counted(OPS, "operations-2", "cco-1", also=("auditor",)) == {
        "auditor": False, "cco": True, "operations": True,
    }  # fmt: skip
    assert counted(OPS, "operations-2", "cco-1", "auditor-1", also=("auditor",))["auditor"]
    assert counted(OPS, "operations-2", "cco-1", also=("examiner",))["examiner"] is False
    assert ROOT not in counted("root-1")
    assert counted("root-1", also=(ROOT,))[ROOT] is False, "asked for, and signs no bundle"


def test_the_next_version_says_what_changed() -> None:
    held = draft(OPS, "cco-1", "root-1", "root-2")
    later = EXPIRES + timedelta(days=365)
    made = next_version(
        held,
        Change(later, add=[entry("operations-2")], remove=[entry("cco-1").key_id[:8]], thresholds={"operations": 2}),
    )
    assert (made.version, made.expires, made.signatures) == (2, later, ())
    assert [(role.name, role.threshold, role.required) for role in made.roles] == [
        ("operations", 2, True), ("root", 1, False),
    ]  # fmt: skip
    assert {key.name for key in made.keys} == {OPS, "operations-2", "root-1", "root-2"}
    for change in (
        Change(later, remove=[entry(OPS).key_id, entry("cco-1").key_id]),  # nothing left that must sign
        Change(later, add=[entry(OPS)]),
        Change(later, thresholds={"operations": 2}),
        Change(later, thresholds={"auditor": 1}),
        Change(later, optional=["operations", "cco"]),
        Change(later, required=["root"]),
        Change(later, remove=["0" * 8]),
        Change(later, remove=[entry(OPS).key_id[:7]]),
    ):
        with pytest.raises(TrustedKeysInvalid):
            next_version(held, change)


def test_a_key_is_revoked_by_the_next_version_and_a_root_key_never() -> None:
    held = draft(OPS, "operations-2", "root-1")
    made = with_revoked(held, entry(OPS).key_id[:12], CREATED, compromised=False, expires=EXPIRES)
    assert find_key(made, entry(OPS).key_id).revoked_from == CREATED
    assert find_key(made, entry("operations-2").key_id).revoked_from is None
    with pytest.raises(TrustedKeysInvalid, match="taken out"):
        with_revoked(held, entry("root-1").key_id, CREATED, compromised=False, expires=EXPIRES)


def test_signing_a_list_twice_with_one_key_leaves_one_signature() -> None:
    keys = draft(OPS, "root-1")
    twice = sign_list(sign_list(keys, [signer("root-1")]), [signer("root-1")])
    assert len(twice.signatures) == 1
    twice.require_signed()
    assert pem("root-1").startswith("-----BEGIN PUBLIC KEY-----")

"""Checks 2 to 5 and 15: manifest, signatures, members, and the form of records."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from exports.canonical import canonical_json, parse_canonical
from exports.envelope import sign_manifest, signature_name
from exports.manifest import MANIFEST_NAME, digest_hex
from exports.superseded import SupersededBundleRecord
from tests.conformance_bundles.firm import AUDITOR, CCO, OPERATIONS, SIGNERS, STRANGER, TRUSTED, by_number
from tests.conformance_bundles.recipe import Made, bad, good
from tests.exports.sample import (
    BLOCK_HASH,
    CHAIN,
    CREATED,
    Edit,
    forge,
    pack,
    resign,
    sample_bundle,
    signed_members,
    with_liabilities,
)

BALANCES, CASES = "records/balances.jsonl", "records/cases.jsonl"


@cache
def _sample() -> dict[str, bytes]:
    return signed_members(sample_bundle(), SIGNERS)


def members() -> dict[str, bytes]:
    """The sample bundle, unpacked; a copy to change."""
    return dict(_sample())


def manifest_edited(edit: Edit) -> bytes:
    """The firm itself signed another manifest."""
    return resign(members(), SIGNERS, edit)


def manifest_bytes(data: bytes) -> bytes:
    """The firm itself signed these bytes as the manifest."""
    kept = {name: each for name, each in members().items() if not name.startswith("signatures/")}
    return pack({**kept, MANIFEST_NAME: data, **sign_manifest(data, SIGNERS).members})


def record_edited(kind: str, wanted: Callable[[dict[str, Any]], bool], edit: Edit) -> bytes:
    """The firm itself wrote and signed one record differently."""
    return forge(members(), kind, wanted, edit, SIGNERS)


def record_bytes(name: str, edit: Callable[[bytes], bytes]) -> bytes:
    """The firm itself wrote and signed these bytes as the records of a kind."""
    changed = members()
    before = changed[name]
    changed[name] = edit(before)
    assert changed[name] != before
    return resign(changed, SIGNERS)


def setting(**values: Any) -> Edit:
    """Fields of an object replaced."""
    return lambda record: record.update(values)


def first(record: dict[str, Any]) -> bool:
    """Any record will do."""
    return True


def with_amount(record: dict[str, Any]) -> bool:
    """A balance that was read."""
    return record["base_units"] is not None


@bad(2, "there is no manifest")
def no_manifest() -> bytes:
    return pack({name: data for name, data in members().items() if name != MANIFEST_NAME})


@bad(2, "the manifest has white space, signed as it is")
def manifest_with_a_space() -> bytes:
    return manifest_bytes(members()[MANIFEST_NAME].replace(b'","', b'", "', 1))


@bad(2, "the manifest names one field twice, signed as it is")
def manifest_with_a_name_twice() -> bytes:
    return manifest_bytes(members()[MANIFEST_NAME].replace(b'"sequence":1', b'"sequence":2,"sequence":1', 1))


@bad(2, "a number of the manifest has a fraction, signed as it is")
def manifest_with_a_fraction() -> bytes:
    return manifest_bytes(members()[MANIFEST_NAME].replace(b'"sequence":1', b'"sequence":1.0', 1))


@bad(2, "the manifest is nested a hundred thousand levels deep")
def manifest_nested_deeply() -> bytes:
    return manifest_bytes(b"[" * 100_000 + b"]" * 100_000)


@bad(2, "the manifest has a field that nobody knows")
def manifest_with_another_field() -> bytes:
    return manifest_edited(setting(note="trust me"))


@bad(2, "the bundle says that it was made before the moment it speaks of")
def made_before_its_moment() -> bytes:
    return manifest_edited(setting(created_at="2026-01-31T00:00:00.000000Z"))


@bad(2, "the moment it speaks of is written with another offset")
def time_with_an_offset() -> bytes:
    return manifest_edited(setting(as_of="2026-01-31T18:59:48.000000-05:00"))


@bad(2, "the manifest leaves out a kind of records")
def manifest_without_a_kind() -> bytes:
    return manifest_edited(lambda manifest: manifest["members"].pop())


@bad(2, "a second bundle names no bundle before it")
def second_without_a_first() -> bytes:
    return manifest_edited(setting(sequence=2))


@bad(2, "figures may lie years apart by the bundle's own limit")
def limit_without_limit() -> bytes:
    return manifest_edited(setting(as_of_skew_seconds_max=10**9))


@bad(2, "the format is of a later version: nothing signed is skipped in silence", possible=False)
def later_version() -> bytes:
    return manifest_edited(setting(format_version=2))


@bad(3, "nobody signed")
def unsigned() -> bytes:
    return pack({name: data for name, data in members().items() if not name.startswith("signatures/")})


@bad(3, "one of two roles did not sign")
def one_role_of_two() -> bytes:
    return pack(signed_members(sample_bundle(), [OPERATIONS]))


@bad(3, "signed by somebody the reader does not know")
def signed_by_a_stranger() -> bytes:
    return pack(signed_members(sample_bundle(), [STRANGER, by_number(0xBADBAD)]))


@bad(3, "a reader of another firm's keys")
def read_with_other_keys() -> Made:
    return Made(pack(members()), trusted="trusted-keys-of-another.json")


@bad(3, "the reader's list of keys has expired", possible=False)
def keys_expired() -> Made:
    return Made(pack(members()), trusted="trusted-keys-expired.json")


@bad(3, "the manifest was changed after it was signed, with members and checksums that fit")
def signature_of_another_manifest() -> bytes:
    changed = members()
    changed[MANIFEST_NAME] = changed[MANIFEST_NAME].replace(b'"sequence":42', b'"sequence":43')
    return pack(changed)


@bad(3, "an auditor's signature stands in for one of the firm's")
def auditor_for_the_firm() -> Made:
    return Made(pack(signed_members(sample_bundle(), [OPERATIONS, AUDITOR])), trusted="trusted-keys-auditor.json")


@good("the firm's two roles signed, and an auditor besides")
def counter_signed() -> Made:
    return Made(pack(signed_members(sample_bundle(), [*SIGNERS, AUDITOR])), trusted="trusted-keys-auditor.json")


@good("the firm's two roles signed; the auditor, who need not, did not")
def not_counter_signed() -> Made:
    return Made(pack(members()), trusted="trusted-keys-auditor.json")


@bad(3, "one key of a role signed, of which two must")
def one_key_of_two() -> Made:
    return Made(pack(members()), trusted="trusted-keys-two-of-a-role.json")


@good("two keys of a role signed, as must be")
def two_keys_of_two() -> Made:
    signed = signed_members(sample_bundle(), [*SIGNERS, STRANGER])
    return Made(pack(signed), trusted="trusted-keys-two-of-a-role.json")


@bad(3, "a key was revoked at the moment the bundle was made")
def key_revoked_before() -> Made:
    return Made(pack(members()), trusted="trusted-keys-revoked.json")


@good("a key was revoked right after the bundle was made")
def key_revoked_after() -> Made:
    return Made(pack(members()), trusted="trusted-keys-revoked-later.json")


@bad(3, "a key was stolen later, and no time stamp shows that the bundle is older")
def key_compromised() -> Made:
    return Made(pack(members()), trusted="trusted-keys-compromised.json")


def stamped(*stamps: bytes) -> bytes:
    """A bundle with these as time stamps, each under its own name."""
    return pack({**members(), **{f"timestamps/{digest_hex(stamp)}.tsr": stamp for stamp in stamps}})


@bad(4, "a time stamp is not the one that its name says")
def time_stamp_under_another_name() -> bytes:
    return pack({**members(), f"timestamps/{digest_hex(b'one')}.tsr": b"another"})


@bad(25, "a time stamp of more than 256 KiB")
def time_stamp_too_large() -> bytes:
    return stamped(bytes(256 * 1024 + 1))


@bad(25, "seventeen time stamps")
def too_many_time_stamps() -> bytes:
    return stamped(*(bytes([number]) for number in range(17)))


def envelope_edited(edit: Edit) -> bytes:
    """One envelope written differently."""
    changed = members()
    name = signature_name(OPERATIONS.public_key.keyid)
    envelope: Any = parse_canonical(changed[name])
    edit(envelope)
    return pack({**changed, name: canonical_json(envelope)})


@bad(3, "one signature is of other bytes")
def wrong_signature() -> bytes:
    signature = base64.b64encode(bytes.fromhex(OPERATIONS.sign(b"something else").signature)).decode()
    return envelope_edited(lambda envelope: envelope["signatures"][0].update(sig=signature))


@bad(3, "one signature is of the same bytes as another kind of payload")
def signature_of_another_type() -> bytes:
    return envelope_edited(setting(payloadType="application/vnd.in-toto+json"))


@bad(3, "one key's signature stands under two names and is to count twice")
def one_key_twice() -> bytes:
    changed = members()
    changed[signature_name(CCO.public_key.keyid)] = changed[signature_name(OPERATIONS.public_key.keyid)]
    return pack(changed)


@bad(3, "one envelope has two signatures")
def two_signatures_in_one() -> bytes:
    return envelope_edited(lambda envelope: envelope["signatures"].append(envelope["signatures"][0]))


@bad(3, "the base64 of a signature is spelt in another way")
def base64_spelt_otherwise() -> bytes:
    return envelope_edited(lambda envelope: envelope.update(payload=envelope["payload"].rstrip("=") + "\n"))


@bad(4, "a member that the manifest does not name")
def extra_member() -> bytes:
    return pack({**members(), "readme.txt": b"All is well."})


@bad(4, "a member that the manifest names is missing")
def missing_member() -> bytes:
    return pack({name: data for name, data in members().items() if name != CASES})


@bad(4, "a member was emptied, with a checksum that fits")
def emptied_member() -> bytes:
    return pack({**members(), CASES: b""})


@bad(4, "one record was left out after signing, with a checksum that fits")
def record_left_out_after_signing() -> bytes:
    return pack({**members(), CASES: members()[CASES].partition(b"\n")[2]})


@bad(4, "an amount was changed after signing, with a checksum that fits")
def amount_changed_after_signing() -> bytes:
    return pack({**members(), BALANCES: members()[BALANCES].replace(b'"base_units":"7"', b'"base_units":"8"')})


@bad(5, "an amount is a number and no string")
def amount_as_a_number() -> bytes:
    return record_edited("balances", with_amount, setting(base_units=5))


@bad(5, "an amount is a fraction")
def amount_as_a_fraction() -> bytes:
    return record_bytes(BALANCES, lambda data: data.replace(b'"base_units":"7"', b'"base_units":7.0', 1))


@bad(5, "an amount is beyond what numbers in JSON keep exact")
def amount_as_a_huge_number() -> bytes:
    return record_bytes(BALANCES, lambda data: data.replace(b'"base_units":"7"', b'"base_units":9007199254740993', 1))


@bad(5, "an amount has a leading zero: one figure in two spellings")
def amount_with_a_leading_zero() -> bytes:
    return record_edited("balances", with_amount, setting(base_units="05"))


@bad(5, "an amount is minus zero")
def amount_of_minus_zero() -> bytes:
    return record_edited("balances", with_amount, setting(base_units="-0"))


@bad(5, "a record names one field twice: two programs read two amounts")
def record_with_a_name_twice() -> bytes:
    return record_bytes(BALANCES, lambda data: data.replace(b'"base_units":"7"', b'"base_units":"8","base_units":"7"'))


@bad(5, "the fields of a record stand in another order")
def fields_out_of_order() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b'{"asset_id"', b'{"x":0,"asset_id"', 1))


@bad(5, "a record has white space")
def record_with_a_space() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b'":"', b'": "', 1))


@bad(5, "a letter is written as an escape: one text in two spellings")
def escaped_letter() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b"See the", b"\\u0053ee the", 1))


@bad(5, "half a surrogate pair, which is no text")
def half_a_surrogate_pair() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b"See the", b"\\ud800ee the", 1))


@bad(5, "a text with an accent beside its letter: one text in two forms")
def text_in_two_forms() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b"See the", "Se\u0301e the".encode(), 1))


@bad(5, "bytes that are no UTF-8")
def no_utf8() -> bytes:
    return record_bytes(CASES, lambda data: data.replace(b"See the", b"\xffee the", 1))


@bad(5, "a record nested deeper than any reader follows")
def record_nested_deeply() -> bytes:
    return record_bytes(
        CASES, lambda data: data.replace(b'"covers":[', b'"covers":[' + b"[" * 40 + b"]" * 40 + b",", 1)
    )


@bad(5, "a text turns the reading direction around, so that people read another figure")
def text_turned_around() -> bytes:
    return record_edited("cases", first, setting(text="short by \u202e000,1\u202c"))


@bad(5, "a text holds a URL, in which credentials may stand")
def url_in_a_text() -> bytes:
    return record_edited("cases", first, setting(text="see https://node.example/key"))


@bad(5, "a field that nobody knows")
def unknown_field() -> bytes:
    return record_edited("assets", first, setting(note="x"))


@bad(5, "a field is missing")
def missing_field() -> bytes:
    return record_edited("assets", first, lambda record: record.pop("symbol"))


@bad(5, "a time without its zone")
def time_without_a_zone() -> bytes:
    return record_edited("sweeps", first, setting(block_time="2026-01-31T23:59:48.000000"))


@bad(5, "a time that no calendar has")
def time_that_never_was() -> bytes:
    return record_edited("sweeps", first, setting(block_time="2026-02-30T23:59:48.000000Z"))


@bad(5, "one record stands twice")
def record_twice() -> bytes:
    return record_bytes(CASES, lambda data: data.partition(b"\n")[0] + b"\n" + data)


@bad(5, "records are not in ascending order")
def records_out_of_order() -> bytes:
    return record_bytes(CASES, lambda data: b"\n".join(reversed(data.splitlines())) + b"\n")


@bad(5, "the last line has no end")
def line_without_an_end() -> bytes:
    return record_bytes(CASES, lambda data: data[:-1])


@bad(5, "the manifest counts one record more than there is")
def one_record_fewer_than_counted() -> bytes:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["members"][0]["records"] += 1

    return manifest_edited(edit)


@bad(5, "a failed read has an amount: zero for not known")
def failed_read_with_an_amount() -> bytes:
    return record_edited("balances", lambda record: record["status"] == "failed", setting(base_units="0"))


@bad(5, "one person asked for a payment and approved it, in other letters")
def maker_is_checker() -> bytes:
    return record_edited("authorizations", first, setting(approved_by="OPS.Maker"))


@bad(5, "a cusip has a wrong check digit")
def cusip_with_a_wrong_digit() -> bytes:
    return record_edited("cases", lambda record: record["asset_id"] is not None, setting(asset_id="cusip:037833101"))


def later(sequence: int, previous: str) -> Made:
    """A later bundle of the firm, read by somebody who has the first."""
    digest = digest_hex(members()[MANIFEST_NAME])
    bundle = replace(
        sample_bundle(),
        bundle_id=f"bundle-{sequence:04d}",
        sequence=sequence,
        previous_digest=previous or digest,
        created_at=CREATED + timedelta(hours=1),
    )
    return Made(pack(signed_members(with_liabilities(bundle), SIGNERS)), TRUSTED, (1, digest))


@good("the second bundle of the firm, held against the first")
def second_of_the_firm() -> Made:
    return later(2, "")


@bad(15, "the second bundle names another first one than the reader has")
def another_first_bundle() -> Made:
    return later(2, "ab" * 32)


@bad(15, "an old bundle is given for a new one")
def old_bundle_again() -> Made:
    return replace(Made(pack(members())), after=(1, digest_hex(members()[MANIFEST_NAME])))


def superseding(**changes: Any) -> Made:
    """The second bundle, which says that the first no longer holds."""
    made = later(2, "")
    assert made.after is not None
    left = SupersededBundleRecord("bundle-0001", 1, made.after[1], CHAIN, 99, "0x" + "dd" * 32, CREATED)
    bundle = replace(
        sample_bundle(),
        bundle_id="bundle-0002",
        sequence=2,
        previous_digest=made.after[1],
        created_at=CREATED + timedelta(hours=1),
        superseded_bundles=(replace(left, **changes),),
    )
    return replace(made, data=pack(signed_members(with_liabilities(bundle), SIGNERS)))


@good("the second bundle says that the first no longer holds: its block left the chain")
def names_a_superseded_one() -> Made:
    return superseding()


@bad(15, "the bundle uses the very block that it says has left the chain")
def uses_a_block_that_left() -> Made:
    return superseding(block_hash=BLOCK_HASH)


@bad(15, "a superseded bundle is named by another digest than it has")
def superseded_by_another_digest() -> Made:
    return superseding(digest="ab" * 32)

"""Check 31: tables that do not say what the records say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from exports.bundle import Bundle
from exports.canonical import canonical_json, parse_canonical
from exports.disclosure import pseudonymous_bundle
from exports.envelope import sign_manifest
from exports.manifest import MANIFEST_NAME, digest_hex
from exports.profiles import Profile
from tests.conformance_bundles.firm import SIGNERS
from tests.conformance_bundles.profiles import contents_of, pseudonyms, with_documents
from tests.conformance_bundles.recipe import Made, bad, good
from tests.exports.sample import FIRM_SECRET, POOL, USD, case, pack, sample_bundle, signed_members

Files = dict[str, bytes]


def signed_again(members: Files, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """The members under a manifest that the firm changed and signed."""
    manifest: Any = parse_canonical(members[MANIFEST_NAME])
    edit(manifest)
    payload = canonical_json(manifest)
    kept = {name: data for name, data in members.items() if not name.startswith("signatures/")}
    return pack({**kept, MANIFEST_NAME: payload, **sign_manifest(payload, SIGNERS).members})


def with_files(change: Callable[[Files], object], bundle: Bundle | None = None) -> Made:
    """The firm changed the tables, and signed a manifest that names them as they are."""
    made = bundle or sample_bundle()
    members = signed_members(made, SIGNERS)
    change(members)
    named = [
        {"name": name, "size_bytes": len(data), "sha256": digest_hex(data)}
        for name, data in sorted(members.items())
        if name.startswith("views/")
    ]
    profile = made.profile if made.profile is not Profile.FULL else None
    return Made(signed_again(members, lambda manifest: manifest.update(files=named)), profile=profile)


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Files], object]:
    """One place of a table is changed."""

    def change(files: Files) -> None:
        assert files[name].count(old) >= 1
        files[name] = files[name].replace(old, new, 1)

    return change


@good("a text that a spreadsheet would run, quotation marks and commas: harmless in the table, as it is in the record")
def table_of_hostile_words() -> Bundle:
    return hostile()


def hostile() -> Bundle:
    """The sample with cases whose words are made for a spreadsheet."""
    bundle = sample_bundle()
    words = ('=HYPERLINK("x","y")', '+1, "two", three', "-5", "@SUM(A1)", 'a "b", c')
    more = [case(f"case-{9 - at}", "encumbrance", POOL, USD, text=text, covers=()) for at, text in enumerate(words)]
    return replace(bundle, cases=(*bundle.cases, *more))


@bad(31, "a table shows a balance that is not the record's")
def table_with_another_balance() -> Made:
    return with_files(replaced("views/balances.csv", b"1000000000", b"1000000001"))


@bad(31, "a table leaves a case out")
def table_without_a_row() -> Made:
    def change(files: Files) -> None:
        lines = files["views/cases.csv"].splitlines(keepends=True)
        files["views/cases.csv"] = b"".join(lines[:-1])

    return with_files(change)


@bad(31, "a table has a row more")
def table_with_a_row_more() -> Made:
    def change(files: Files) -> None:
        files["views/cases.csv"] += files["views/cases.csv"].splitlines(keepends=True)[1]

    return with_files(change)


@bad(31, "the lines of a table end otherwise")
def table_with_other_line_ends() -> Made:
    def change(files: Files) -> None:
        files["views/assets.csv"] = files["views/assets.csv"].replace(b"\r\n", b"\n")

    return with_files(change)


@bad(31, "a text that a spreadsheet would run stands in a table as it is")
def table_that_runs() -> Made:
    return with_files(replaced("views/cases.csv", b"'@SUM(A1)", b"@SUM(A1)"), hostile())


@bad(31, "a table is missing")
def table_missing() -> Made:
    return with_files(lambda files: files.pop("views/wallets.csv"))


@bad(31, "a table of something that is no kind of record")
def table_of_nothing() -> Made:
    return with_files(lambda files: files.update({"views/profits.csv": b"day,profit\r\n"}))


@bad(31, "the descriptor of the tables calls an amount a string")
def descriptor_with_another_type() -> Made:
    return with_files(replaced("views/datapackage.json", b'"type":"integer"', b'"type":"string"'))


@bad(31, "a table of what the profile does not show")
def table_of_what_is_not_shown() -> Made:
    less = pseudonymous_bundle(contents_of(with_documents()), FIRM_SECRET)
    full = signed_members(with_documents(), SIGNERS)["views/possession_reviews.csv"]
    return with_files(lambda files: files.update({"views/possession_reviews.csv": full}), less)


@bad(31, "a pseudonymous bundle with the full one's table of allocations")
def table_of_the_full_bundle() -> Made:
    full = signed_members(sample_bundle(), SIGNERS)["views/allocations.csv"]
    return with_files(lambda files: files.update({"views/allocations.csv": full}), pseudonyms())


@bad(4, "a table is not the one that the manifest names")
def table_changed_after_signing() -> bytes:
    members = signed_members(sample_bundle(), SIGNERS)
    return pack({**members, "views/assets.csv": members["views/assets.csv"].replace(b"USDX", b"USDY")})


@bad(4, "a table was taken out after signing")
def table_taken_out() -> bytes:
    members = signed_members(sample_bundle(), SIGNERS)
    return pack({name: data for name, data in members.items() if name != "views/assets.csv"})


@bad(2, "a file beside the records that is no table")
def file_of_another_folder() -> Made:
    members = signed_members(sample_bundle(), SIGNERS)
    more = {"name": "words/readme.txt", "size_bytes": 5, "sha256": digest_hex(b"words")}
    return Made(signed_again({**members, "words/readme.txt": b"words"}, lambda told: told["files"].append(more)))


@bad(2, "the tables are named out of order")
def files_out_of_order() -> Made:
    members = signed_members(sample_bundle(), SIGNERS)
    return Made(signed_again(members, lambda manifest: manifest["files"].reverse()))

"""docs/key-proofs.md has the very words that wallets sign, so that a stranger can judge a signature again."""

from __future__ import annotations

import re
from pathlib import Path

from exports.key_challenge import signing_text, typed_data
from tests.exports.test_control_checks import ASKED
from tests.verifier.key_signers import ADDRESSES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "key-proofs.md").read_text(encoding="utf-8")
WORDS = DOCUMENT.partition("### The words")[2].partition("## The schemes")[0]


def test_the_text_is_the_one_that_is_signed() -> None:
    documented = WORDS.split("```\n")[1].removesuffix("\n")
    values = {name: str(getattr(ASKED, name)) for name in ("firm", "asked_by", "chain_id", "height", "block_hash")}
    values |= {name: str(getattr(ASKED, name)) for name in ("address_count", "addresses_sha256", "nonce")}
    values |= {"address": ADDRESSES[0], "SHA-256 of the challenge": ASKED.digest}
    text = signing_text(ASKED, ADDRESSES[0])
    values["issued_at"], values["expires_at"] = re.findall(r"(?:Issued|Answer before): (.*)", text)
    assert re.sub(r"<([^>]+)>", lambda found: values[found[1]], documented) == text


def test_the_typed_data_are_those_that_are_signed() -> None:
    data = typed_data(ASKED, ADDRESSES[0])
    for name in ("EIP712Domain", "KeyProof"):
        fields = ",".join(f"{each['type']} {each['name']}" for each in data["types"][name])
        assert f"`{name}({fields})`".replace(" ", "") in re.sub(r"\s", "", WORDS)
    lines = signing_text(ASKED, ADDRESSES[0]).split("\n")
    assert (data["domain"]["name"], data["domain"]["version"], data["message"]["purpose"]) == (lines[0], "1", lines[1])

"""Two programs that share no code say the same of bundles whose records were changed at random and signed again."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exports.codec import time_text
from exports.verdict import CheckStatus, VerificationReport
from exports.verifier_page import page_bytes
from exports.verify import verify_bundle
from tests.conformance_bundles.firm import READERS, SIGNERS, TRUSTED
from tests.conformance_bundles.profiles import own, pseudonyms
from tests.exports.browser import chromium, find_chromium
from tests.exports.proof_samples import proven_bundle
from tests.exports.sample import NOW, resign, signed_members
from tests.exports.test_hostile_records import VALUES, full_bundle

CHROMIUM = find_chromium()
BUNDLES = 200
"""How many are tried each time; tens of thousands of other seeds were tried by hand."""
SEED = 15
ASK = """
(async () => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const { bundles, keys, now } = ASKED, told = [];
  const reader = { trusted: await readTrustedKeys(bytes(keys)), now };
  for (const each of bundles.map(bytes)) {
    const report = await verify({ size: each.length, read: async (from, to) => each.slice(from, to) }, reader);
    told.push(Object.fromEntries(report.checks.map((check) => [check.number, [check.status, check.compared]])));
  }
  return told;
})()
"""
Way = tuple[str | int, ...]


def ways(value: object, before: Way = ()) -> Iterator[Way]:
    """The way to every value inside a JSON object."""
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inside:
        yield (*before, step)
        yield from ways(each, (*before, step))


def reached(value: Any, way: Way) -> Any:
    for step in way:
        value = value[step]
    return value


def lines_of(members: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """The records of each member that has some."""
    return {
        name: [json.loads(line) for line in data.splitlines()]
        for name, data in members.items()
        if data and name.startswith(("records/", "proofs/"))
    }


def others(old: object, name: str, seen: dict[str, list[Any]], draw: random.Random) -> object:
    """Another value for a field: one seen elsewhere under its name, one a little off, or one that may not be there."""
    kind = draw.random()
    if kind < 0.6 and name in seen:
        return draw.choice(seen[name])
    if kind < 0.8 and isinstance(old, str) and old.removeprefix("-").isdigit():
        return str(int(old) + draw.choice((-1, 1, 10**6, -(10**6))))
    if kind < 0.8 and isinstance(old, bool):
        return not old
    if kind < 0.8 and isinstance(old, int):
        return max(0, old + draw.choice((-1, 1, 5)))
    return draw.choice(VALUES)


def altered(members: dict[str, bytes], seen: dict[str, list[Any]], draw: random.Random) -> bytes:
    """One record changed, left out, or there twice with a change; the firm signed it so."""
    lines = lines_of(members)
    name = draw.choice(sorted(lines))
    records, place = lines[name], draw.randrange(len(lines[name]))
    kind = draw.random()
    if kind < 0.06:
        records.pop(place)
    else:
        changed = json.loads(json.dumps(records[place]))
        way = draw.choice(list(ways(changed)))
        reached(changed, way[:-1])[way[-1]] = others(reached(changed, way), str(way[-1]), seen, draw)
        records[place:place] = [changed] if kind < 0.12 else []
        records[place] = changed
    written = {json.dumps(each, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for each in records}
    return resign({**members, name: b"".join(line + b"\n" for line in sorted(written))}, SIGNERS)


def by_command(data: bytes, folder: Path) -> VerificationReport:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    return verify_bundle(path, READERS[TRUSTED], now=NOW)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")
@pytest.mark.fault("E12", "E20")
def test_both_say_the_same_of_every_check(tmp_path: Path) -> None:
    less = (pseudonyms(), own("client-3"))
    bases = [signed_members(bundle, SIGNERS) for bundle in (full_bundle(), proven_bundle(), *less)]
    seen: dict[str, list[Any]] = {}
    for record in (each for base in bases for records in lines_of(base).values() for each in records):
        for way in ways(record):
            seen.setdefault(str(way[-1]), []).append(reached(record, way))
    draw = random.Random(SEED)
    bundles = [altered(draw.choice(bases), seen, draw) for _ in range(BUNDLES)]
    asked = {
        "bundles": [base64.b64encode(each).decode() for each in bundles],
        "keys": base64.b64encode(READERS[TRUSTED].to_bytes()).decode(),
        "now": time_text(NOW),
    }
    page = tmp_path / "verify.html"
    page.write_bytes(page_bytes())
    with chromium(str(CHROMIUM), tmp_path / "profile") as browser:
        browser.open(page.as_uri())
        told = browser.evaluate(ASK.replace("ASKED", json.dumps(asked)))
    failed: set[int] = set()
    for number, (data, said) in enumerate(zip(bundles, told, strict=True)):
        for check in by_command(data, tmp_path).checks:
            status, compared = said[str(check.number)]
            assert status in (str(check.status), "not_here"), f"bundle {number}: {check}"
            assert status != "passed" or compared == check.compared, f"bundle {number}: {check}"
            failed |= {check.number} if check.status is CheckStatus.FAILED else set()
    assert len(failed) >= 9, f"the changes reach only the checks {sorted(failed)}"

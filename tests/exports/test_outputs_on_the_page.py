"""Check 29 on the page: of Bitcoin outputs it says what the command says, of good ones and of every lie about them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chains.bitcoin.networks import MAIN, NETWORKS
from chains.bitcoin.proof_of_work import bits_of, next_bits, target_of
from chains.bitcoin.script import address_of_script
from exports.codec import to_object
from exports.verifier_page import page_bytes
from tests.exports.browser import Browser, chromium, find_chromium
from tests.exports.output_samples import Found, found_outputs
from tests.exports.test_output_checks import WRONG, outcome

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no headless Chromium")
ASK = """
(() => ASKED.map((given) => {
  const all = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
  for (const [kind, records] of Object.entries(given)) all[kind] = records.map(KINDS[kind]);
  return checkBitcoinOutputs(all).problems;
}))()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "verify.html").write_bytes(page_bytes())
    with chromium(str(CHROMIUM), folder / "profile") as opened:
        opened.open((folder / "verify.html").as_uri())
        yield opened


def told(browser: Browser, found: list[Found]) -> list[list[str]]:
    asked = [{kind: [to_object(each) for each in records] for kind, records in one.items()} for one in found]
    answer: list[list[str]] = browser.evaluate(ASK.replace("ASKED", json.dumps(asked)))
    return answer


@pytest.mark.parametrize("headers_per_record", [1, 3, 2_016])
def test_good_outputs_pass_on_the_page(browser: Browser, headers_per_record: int) -> None:
    assert told(browser, [found_outputs(headers_per_record)]) == [[]]


@pytest.mark.fault("E1", "G9")
def test_every_lie_is_refused_on_the_page_too(browser: Browser) -> None:
    lies = {name: change(found_outputs()) for name, (change, _) in WRONG.items()}
    assert all(outcome(lie).problems for lie in lies.values())
    answers = told(browser, list(lies.values()))
    assert [name for name, problems in zip(lies, answers, strict=True) if not problems] == []


def test_the_page_writes_the_same_addresses(browser: Browser) -> None:
    programs = [bytes(range(size)) for size in (2, 20, 32, 40)]
    scripts = [bytes([0 if not v else 0x50 + v, len(p)]) + p for v in (0, 1, 2, 16) for p in programs]
    scripts += [b"\x76\xa9\x14" + bytes(20) + b"\x88\xac", b"\xa9\x14" + b"\xff" * 20 + b"\x87", b"\x51", b"\x6a\x01x"]
    for network in NETWORKS:
        asked = json.dumps([script.hex() for script in scripts])
        said = browser.evaluate(f"{asked}.map((each) => addressOf(NETWORKS['{network.chain_id}'], unhex(each)))")
        assert said == [address_of_script(network, script) for script in scripts], network.name


def test_the_page_computes_the_same_targets_and_difficulties(browser: Browser) -> None:
    some = [0x1D00FFFF, 0x170331DB, 0x1B0404CB, 0x207FFFFF, 0x1E0377AE]
    asked = [[bits, seconds] for bits in some[:3] for seconds in (1, 600_000, 1_209_600, 9_999_999)]
    said = browser.evaluate(
        f"{json.dumps(asked)}.map(([bits, seconds]) => nextBits(NETWORKS['{MAIN.chain_id}'], bits, seconds))"
    )
    assert said == [next_bits(MAIN, bits, seconds) for bits, seconds in asked]
    said = browser.evaluate(f"{json.dumps(some)}.map((bits) => [String(targetOf(bits)), bitsOf(targetOf(bits))])")
    targets = [target_of(bits) or 0 for bits in some]
    assert said == [[str(target), bits_of(target)] for target in targets]

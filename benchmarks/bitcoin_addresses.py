"""Addresses to output scripts and back, kind by kind, beside bitcoinlib and the checksum alone.

Every address is made from a script of its own, so each side must find the script that it came from. The floor checks
the checksum and nothing else: what no strict decoder can leave out.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from benchmarks.measure import Result, Side, check_then_time
from chains.bitcoin import base58, bech32
from chains.bitcoin.networks import MAIN
from chains.bitcoin.script import address_of_script, p2pkh_script, p2sh_script, script_of_address, witness_script

UNIT: Final = "addresses/s"
SIZES: Final = (20_000,)
QUICK_SIZES: Final = (500,)
PEER_SAMPLE: Final = 1_000
OURS, PEER, FLOOR = "ours", "bitcoinlib Output", "checksum alone"
KINDS: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "P2PKH": (20, p2pkh_script),
    "P2SH": (20, p2sh_script),
    "P2WPKH": (20, lambda program: witness_script(0, program)),
    "P2WSH": (32, lambda program: witness_script(0, program)),
    "P2TR": (32, lambda program: witness_script(1, program)),
}
"""Bytes of the hash or key in it, and the script around them."""


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each kind both ways. Raises `ResultsDiffer` before anything is timed, `ImportError` without the peer."""
    output = _peer_output()
    for size in QUICK_SIZES if quick else SIZES:
        for kind, (length, script_of) in KINDS.items():
            chance = random.Random(20_260_302)
            scripts = [script_of(chance.randbytes(length)) for _ in range(size)]
            yield _decoding(kind, scripts, output)
            yield _encoding(kind, scripts, output)


def _decoding(kind: str, scripts: Sequence[bytes], output: Callable[..., Any]) -> Result:
    addresses = [str(address_of_script(MAIN, script)) for script in scripts]
    few, few_scripts = addresses[:PEER_SAMPLE], list(scripts[:PEER_SAMPLE])
    checksum: Callable[[str], object] = base58.decode if kind in ("P2PKH", "P2SH") else bech32.decode
    sides = [
        Side(OURS, lambda: [script_of_address(MAIN, text) for text in addresses], len(addresses), _same, list(scripts)),
        Side(PEER, lambda: [output(0, address=text).lock_script for text in few], len(few), _same, few_scripts),
        Side(FLOOR, lambda: len([checksum(text) for text in addresses]), len(addresses), _same, len(addresses)),
    ]
    return _result(f"{kind}: {len(addresses):,} addresses to scripts", sides)


def _encoding(kind: str, scripts: Sequence[bytes], output: Callable[..., Any]) -> Result:
    addresses = [address_of_script(MAIN, script) for script in scripts]
    few, few_scripts = addresses[:PEER_SAMPLE], scripts[:PEER_SAMPLE]
    texts = [str(address) for address in addresses]
    checksum: Callable[[str], object] = base58.decode if kind in ("P2PKH", "P2SH") else bech32.decode
    sides = [
        Side(OURS, lambda: [address_of_script(MAIN, script) for script in scripts], len(scripts), _same, addresses),
        Side(PEER, lambda: [output(0, lock_script=script).address for script in few_scripts], len(few), _same, few),
        Side(FLOOR, lambda: len([checksum(text) for text in texts]), len(texts), _same, len(texts)),
    ]
    return _result(f"{kind}: {len(scripts):,} scripts to addresses", sides)


def _result(case: str, sides: Sequence[Side]) -> Result:
    timings = check_then_time(sides, rounds=3)
    mine = timings[OURS]
    return Result(
        case=case,
        value=mine.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=timings[FLOOR].per_second,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={"microseconds_each": round(1e6 / mine.per_second, 2)},
    )


def _peer_output() -> Callable[..., Any]:
    """bitcoinlib's `Output`; the package writes into a folder of its own when it is imported, so it is given one."""
    if "BCL_DATA_DIR" not in os.environ:
        os.environ["BCL_DATA_DIR"] = tempfile.mkdtemp(prefix="benchmark-bitcoinlib-")
    from bitcoinlib.transactions import Output

    output: Callable[..., Any] = Output
    return output


def _same(found: object) -> object:
    return found

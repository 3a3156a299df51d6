"""The bundle of 10,000 addresses and 100,000 owners: written, and verified by `custody verify` in a process of its own.

Each owner owns ether and a token; once every balance is what nodes said, once each has its state proof, as deep as on
mainnet. Verifying is measured as a reader sees it: the whole command, start of Python and all libraries included, and
the largest resident size of its process. The peers do what a plain program would: `json` and `zipfile`, and no check.
The floor is the SHA-256 and the CRC-32 of the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.bundle_made import CREATED, make_bundle
from benchmarks.measure import Result, ResultsDiffer, Side, check_then_time
from exports.bundle import Bundle, payload_members, write_bundle
from exports.keys import create_key_pair, load_signer
from exports.manifest import MANIFEST_NAME, member_name
from exports.records import RECORD_TYPES
from exports.trust import trusted_key, trusted_keys

UNIT: Final = "owners/s"
SIZE: Final = (10_000, 100_000)
"""Addresses and owners."""
QUICK_SIZE: Final = (40, 100)
SECONDS_MAX: Final = 30
PEAK_BYTES_MAX: Final = 500 * 10**6
OURS, PEER, FLOOR = "ours", "json and zipfile, no check", "SHA-256 and CRC-32 of the same bytes"
_LAUNCH: Final = """
import json, os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE)
output = process.stdout.read().decode()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begun
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([seconds, cpu, peak, os.waitstatus_to_exitcode(status), output]))
"""
"""Runs a command and measures it. A process counts the size of the one that started it as its own peak, so a small
one stands between this process, which holds the bundle, and the command."""
_VERIFY: Final = "import sys; sys.argv[0] = 'custody'; from verifier.cli import main; main()"
_READ: Final = """
import json, sys, zipfile
records = []
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        if name.endswith(".jsonl"):
            records += map(json.loads, archive.read(name).splitlines())
print(json.dumps({"exit_code": 0, "records": len(records)}))
"""
_HASH: Final = """
import hashlib, json, sys, zlib
digest, crc, size = hashlib.sha256(), 0, 0
with open(sys.argv[1], "rb") as file:
    while chunk := file.read(1 << 20):
        digest.update(chunk); crc = zlib.crc32(chunk, crc); size += len(chunk)
print(json.dumps({"exit_code": 0, "size": size}))
"""


@dataclass(frozen=True, slots=True)
class ChildRun:
    """One run of a process."""

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure writing and verifying, without and with state proofs. Raises `ResultsDiffer`."""
    addresses, owners = QUICK_SIZE if quick else SIZE
    for proven in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            what = f"{addresses:,} addresses, {owners:,} owners, {'all proven' if proven else 'without proofs'}"
            bundle = make_bundle(addresses, owners, proven=proven)
            yield _written(what, bundle, owners, folder)
            records = sum(len(getattr(bundle, kind)) for kind in RECORD_TYPES)
            del bundle
            yield _verified(what, owners, records, folder)


def write_plainly(bundle: Bundle, path: Path) -> int:
    """What one would write first: each record as it prints, in one zip; how many."""
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind in RECORD_TYPES:
            lines = [json.dumps(asdict(record), default=str) for record in getattr(bundle, kind)]
            archive.writestr(member_name(kind), "\n".join(lines))
            written += len(lines)
    return written


def _written(what: str, bundle: Bundle, owners: int, folder: Path) -> Result:
    pem = create_key_pair(folder / "key.pem")
    signer = load_signer(f"file2:{folder / 'key.pem'}")
    trusted = trusted_keys((trusted_key("operations", pem, "operations"),), expires=CREATED + timedelta(days=36_500))
    (folder / "trusted.json").write_bytes(trusted.to_bytes())
    records = sum(len(getattr(bundle, kind)) for kind in RECORD_TYPES)
    _, members = payload_members(bundle)
    size = sum(map(len, members.values()))

    def ours() -> int:
        manifest = write_bundle(bundle, [signer], folder / "bundle.zip").manifest
        return sum(member.records for member in manifest.members)

    def floor() -> int:
        with (folder / "floor").open("wb") as file:
            for data in members.values():
                hashlib.sha256(data).digest()
                zlib.crc32(data)
                file.write(data)
        return records

    sides = [
        Side(OURS, ours, owners, _same, records),
        Side(PEER, lambda: write_plainly(bundle, folder / "plain.zip"), owners, _same, records),
        Side(FLOOR, floor, owners, _same, records),
    ]
    timings = check_then_time(sides, rounds=1)
    mine = timings[OURS]
    return Result(
        case=f"{what}: written",
        value=mine.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=timings[FLOOR].per_second,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={
            "seconds": round(mine.seconds, 2),
            "cpu_seconds": round(mine.client_cpu_seconds, 2),
            "records": records,
            "megabytes": round(size / 10**6, 1),
            "manifest_bytes": len(members[MANIFEST_NAME]),
        },
    )


def _verified(what: str, owners: int, records: int, folder: Path) -> Result:
    path = folder / "bundle.zip"
    size = path.stat().st_size
    verify = ["-c", _VERIFY, "verify", str(path), "--trusted-keys", str(folder / "trusted.json"), "--json"]
    mine = run_child(verify, {"exit_code": 0})
    plain = run_child(["-c", _READ, str(path)], {"exit_code": 0, "records": records})
    bare = run_child(["-c", _HASH, str(path)], {"exit_code": 0, "size": size})
    targets = {
        f"under {SECONDS_MAX} s": "met" if mine.seconds < SECONDS_MAX else "NOT met",
        f"under {PEAK_BYTES_MAX // 10**6} MB": "met" if mine.peak_rss_bytes < PEAK_BYTES_MAX else "NOT met",
    }
    return Result(
        case=f"{what}: verified",
        value=owners / mine.seconds,
        unit=UNIT,
        peer=PEER,
        peer_value=owners / plain.seconds,
        floor=FLOOR,
        floor_value=owners / bare.seconds,
        peak_rss_bytes=mine.peak_rss_bytes,
        notes={
            "seconds": round(mine.seconds, 2),
            "cpu_seconds": round(mine.cpu_seconds, 2),
            "peak_megabytes": round(mine.peak_rss_bytes / 10**6),
            "peer_peak_megabytes": round(plain.peak_rss_bytes / 10**6),
            "targets": targets,
        },
    )


def run_child(arguments: Sequence[str], expected: dict[str, object]) -> ChildRun:
    """Run Python with these arguments. Raises `ResultsDiffer` when its JSON or exit code is not what it must be."""
    launched = subprocess.run([sys.executable, "-c", _LAUNCH, *arguments], stdout=subprocess.PIPE, check=True)
    seconds, cpu_seconds, peak_rss_bytes, code, output = json.loads(launched.stdout)
    answer = json.loads(output or "{}")
    if code or any(answer.get(name) != value for name, value in expected.items()):
        raise ResultsDiffer(f"exit code {code}: {output[:2000]}")
    return ChildRun(seconds, cpu_seconds, peak_rss_bytes)


def _same(found: object) -> object:
    return found

"""The embedded default at its stated size: a firm on SQLite, from its files to a verified bundle, by the real command.

`python -m benchmarks.embedded --wallets 100000 --owners 10` starts an Anvil with so many holders of ETH and two tokens,
writes the firm's files, and runs `custody` as a person would, each command in a process of its own: set up, import, a
sweep, one a block later, one after a wallet paid what nobody approved, status, bundle, verification, journal. It prints
one JSON object: for each command its exit code, wall and processor seconds, largest resident size, and how large
database and bundle are after it. An answer that is not what it must be ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.embedded_books import write_books
from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.measure import ResultsDiffer
from benchmarks.own_process import Taken, run
from chains.devnet.anvil import AnvilProcess
from chains.devnet.deploy import transact
from chains.types import Address, account_location

CUSTODY: Final = (sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()")
CONTRADICTED: Final = 1
"""The exit code where something diverged."""
CONFIRMATIONS: Final = 2
"""As `custody init --devnet` configures it."""
FEE_MAX: Final = 10**16
"""More than the fee of one payment, in wei."""


Runner = Callable[[Sequence[str], Path], Taken]
"""Runs `custody` with these arguments, its output into that file."""


def in_own_process(arguments: Sequence[str], out: Path) -> Taken:
    """As a person runs it: a process that starts, works and ends."""
    return run([*CUSTODY, *arguments], out)


class Firm:
    """A folder with a firm in it, and what each command there took."""

    def __init__(self, folder: Path, runner: Runner) -> None:
        folder.mkdir()
        self.folder = folder
        self._runner = runner
        self.steps: dict[str, dict[str, Any]] = {}
        """By the name of the step, in the order in which they ran."""

    def __call__(self, step: str, *command: object, code: int = 0) -> Any:
        """Run `custody COMMAND --json`; returns what it printed. Raises `ResultsDiffer` at another exit code."""
        out = self.folder / f"{step}.json"
        arguments = ["--config", self.folder / "custody.toml", *command, "--json"]
        taken = self._runner([str(each) for each in arguments], out)
        said = out.read_text(encoding="utf-8")
        if taken.exit_code != code:
            raise ResultsDiffer(f"{step} ended with {taken.exit_code} instead of {code}: {said[-2_000:]}")
        self.steps[step] = {**asdict(taken), "database_bytes": self._database_bytes()}
        print(f"{step}: {json.dumps(self.steps[step])}", file=sys.stderr, flush=True)
        return json.loads(said)

    def _database_bytes(self) -> int:
        """With its log folded in; the commands leave the log to whoever comes next."""
        database = self.folder / "custody.db"
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return database.stat().st_size


def measure(crowd: Crowd, folder: Path, owners: int, runner: Runner = in_own_process) -> dict[str, Any]:
    """All steps, and what they took. Raises `ResultsDiffer` when an answer is not what the chain and the books say."""
    firm = Firm(folder / "firm", runner)
    bundle = firm.folder / "audit.zip"
    allocations = write_books(crowd, folder / "books", owners)
    holdings = len(crowd.holdings)
    crowd.node.mine(CONFIRMATIONS)
    firm("init", "init", "--dir", firm.folder, "--devnet", crowd.node.url, "--firm", "Example Brokerage LLC")
    leave_out_state_proofs(firm.folder / "custody.toml")
    imported = firm("import", "import", folder / "books")
    rows = {file["table"]: file["rows"] for file in imported["files"]}
    _require("rows imported", (rows["wallets"], rows["allocations"]), (len(crowd.addresses), allocations))
    _require_counts(firm("first sweep", "sweep"), holdings)
    crowd.node.mine()
    _require_counts(firm("next sweep", "sweep"), holdings)
    wallet, units = lose(crowd)
    crowd.node.mine(CONFIRMATIONS)
    swept = firm("sweep after a loss", "sweep", code=CONTRADICTED)
    _require_counts(swept, holdings, diverged=2)
    _require("cases", sorted(_cases(swept)), sorted(_cases_of_the_loss(crowd, wallet, units)))
    status = firm("status", "status", code=CONTRADICTED)
    _require("open cases", status["open_cases"], 3)
    firm("export", "export", "--out", bundle)
    verified = firm("verify", "verify", bundle, "--trusted-keys", firm.folder / "trusted-keys.json")
    _require("claims compared by check 7", _compared(verified, 7), holdings)
    _require("the journal is intact", firm("journal verify", "journal", "verify")["intact"], True)
    sizes = {name: step["database_bytes"] for name, step in firm.steps.items()}
    return {
        "wallets": len(crowd.addresses),
        "holdings": holdings,
        "allocations": allocations,
        "books_bytes": sum(path.stat().st_size for path in (folder / "books").iterdir()),
        "bundle_bytes": bundle.stat().st_size,
        "database_bytes_per_sweep": sizes["next sweep"] - sizes["first sweep"],
        "steps": firm.steps,
    }


def leave_out_state_proofs(configuration: Path) -> None:
    """Ask for none: Anvil makes its whole trie anew for each, so that all of a large crowd would take it a day."""
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace("[[chains]]\n", '[[chains]]\nstate_proofs = "off"\n', 1), encoding="utf-8")


def lose(crowd: Crowd) -> tuple[Address, int]:
    """One wallet pays all it has of the first token, approved by nobody, and a fee; returns it and the base units."""
    for address, (wei, units, *_) in zip(crowd.addresses, crowd.balances, strict=True):
        if wei > FEE_MAX and units:
            token = crowd.assets[1].asset_id.rpartition(":")[2]
            crowd.node.impersonate(address)
            transact(crowd.node, address, token, "transfer(address,uint256)", [crowd.node.accounts()[7], units])
            return address, units
    raise ResultsDiffer("nobody can pay: more wallets are needed")


def _cases_of_the_loss(crowd: Crowd, wallet: Address, units: int) -> list[tuple[str, str, str, str]]:
    """What must be found of it: the payment, the shortfall, and that the fee came out of what clients own."""
    place = account_location(crowd.config.chain_id, wallet)
    ether, token = (asset.asset_id for asset in crowd.assets[:2])
    before = crowd.balances[crowd.addresses.index(wallet)][0]
    fee = before - crowd.node.balance(wallet)
    return [
        ("unauthorized_transfer", place, token, str(-units)),
        ("shortfall", place, token, str(-units)),
        ("shortfall", place, ether, str(-fee)),
    ]


def _cases(swept: Any) -> list[tuple[str, str, str, str]]:
    """Kind, place, asset and base units of what a sweep opened."""
    (sweep,) = swept["sweeps"]
    return [(each["kind"], each["location"], each["asset_id"], each["base_units"]) for each in sweep["cases"]]


def _compared(verified: Any, number: int) -> int:
    """How much one check compared; nothing unless it passed."""
    (check,) = [each for each in verified["checks"] if each["number"] == number]
    return int(check["compared"]) if check["status"] == "passed" else 0


def _require_counts(swept: Any, holdings: int, *, diverged: int = 0) -> None:
    """Compare the counts of a sweep's answer with what they must be."""
    counts = {name: swept[name] for name in ("expected", "matched", "diverged", "unverified")}
    must = {"expected": holdings, "matched": holdings - diverged, "diverged": diverged, "unverified": 0}
    _require("counts of a sweep", counts, must)


def _require(what: str, found: object, must: object) -> None:
    if found != must:
        raise ResultsDiffer(f"{what}: {found} instead of {must}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__)
    parser.add_argument("--wallets", type=int, default=200)
    parser.add_argument("--owners", type=int, default=10, help="allocations for each wallet, over its three assets")
    parser.add_argument("--folder", type=Path, help="an empty folder to leave everything in; else one that goes")
    given = parser.parse_args()
    with AnvilProcess() as process, tempfile.TemporaryDirectory(prefix="custody-embedded-") as passing:
        folder = given.folder or Path(passing)
        crowd = empty_crowd(process.node)
        crowd.grow(given.wallets)
        try:
            found = measure(crowd, folder, given.owners)
        except ResultsDiffer as error:
            print(f"no measurement: {error}", file=sys.stderr)
            return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

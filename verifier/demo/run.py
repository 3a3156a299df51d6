"""The story itself: a clean day, then things that should never happen, each found, and a bundle to prove it."""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.markup import escape

from chains.devnet.anvil import AnvilProcess
from chains.devnet.bitcoin.kernel_chain import KernelMissing
from chains.devnet.isolation import isolated
from chains.devnet.node import AnvilNode
from exports.strictzip import write_zip
from verifier.cli import output
from verifier.config import CONFIG_FILE
from verifier.demo import books
from verifier.demo.bitcoin import (
    BitcoinWorld,
    add_chain,
    bitcoin_world,
    satoshis,
    write_bitcoin_approval,
    write_bitcoin_books,
    write_bitcoin_movement,
)
from verifier.demo.story import Story
from verifier.demo.world import World, build_world, tbx, usdx
from verifier.errors import InputError

FIRM = "Example Brokerage LLC"
STARTS_SECONDS_AGO = 10
"""The chain's clock begins this long ago, because every block mined at once moves it a second forward."""


def run_demo(folder: Path | None) -> dict[str, object]:
    """Tell the story on stdout; returns what was found.

    Raises `StoryError` when anything does not come out as told, `InputError` when the folder is in use.
    """
    started = time.monotonic()
    with _folder(folder) as home, _node() as node, ExitStack() as stack:
        story = Story(output.out(), home)
        bitcoin, missing = None, ""
        try:
            bitcoin = stack.enter_context(bitcoin_world())
        except KernelMissing as error:
            missing = f"{error}. {error.advice}"
        summary = _tell(story, node, bitcoin, home)
        if missing:
            story.say(f"\n[yellow]The story was told without Bitcoin:[/yellow] {escape(missing)}")
        seconds = time.monotonic() - started
        story.say(f"\n[bold green]The story held in every point.[/bold green] It took {seconds:.0f} seconds.")
        if folder is not None:
            story.say(f"Everything is kept in {escape(str(home))}. Look around there, for example:")
            story.say("  custody cases list        custody map search C-1004        custody journal show")
    return summary | {"seconds": round(seconds, 1)}


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        if (folder / CONFIG_FILE).exists():
            raise InputError(f"{folder} holds a {CONFIG_FILE} already; give a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="custody-demo-") as temporary:
            yield Path(temporary)


@contextmanager
def _node() -> Iterator[AnvilNode]:
    """An Anvil of our own; or the one that ANVIL_RPC_URL names, put back afterwards to where it was."""
    if url := os.environ.get("ANVIL_RPC_URL"):
        with AnvilNode(url) as node, isolated(node, restart=None):
            yield node
        return
    begin = int(time.time()) - STARTS_SECONDS_AGO
    with AnvilProcess(arguments=["--timestamp", str(begin)]) as process:
        yield process.node


def _tell(story: Story, node: AnvilNode, bitcoin: BitcoinWorld | None, home: Path) -> dict[str, object]:
    has = bitcoin is not None
    story.chapter(
        "1  A firm, a chain and its books",
        "A broker-dealer keeps client assets in MPC wallets: one omnibus wallet for three clients, and three wallets "
        "that each belong to one client alone. They hold ether and two tokens: USDX, a dollar stablecoin, and TBX, a "
        "tokenised treasury bill. A local Ethereum chain plays the world."
        + (" A pool of two Bitcoin wallets lies on a regtest chain, validated by Bitcoin Core's own library." * has),
    )
    before = node.block_number()
    world = build_world(node)
    story.command("init", "--dir", str(home), "--devnet", node.url, "--firm", FIRM, expect=0)
    _cover_from(home / CONFIG_FILE, before + 1)
    books.write_books(world, home / "books")
    files = [str(home / "books")]
    if bitcoin is not None:
        add_chain(home / CONFIG_FILE, bitcoin)
        write_bitcoin_books(bitcoin, home / "books-bitcoin")
        files.append(str(home / "books-bitcoin"))
    for each in files:
        story.command("import", each, expect=0)
    story.command("map", "show", expect=0)

    story.chapter(
        "2  A clean day",
        "Client 1002 deposits 5,000 USDX. Client 1001 withdraws 50,000 USDX: one person asked, another approved. "
        "The sub-ledger records both. The sweep pins one block by its hash and compares every wallet and asset."
        + (" Client 1003 withdraws 0.25 BTC, approved too, and the change comes back to the pool." * has),
    )
    world.pay(world.usdx, world.outside, world.omnibus, usdx("5000"))
    books.write_withdrawal_approval(world, home / "day1")
    world.pay(world.usdx, world.omnibus, world.client_1001_own, usdx("50000"))
    books.write_movements(world, home / "day1")
    world.confirm()
    world.confirm()
    files = [str(home / "day1")]
    if bitcoin is not None:
        write_bitcoin_approval(bitcoin, home / "day1-bitcoin", satoshis("0.25"))
        bitcoin.pay(bitcoin.client_1003_own, satoshis("0.25"))
        write_bitcoin_movement(bitcoin, home / "day1-bitcoin", satoshis("0.25"))
        bitcoin.confirm()
        files.append(str(home / "day1-bitcoin"))
    for each in files:
        story.command("import", each, expect=0)
    story.command("sweep", expect=0)
    story.command("status", expect=0)

    story.chapter(
        f"3  {'Five' if has else 'Four'} things that should never happen",
        "12,345.678901 USDX were paid to a stranger, and nobody had approved it. 2 TBX of client 1005 went to the "
        "firm's own treasury. 7,500 TBX arrived that belong to nobody. The custodian's statement is 1,000 USDX "
        "short."
        + (" And 0.1 BTC left the pool without an approval." * has)
        + " Each must be found, with amount, block and transaction.",
    )
    theft = world.pay(world.usdx, world.omnibus, world.stranger, usdx("12345.678901"))
    mixed = world.pay(world.tbx, world.client_1005, world.treasury, tbx("2"))
    world.pay(world.tbx, world.outside, world.broker_2001, tbx("7500"))
    stolen = bitcoin.pay(bitcoin.stranger, satoshis("0.1")) if bitcoin is not None else None
    if bitcoin is not None:
        bitcoin.confirm()
    books.write_statement(world, home / "day2")
    world.confirm()
    world.confirm()
    story.command("import", str(home / "day2"), expect=0)
    story.command("sweep", expect=1)
    cases = story.ask("cases", "list", expect=(1,))
    _require_cases(story, world, cases, theft, mixed, stolen)
    story.command("status", expect=1)
    story.say("\nSweeping again opens nothing twice:")
    again = story.command("sweep", expect=1, show=False)
    opened = again.answer["cases_opened"]
    story.say(f"cases opened by the second sweep: {opened}")
    story.require(opened == 0, "a finding opened a second case")

    story.chapter(
        "4  What the auditor gets",
        "One signed file: wallets, balances with block height and hash, who owns what, every comparison, transfer "
        "and case. It is checked here without the firm's database, then once more against a node of the auditor's own.",
    )
    bundle, keys = home / "audit.zip", home / "trusted-keys.json"
    story.command("export", "--out", str(bundle), expect=0)
    story.command("verify", str(bundle), "--trusted-keys", str(keys), expect=0)
    own_nodes = ["--rpc", f"{world.chain_id}={node.url}"]
    if bitcoin is not None:
        own_nodes += ["--rpc", f"{bitcoin.chain_id}={bitcoin.node.url}"]
    story.command("verify", str(bundle), "--trusted-keys", str(keys), *own_nodes, expect=0)

    story.chapter(
        "5  A tampered copy",
        "Somebody changes one digit of one balance, packs the file again properly, and hopes that nobody looks.",
    )
    tampered = home / "tampered.zip"
    _tamper(bundle, tampered)
    story.command("verify", str(tampered), "--trusted-keys", str(keys), expect=1)
    story.command("journal", "verify", expect=0)
    return {"cases": cases, "second_sweep": again.answer}


def _cover_from(config: Path, height: int) -> None:
    """Leave out what happened on the node before the story, when it is not a fresh one."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("history_from_height = 1\n", f"history_from_height = {height}\n"), encoding="utf-8")


def _tamper(bundle: Path, tampered: Path) -> None:
    """A well-formed copy with one balance changed: only the digests and the signature can tell."""
    with zipfile.ZipFile(bundle) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    balances = contents["records/balances.jsonl"]
    amount = balances.index(b'"base_units":"') + len(b'"base_units":"')
    digit = b"9" if balances[amount : amount + 1] != b"9" else b"8"
    contents["records/balances.jsonl"] = balances[:amount] + digit + balances[amount + 1 :]
    with tampered.open("wb") as file_out:
        write_zip(file_out, contents)


def _require_cases(
    story: Story, world: World, cases: dict[str, object], theft: str, mixed: str, stolen: str | None
) -> None:
    """The events are found as what they are, with amount, transaction and block."""
    listed = cases["cases"]
    assert isinstance(listed, list)
    seen = {(case["kind"], case["tx_id"], case["base_units"]) for case in listed}
    wanted = {
        ("unauthorized_transfer", theft, str(-usdx("12345.678901"))),
        ("commingling", mixed, str(-tbx("2"))),
        ("unallocated_balance", "", str(tbx("7500"))),
        ("custodian_mismatch", "", str(usdx("1000"))),
    }
    if stolen is not None:
        wanted.add(("unauthorized_transfer", stolen, str(-satoshis("0.1"))))
    story.require(wanted <= seen, f"expected among the cases: {sorted(wanted - seen)}; found {sorted(seen)}")
    for case in listed:
        story.require(case["height"] is not None, f"case {case['case_id']} names no block")

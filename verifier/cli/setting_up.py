"""`custody init`, `template`, `devnet` and `demo`: getting started."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, config_of, now
from verifier.errors import InputError

CONFIG_TEMPLATE = """\
# Configuration of custody-verifier. Every setting can be overridden by an environment variable named
# CUSTODY_SECTION__KEY, for example CUSTODY_DATABASE__URL. Unknown keys are refused. docs/configuration.md has every key
# with its default.

[firm]
name = {firm}

[database]
# One SQLite file beside this one, or PostgreSQL: postgresql+psycopg://USER:PASSWORD@HOST/DATABASE
# (give a URL with a password by the environment, not here).
url = "sqlite:///custody.db"

[sweep]
# Two statements further apart in time than this are not compared: the holding is unverified.
as_of_skew_seconds_max = 900

[imports]
# Accept EVM addresses without a checksum (all lower-case); the import names each of them.
accept_unchecksummed = false

[bundle]
# The key that signs bundles (mode 0600). Give a passphrase by an environment variable, named here.
key_file = "keys/signing-key.pem"
# passphrase_env = "CUSTODY_KEY_PASSPHRASE"
# What salts the liabilities tree (mode 0600). Keep it like the key; it never goes into a bundle.
# liabilities_secret_file = "keys/liabilities-secret.hex"

# More keys that sign every export, in devices and key services (docs/keys.md).
# [[bundle.signers]]
# uri = "hsm:2?label=custody"
# public_key_file = "keys/operations.pub.pem"
# passphrase_env = "CUSTODY_PIN"

# The reserve computations of 15c3-3(e): when the reserve banks open, in their civil time. See docs/rules.md.
# [reserve]
# bank_opens = "09:00"
# bank_zone = "America/New_York"

# Where computations and daily reports are kept for examiners, and where exceptions that nobody explained go. See
# docs/reserve-reports.md.
# [archive]
# folder = "archive"
# [supervision]
# wsp_section = "WSP 12.3"

# What `custody watch` runs by the clock, once for each business date; and a folder whose new files are imported as
# custodians' statements. See docs/schedule.md.
# [schedule]
# control_review = true
# compute = true
# reconcile = true
# report = true
# [statements]
# folder = "statements"

# Whom `custody watch` tells at once, and which way: a webhook, mail or a chat room; try one with
# `custody alerts test NAME`. See docs/alerts.md.
# [[alerts]]
# name = "operations"
# kind = "webhook"
# url_env = "CUSTODY_ALERTS_URL"
# hosts = ["hooks.example.com"]
# secret_env = "CUSTODY_ALERTS_SECRET"
# [[alerts]]
# name = "compliance"
# kind = "email"
# severity = "breach"
# smtp_host = "mail.example.com"
# smtp_user = "custody"
# smtp_password_env = "CUSTODY_SMTP_PASSWORD"
# sender = "custody@example.com"
# recipients = ["compliance@example.com"]

# Health, readiness and metrics of running processes, on 127.0.0.1; and where the log goes. See docs/operations.md.
# [metrics]
# listen = "9464"
# [log]
# form = "json"

{chains}"""

CHAIN_TEMPLATE = """\
[[chains]]
chain_id = "{chain_id}"
name = "{name}"
# A node must prove both, or nothing it says is recorded.
genesis_hash = "{genesis_hash}"
# The block a sweep reads: "finalized", "safe", "latest" (provisional), or "confirmed(12)".
finality = "{finality}"
# First block whose movements are covered; without it, the block of the first sweep.
{history}
head_age_seconds_max = {head_age}
native_asset = {{ asset_id = "{native_asset_id}", symbol = "ETH", decimals = 18 }}

  # One block per node. The URL may hold an API key: name an environment variable (url_env) or a file (url_file).
  [[chains.nodes]]
  node_id = "{node_id}"
  operator = "{operator}"
  {url}
  # A second node with another `operator` and `quorum = 2` above make both answer; see docs/operators.md.
  # A WebSocket of the same node (wss://...) announces new blocks to `custody watch`; without it the node is polled.
  # ws_url_env = "NODE_WS_URL"
"""

MAINNET = CHAIN_TEMPLATE.format(
    chain_id="eip155:1",
    name="Ethereum mainnet",
    genesis_hash="0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    finality="finalized",
    history="# history_from_height = 23000000",
    head_age=900,
    native_asset_id="eip155:1/slip44:60",
    node_id="node-a",
    operator="operator-a",
    url='url_env = "MAINNET_RPC_URL"',
)

BITCOIN = """
# Bitcoin is read by following blocks: take the marks away, and see docs/bitcoin.md for the node and its user.
# [[chains]]
# chain_id = "bip122:000000000019d6689c085ae165831e93"
# name = "Bitcoin"
# genesis_hash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
# finality = "confirmed(6)"
# # The first block that could have paid any of the wallets.
# history_from_height = 880000
# native_asset = { asset_id = "bip122:000000000019d6689c085ae165831e93/slip44:0", symbol = "BTC", decimals = 8 }
#
#   [[chains.nodes]]
#   node_id = "core-a"
#   operator = "operator-a"
#   url_env = "BITCOIN_RPC_URL"
"""


def toml_string(text: str) -> str:
    """A TOML basic string; the escapes of TOML and JSON agree for what a name can hold."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def devnet_chain(url: str) -> str:
    """The configuration section of an Anvil node: asked for its ids, with short finality."""
    from urllib.parse import urlsplit

    from chains.devnet.node import AnvilNode
    from chains.node_url import is_loopback_name

    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback_name(parts.hostname or ""):
        # A devnet in another container: its traffic is not encrypted, which the reader wants said out loud.
        written = url.replace("http://", "http+insecure://", 1)
    else:
        written = url
    with AnvilNode(url) as node:
        genesis = node.block_hash(0)
        number = node.chain_id
    return CHAIN_TEMPLATE.format(
        chain_id=f"eip155:{number}",
        name="Local devnet",
        genesis_hash=genesis,
        finality="confirmed(2)",
        history="history_from_height = 1",
        head_age=86_400,
        native_asset_id=f"eip155:{number}/slip44:60",
        node_id="anvil",
        operator="local",
        url=f'url = "{written}"',
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(doctor)
    app.command()(template)
    app.command()(devnet)
    app.command()(demo)


@command
def init(
    ctx: typer.Context,
    firm: Annotated[str, typer.Option(help="The firm's name, as it should stand in bundles.")] = "",
    folder: Annotated[Path, typer.Option("--dir", help="Where to put everything.")] = Path(),
    devnet: Annotated[
        str, typer.Option("--devnet", help="URL of an Anvil node to configure as the one chain.", metavar="URL")
    ] = "",
    actor: ActorOption = "administrator",
    as_json: JsonOption = False,
) -> int:
    """Set up a folder: custody.toml, a signing key with its trusted-keys file, a secret, and the database.

    Run again after an upgrade: what exists is kept, and only the database is brought up to date.

    Example: custody init --firm "Example Brokerage LLC"
    """
    from verifier.initialise import initialise

    chains = devnet_chain(devnet) if devnet else MAINNET + BITCOIN
    done = initialise(
        folder,
        config_text=lambda: CONFIG_TEMPLATE.format(firm=toml_string(_required(firm)), chains=chains),
        actor=actor,
        now=now(),
    )
    if as_json:
        output.emit_json({"folder": str(folder), "created": done.created, "kept": done.kept, "schema": done.schema})
    else:
        for name in done.created:
            output.say(f"[green]created[/green] {output.clean(name)}")
        for name in done.kept:
            output.say(f"[dim]kept[/dim]    {output.clean(name)}")
        output.say(f"database schema {done.schema}")
        output.say("[dim]The first administrator of the pages comes by `custody users first-code`.[/dim]")
    return output.EXIT_OK


@command
def doctor(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Look whether everything is in place: Python, configuration, database, signing key, nodes.

    Nothing is changed. Exit code 0: all that is needed is there. 2: something is not.

    Example: custody doctor
    """
    from verifier.doctor import Health, examine

    answers = list(examine(config_of(ctx), now()))
    if as_json:
        output.emit_json({"answers": [asdict(answer) for answer in answers]})
    else:
        styles = {Health.GOOD: "green", Health.BAD: "bold red", Health.OPTIONAL: "yellow"}
        for answer in answers:
            style = styles[answer.health]
            word = f"[{style}]{answer.health:<8}[/{style}]"
            output.say(f"{word}  {output.clean(answer.what):<24}  {output.clean(answer.found)}")
            if answer.advice:
                output.say(f"          {output.clean(answer.advice)}")
    return output.EXIT_NOT_CHECKED if any(a.health is Health.BAD for a in answers) else output.EXIT_OK


@command
def template(
    name: Annotated[str, typer.Argument(help="One file, for example wallets.csv; all without it.")] = "",
    folder: Annotated[Path | None, typer.Option("--out", help="Write into this folder.", metavar="FOLDER")] = None,
    as_json: JsonOption = False,
) -> int:
    """Print or write CSV templates with an example row; docs/data-dictionary.md explains every column.

    Example: custody template --out books
    """
    from mapping.tables import TABLES
    from mapping.tables import template as template_text

    names = [name] if name else [table.file_name for table in TABLES]
    known = {table.file_name for table in TABLES}
    if unknown := [wanted for wanted in names if wanted not in known]:
        raise InputError(f"there is no template {unknown[0]}; there are {', '.join(sorted(known))}")
    if folder is None:
        texts = {wanted: template_text(wanted) for wanted in names}
        if as_json:
            output.emit_json({"templates": texts})
        else:
            for wanted, text in texts.items():
                if len(texts) > 1:
                    output.say(f"[bold]# {wanted}[/bold]")
                typer.echo(text, nl=False)
        return output.EXIT_OK
    folder.mkdir(parents=True, exist_ok=True)
    if taken := [wanted for wanted in names if (folder / wanted).exists()]:
        raise InputError(f"{folder / taken[0]} exists already; it was not overwritten")
    for wanted in names:
        (folder / wanted).write_text(template_text(wanted), encoding="utf-8")
    if as_json:
        output.emit_json({"written": [str(folder / wanted) for wanted in names]})
    else:
        output.say(f"{output.counted(len(names), 'template')} written to {output.clean(folder)}")
    return output.EXIT_OK


@command
def devnet(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8545,
    tokens: Annotated[bool, typer.Option(help="Deploy two ERC-20 test tokens (6 and 18 decimals).")] = True,
    block_seconds: Annotated[int, typer.Option(help="Mine a block every so many seconds; 0: on demand.")] = 0,
    as_json: JsonOption = False,
) -> int:
    """Run a local Ethereum node (Anvil) with test tokens until Ctrl-C.

    Example: custody devnet --port 8545
    """
    from chains.devnet.anvil import AnvilProcess
    from chains.devnet.deploy import deploy

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # before anything is said: who reads it may send one at once
        signal.signal(number, lambda *_: stop.set())
    arguments = ["--block-time", str(block_seconds)] if block_seconds else []
    with AnvilProcess(port=port, arguments=arguments) as process:
        node = process.node
        contracts = {}
        if tokens:
            contracts["USDX (6 decimals)"] = deploy(node, "Erc20", ["USDX test dollar", "USDX", 6])
            contracts["TBX (18 decimals)"] = deploy(node, "Erc20", ["TBX test token", "TBX", 18])
        if as_json:
            output.emit_json({"url": node.url, "chain_id": f"eip155:{node.chain_id}", "tokens": contracts})
        else:
            output.say(f"Anvil listens on [bold]{node.url}[/bold], chain eip155:{node.chain_id}")
            for label, address in contracts.items():
                output.say(f"  {label:<20} {address}")
            output.say(f"Configure it with: custody init --devnet {node.url} --firm NAME")
            output.say("[dim]Ctrl-C ends it.[/dim]")
        while not stop.wait(0.5):
            if not process.is_running():
                raise InputError(f"Anvil ended by itself: {process.log_tail()}")
    return output.EXIT_OK


@command
def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Keep the demonstration's files in this folder.", metavar="FOLDER")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Tell the whole product as a story on local chains of its own, in under a minute.

    Example: custody demo --dir demo
    """
    from verifier.demo.run import run_demo

    if not as_json:
        run_demo(folder)
        return output.EXIT_OK
    with contextlib.redirect_stdout(sys.stderr):  # the story is for people, the answer for programs
        summary = run_demo(folder)
    output.emit_json(summary)
    return output.EXIT_OK


def _required(firm: str) -> str:
    from pydantic import ValidationError

    from verifier.config import FirmSettings

    if not firm.strip():
        raise InputError("give the firm's name: custody init --firm NAME")
    try:
        return FirmSettings(name=firm).name
    except ValidationError as error:
        raise InputError(f"the firm's name: {error.errors()[0]['msg']}") from None

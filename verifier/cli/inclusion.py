"""`custody inclusion`, `verify-inclusion` and `client-sample`: what each client is owed, provably."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now
from verifier.cli.typed import read_file
from verifier.errors import InputError

if TYPE_CHECKING:
    from exports.bundle_liabilities import BundleLiabilities
    from exports.inclusion import InclusionStatement, InclusionVerdict

BundleArgument = Annotated[Path, typer.Argument(help="The bundle.", metavar="BUNDLE")]
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)
LEFT_OUT = "It does not prove that nobody was left out."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(inclusion)
    app.command("verify-inclusion")(verify_inclusion)
    app.command("client-sample")(sample)


@command
def inclusion(
    bundle: BundleArgument,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the statements.", metavar="FOLDER")],
    client: Annotated[
        list[str] | None, typer.Option(help="Whose statement; can be repeated.", metavar="CLIENT")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="A statement for every client.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Make clients' inclusion statements from a bundle: one private JSON file each, named after the client.

    A statement holds what one client is owed and what leads to the liabilities root, nothing else of anybody.
    Give it to that client alone, and the root to everybody. An existing file is not overwritten.

    Example: custody inclusion audit.zip --client C-1001 --out statements
    """
    from exports.bundle_liabilities import read_liabilities

    if bool(client) == everybody:
        raise InputError("name clients with --client, or give --all")
    found = read_liabilities(bundle)
    wanted = found.client_ids if everybody else list(dict.fromkeys(client or ()))
    if unknown := sorted(set(wanted) - set(found.client_ids)):
        raise InputError(f"client {unknown[0]} has no position in this bundle")
    if not wanted:
        raise InputError("nobody is owed anything in this bundle")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    with output.progress("statements", len(wanted), quiet=as_json) as advance:
        for statement in found.statements(wanted):
            written.append(_write(folder, statement))
            advance(1)
    if as_json:
        output.emit_json({"root": found.root, "statements": [str(path) for path in written]})
    else:
        output.say(f"{output.counted(len(written), 'statement')} written to {output.clean(folder)}")
        output.say(f"Liabilities root: [bold]{found.root}[/bold]")
        output.say("Publish the root; each client checks with `custody verify-inclusion FILE --root ROOT`.")
    return output.EXIT_OK


@command
def verify_inclusion(
    file: Annotated[Path, typer.Argument(help="The inclusion statement.", metavar="FILE")],
    root: Annotated[str, typer.Option(help="The liabilities root that the firm published.", metavar="SHA256")] = "",
    bundle: Annotated[
        Path | None, typer.Option(help="Verify this bundle and compare with its root.", metavar="FILE")
    ] = None,
    trusted_keys: Annotated[
        Path | None, typer.Option("--trusted-keys", help="Your own list of keys, for --bundle.", metavar="FILE")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check an inclusion statement: that what it says you are owed is in the root the firm told everybody.

    Offline, with the statement alone and the root, which you should have from elsewhere. Look whether client id
    and amounts are your own. Exit code 0: included. 1: refused. 2: nothing to compare with, or not readable.

    Example: custody verify-inclusion C-1001.json --root 3f6c…
    """
    from exports.errors import StatementRefused
    from exports.inclusion import STATEMENT_BYTES_MAX, InclusionStatement, InclusionVerdict, verify_statement

    if (bundle is None) != (trusted_keys is None):
        raise InputError("--bundle and --trusted-keys belong together: a root nobody signed is worth nothing")
    if root and bundle is not None:
        raise InputError("give --root or --bundle, not both")
    if root and not re.fullmatch(r"[0-9a-fA-F]{64}", root):
        raise InputError("--root is not 64 hex digits")
    data = read_file(file, STATEMENT_BYTES_MAX)
    obstacles: tuple[str, ...] = ()
    published: str | None = root or None
    bundle_problems: tuple[str, ...] = ()
    if bundle is not None and trusted_keys is not None:
        published, bundle_problems, obstacles = _root_of(bundle, trusted_keys)
    statement = None
    try:
        statement = InclusionStatement.parse(data)
        verdict = verify_statement(statement, published)
    except StatementRefused as error:
        verdict = InclusionVerdict(0, 0, (str(error),), ())
    verdict = InclusionVerdict(
        verdict.positions,
        verdict.leaves,
        (*bundle_problems, *verdict.problems),
        obstacles or verdict.obstacles,
    )
    if as_json:
        output.emit_json(_verdict_json(statement, verdict))
    else:
        _show_verdict(statement, verdict)
    return verdict.exit_code


@command
def sample(
    bundle: BundleArgument,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many clients to draw.")],
    seed: Annotated[str, typer.Option(help="Picked by the auditor after the bundle was signed.", metavar="TEXT")],
    as_json: JsonOption = False,
) -> int:
    """Draw clients to confirm with: what the bundle says they are owed, asked of them directly.

    The same bundle, seed and count draw the same clients on every machine; a larger count extends the draw.
    Verify the bundle first. Exit code 2: there is nobody to draw.

    Example: custody client-sample audit.zip --count 25 --seed 8461-2093
    """
    from exports.bundle_liabilities import read_liabilities
    from exports.client_sample import client_sample

    if not seed.strip():
        raise InputError("the seed is empty: anybody could have picked it before")
    found = read_liabilities(bundle)
    drawn = client_sample(found.client_ids, found.digest, seed, count)
    owed = _owed(found, drawn)
    if as_json:
        output.emit_json(
            {
                "bundle_id": found.manifest.bundle_id,
                "sha256_of_manifest": found.digest,
                "seed": seed,
                "population": len(found.client_ids),
                "drawn": len(drawn),
                "clients": [{"client_id": client_id, "positions": positions} for client_id, positions in owed.items()],
            }
        )
    else:
        cells = [
            [output.clean(row[name]) for name in ("client_id", "account_class", "quantity", "symbol")]
            for positions in owed.values()
            for row in positions
        ]
        title = f"{len(drawn)} of {len(found.client_ids)} clients, drawn with the seed {output.clean(seed)}"
        output.out().print(output.table(title, ["client", "class", "owed", "asset"], cells, ["owed"], ["client"]))
        output.say(f"From the bundle with the manifest {found.digest}.")
    return output.EXIT_OK if drawn else output.EXIT_NOT_CHECKED


def _write(folder: Path, statement: InclusionStatement) -> Path:
    """Write one statement to a new file that only its writer can read."""
    import hashlib

    client_id = statement.client_id
    name = client_id if PLAIN_NAME.fullmatch(client_id) else hashlib.sha256(client_id.encode()).hexdigest()
    path = folder / f"{name}.json"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or 'cannot be written'}; it was not overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(statement.to_bytes())
    return path


def _root_of(bundle: Path, trusted_keys: Path) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """The root of a bundle that verifies; else why it does not, as problems or obstacles."""
    from exports.keys import load_trusted_keys
    from exports.report import verdict_line
    from exports.verify import verify_bundle

    report = verify_bundle(bundle, load_trusted_keys(trusted_keys), now=now())
    root = report.bundle.liabilities_root if report.bundle is not None else None
    if report.exit_code == 0 and root is not None:
        return root, (), ()
    reason = f"the bundle itself: {verdict_line(report)}"
    return (root, (reason,), ()) if report.exit_code == 1 else (root, (), (reason,))


def _verdict_json(statement: InclusionStatement | None, verdict: InclusionVerdict) -> dict[str, object]:
    from exports.codec import time_text

    return {
        "included": verdict.exit_code == 0,
        "exit_code": verdict.exit_code,
        "positions_compared": verdict.positions,
        "leaves_compared": verdict.leaves,
        "problems": list(verdict.problems),
        "obstacles": list(verdict.obstacles),
        "statement": None
        if statement is None
        else {
            "firm": statement.firm,
            "bundle_id": statement.bundle_id,
            "as_of": time_text(statement.as_of),
            "client_id": statement.client_id,
            "root": statement.root,
            "positions": [
                {
                    "account_class": position.account_class,
                    "asset_id": position.asset_id,
                    "base_units": str(position.base_units),
                    "quantity": position.quantity,
                }
                for position in statement.positions
            ],
        },
    }


def _show_verdict(statement: InclusionStatement | None, verdict: InclusionVerdict) -> None:
    from exports.codec import time_text

    if statement is not None:
        output.say(
            f"{output.clean(statement.firm)} says it owes client [bold]{output.clean(statement.client_id)}[/bold], "
            f"as of {time_text(statement.as_of)} (bundle {output.clean(statement.bundle_id)}):"
        )
        for position in statement.positions:
            output.say(
                f"  {position.quantity} of {output.clean(position.asset_id)} ({output.clean(position.account_class)}), "
                f"{position.base_units} base units"
            )
        output.say(f"Liabilities root: {statement.root}")
    for problem in (*verdict.problems, *verdict.obstacles):
        output.say(f"  - {output.clean(problem)}")
    counted = f"{output.counted(verdict.positions, 'position')}, {output.counted(verdict.leaves, 'leaf', 'leaves')}"
    if verdict.exit_code == 0:
        output.say(f"[bold green]INCLUDED[/bold green]: {counted} lead to the published root. {LEFT_OUT}")
    elif verdict.exit_code == 1:
        output.say("[bold red]REFUSED[/bold red]: do not rely on this statement.")
    else:
        output.say(f"[bold yellow]NOT CHECKED[/bold yellow]: {counted} compared, and not with a published root.")


def _owed(found: BundleLiabilities, client_ids: list[str]) -> dict[str, list[dict[str, str]]]:
    """What each of the clients is owed, by client, in their order."""
    from chains.types import Asset

    assets = {asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals) for asset in found.assets}
    rows: dict[str, list[dict[str, str]]] = {client_id: [] for client_id in client_ids}
    for record in found.liabilities:
        if record.client_id in rows:
            asset = assets[record.asset_id]
            rows[record.client_id].append(
                {
                    "client_id": record.client_id,
                    "account_class": record.account_class,
                    "asset_id": record.asset_id,
                    "symbol": asset.symbol,
                    "base_units": str(record.base_units),
                    "quantity": asset.format_quantity(record.base_units),
                }
            )
    return rows

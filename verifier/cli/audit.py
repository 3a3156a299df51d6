"""`custody export`, `verify` and `journal`: what outsiders check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import moment_of, typed
from verifier.errors import InputError, JournalBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chains.reader import ChainReader
    from chains.types import ChainId
    from exports.contents import Contents
    from exports.difference import Difference
    from exports.profiles import Profile
    from exports.trust import TrustedKeys
    from exports.verdict import VerificationReport
    from verifier.journal_file import JournalFileReport

TsaOption = Annotated[
    Path | None,
    typer.Option(
        "--tsa-certificate", help="Root certificate (PEM) of a time-stamp authority you trust.", metavar="FILE"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(export)
    app.command()(verify)
    journal_app = typer.Typer(no_args_is_help=True, help="The hash-chained journal of everything that was done.")
    app.add_typer(journal_app, name="journal")
    journal_app.command("verify")(journal_verify)
    journal_app.command("export")(journal_export)
    journal_app.command("check")(journal_check)
    journal_app.command("show")(journal_show)


@command
def export(
    ctx: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", help="Where to write the bundle.", metavar="FILE")],
    since: Annotated[
        str,
        typer.Option(help="Include the movements of a chain from this height on.", metavar="CHAIN=HEIGHT"),
    ] = "",
    profile: Annotated[
        str, typer.Option(help="What to show: full, pseudonymous or client:ID.", metavar="PROFILE")
    ] = "full",
    source: Annotated[
        Path | None,
        typer.Option("--of", help="The full bundle to make it from; else the newest issued.", metavar="FILE"),
    ] = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Write the signed auditor bundle: the newest sweep of every chain, and all that belongs to it.

    Movements are included from the previous bundle on, or from the first covered block. Another file that
    exists is not overwritten.

    With --profile pseudonymous or client:ID a bundle that shows less is made from a full one that was issued: the
    same figures and liabilities root, without who the clients are, or one client's own alone.

    Example: custody export --out audit-2026-03.zip
    """
    from exports.profiles import Profile, disclosure_lines
    from verifier.bundle_view import written_json
    from verifier.bundling import issue_bundle
    from verifier.disclosing import Audience, disclose_bundle
    from verifier.signing import liabilities_secret_of, signers_of

    settings, audience = settings_of(ctx), Audience.parse(profile)
    is_full = audience.profile is Profile.FULL
    if not out_file.parent.is_dir():
        raise InputError(f"there is no folder {out_file.parent}")
    if is_full and source is not None:
        raise InputError("--of goes with --profile pseudonymous or client:ID")
    if since and not is_full:
        raise InputError("--since goes with a full bundle: what shows less is made from one")
    with opened_store(settings) as store:
        signers, secret = signers_of(settings), liabilities_secret_of(settings)
        if is_full:
            written = issue_bundle(store, settings, out_file, _since(since), signers, actor, now, secret)
        else:
            written = disclose_bundle(store, source, audience, out_file, signers, actor, now, secret)
    if as_json:
        output.emit_json({"file": str(written.path)} | written_json(written))
    else:
        manifest = written.manifest
        output.say(
            f"[green]written[/green] {output.clean(written.path)}: bundle {manifest.sequence}, as of "
            f"{manifest.as_of:%Y-%m-%d %H:%M:%S} UTC, {written.size_bytes:,} bytes"
        )
        counts = ", ".join(f"{member.records:,} {member.kind}" for member in manifest.members)
        output.paragraph(f"holds {counts}", indent=2)
        for line in disclosure_lines(manifest.profile, manifest.subject, manifest.disclosure):
            output.say(output.clean(line))
        output.say(f"SHA-256 of the manifest: [bold]{written.digest}[/bold]")
        output.say("Tell the auditor this digest by another way than the file.")
        output.say(f"Liabilities root: {written.liabilities_root}")
        output.say("Publish it to all clients: `custody inclusion` makes what each of them checks against it.")
    return output.EXIT_OK


@command
def verify(
    file: Annotated[Path, typer.Argument(help="The bundle.", metavar="FILE")],
    trusted_keys: Annotated[
        Path, typer.Option("--trusted-keys", help="Your own list of keys you trust.", metavar="FILE")
    ],
    rpc: Annotated[
        list[str] | None,
        typer.Option(help="Ask your own node too, as CHAIN=URL; can be repeated.", metavar="CHAIN=URL"),
    ] = None,
    require_role: Annotated[
        list[str] | None,
        typer.Option(help="A role that must have signed besides those your list requires.", metavar="ROLE"),
    ] = None,
    tsa_certificate: TsaOption = None,
    after: Annotated[
        str, typer.Option(help="The bundle must follow this one: SEQUENCE:DIGEST.", metavar="N:SHA256")
    ] = "",
    sample: Annotated[
        int, typer.Option(min=0, help="Draw so many balances for testing; --rpc asks for those alone.")
    ] = 0,
    seed: Annotated[str, typer.Option(help="What the draw follows from, besides the bundle.")] = "",
    diff: Annotated[
        Path | None,
        typer.Option(help="An earlier bundle of the firm: show what changed since.", metavar="OLD"),
    ] = None,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Write the auditor's report: .html, or .pdf.", metavar="FILE"),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="The profile you asked for: full, pseudonymous or client.", metavar="PROFILE")
    ] = "",
    views: Annotated[
        Path | None,
        typer.Option(help="Write tables (CSV, Data Package) to a new folder; or compare one.", metavar="FOLDER"),
    ] = None,
    openings: Annotated[
        list[Path] | None,
        typer.Option(help="What the firm opened of what the bundle commits to; can be repeated.", metavar="FILE"),
    ] = None,
    checkpoint: Annotated[
        str,
        typer.Option(help="A Bitcoin block that you know, to be found in the headers.", metavar="HEIGHT:HASH"),
    ] = "",
    judged_at: Annotated[
        str, typer.Option(help="Moment at which to judge the keys' expiry, instead of now.", metavar="TIME")
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Verify a bundle: numbered, named checks, offline; with --rpc also against your own node.

    Needs neither the firm's database nor its configuration. Exit code 0: verified. 1: refused. 2: could not
    check.

    Checks that rest on what a bundle withholds are not made, and then it is not verified (2), unless you say with
    --profile that you asked for no more. A bundle of another profile than that is not verified either.

    With --views its records become tables for spreadsheets and data tools. Where the folder is there already, it is
    compared: one that does not say what the bundle says is a contradiction.

    With --openings what the firm showed you of what the bundle only commits to is compared with the commitment, and
    the checks that rest on it are made.

    With --checkpoint a Bitcoin block that you looked up elsewhere must stand among the bundle's headers.

    With --diff the earlier bundle is verified too, by the same keys. A change is no contradiction; a second bundle
    of one number, another firm or a shorter journal is one.

    Example: custody verify audit.zip --trusted-keys trusted-keys.json --rpc eip155:1=https://my-node.example
    """
    from exports.checkpoints import Checkpoint
    from exports.holding_sample import SampleRequest
    from exports.keys import load_trusted_keys
    from exports.openings import read_opening
    from exports.profiles import Profile
    from exports.timestamps import load_certificates
    from exports.verify import verify_bundle

    with typed():
        known = Checkpoint.parse(checkpoint) if checkpoint else None
    if bool(sample) != bool(seed):
        raise InputError("--sample and --seed go together: choose the seed yourself, after the bundle was made")
    request = SampleRequest(sample, seed) if sample else None
    if profile and profile not in list(Profile):
        raise InputError(f"{profile!r} is no profile: give full, pseudonymous or client")
    expected = Profile(profile) if profile else None
    if report_file is not None:
        _can_be_written(report_file)
    if views is not None and views.exists() and not views.is_dir():
        raise InputError(f"{views.name} is no folder")
    moment = moment_of(judged_at, now())
    kept: list[Contents] = []
    readers = dict(node_of(text) for text in rpc or ())
    keys = load_trusted_keys(trusted_keys)
    opened = [read_opening(each) for each in openings or ()]
    with output.progress("verifying", None, quiet=as_json):
        report = verify_bundle(
            file,
            keys,
            now=moment,
            readers=readers,
            after=_after(after),
            also_required=require_role or (),
            tsa_certificates=load_certificates(tsa_certificate) if tsa_certificate is not None else (),
            sample=request,
            expected=expected,
            keep=kept.append,
            openings=opened,
            checkpoint=known,
        )
        compared = _compared(file, diff, keys, moment, expected) if diff is not None else None
        differing = _views(views, kept[0]) if views is not None and kept else []
    if as_json:
        told = report.to_dict()
        if compared:
            told |= compared.to_dict()
            told["exit_code"] = _worst(report.exit_code, compared.exit_code)
        if views is not None and kept:
            told["views"] = {"folder": str(views), "problems": differing}
            told["exit_code"] = 1 if differing else told["exit_code"]
        output.emit_json(told)
    else:
        show_report(report)
        if compared:
            compared.show()
        if views is not None and kept:
            whole = "[green]says what the bundle says[/green]" if not differing else "[bold red]does not[/bold red]"
            output.say(f"\nTables in {output.clean(views)}: {whole}")
            for problem in differing:
                output.say(f"  {output.clean(problem)}")
    if not kept and (report_file is not None or views is not None):
        output.err().print("Nothing was written: the bundle's records could not be read.")
    elif report_file is not None:
        _write_report(report_file, kept[0], report, quiet=as_json)
    return _worst(report.exit_code, compared.exit_code if compared else 0, 1 if differing else 0)


@command
def journal_verify(
    ctx: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(help="An entry that was written down elsewhere; can be repeated.", metavar="N:SHA256"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Recompute every entry and every row it speaks of; find the first broken link.

    That the newest entries are missing altogether cannot be seen from the database alone. Give an entry that
    left the house with --head: every bundle's manifest names one, and this command prints the newest. The one that
    was noted at the last export or backup is always looked for.

    Example: custody journal verify --head 18:029b5b5afdbaf31088bb23189f8abf134bce92a3e68aeefb79022a9ff9a74e6a
    """
    from verifier.journal import verify_journal
    from verifier.known_head import HeadFile

    settings = settings_of(ctx)
    named = dict(known for text in head or () if (known := _after(text)) is not None)
    with opened_store(settings, check_head=False) as store:
        if noted := HeadFile.of(settings).read_for(store):
            named.setdefault(noted.sequence, noted.entry_digest)
        newest = store.head()
        issued = {bundle.head.sequence: bundle.head.entry_digest for bundle in store.bundles()}
        length = newest.sequence if newest is not None else 0
        with output.progress("verifying the journal", length, quiet=as_json) as advance:
            report = verify_journal(store, known_heads=issued | named, progress=advance)
    if as_json:
        output.emit_json(report.to_dict())
    elif not report.ok:
        output.say(f"[bold red]broken[/bold red] at entry {report.first_broken}: {output.clean(report.reason)}")
    elif report.head is None:
        output.say("[yellow]empty[/yellow]: there is no entry to verify")
    else:
        sequence, digest = report.head
        output.say(f"[green]intact[/green]: {report.entries:,} entries and {report.rows:,} rows")
        output.say(f"  entry {sequence} is {digest}")
    if not report.ok:
        return 1
    return output.EXIT_OK if report.entries else output.EXIT_NOT_CHECKED


@command
def journal_export(
    ctx: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", help="Where to write it: one entry a line.", metavar="FILE")],
    as_json: JsonOption = False,
) -> int:
    """Write the journal as a file of lines (JSONL) that can be checked without the database.

    Example: custody journal export --out journal.jsonl
    """
    from verifier.journal_file import check_file, export_lines

    if not out_file.parent.is_dir() or out_file.exists():
        what = "exists already" if out_file.exists() else "is in no folder that exists"
        raise InputError(f"{out_file.name} {what}", advice="Name a new file in a folder that exists.")
    beside = out_file.with_name(out_file.name + ".part")
    with opened_store(settings_of(ctx)) as store, beside.open("wb") as written:
        for line in export_lines(store):
            written.write(line)
    with beside.open("rb") as again:
        report = check_file(again)
    if not report.ok:
        beside.unlink()
        raise JournalBroken(report.problem)
    beside.replace(out_file)
    return _said_of_file(report, as_json=as_json)


@command
def journal_check(
    file: Annotated[Path, typer.Argument(help="A file that `journal export` wrote.", metavar="FILE")],
    after: Annotated[
        list[str] | None,
        typer.Option("--known", help="A head written elsewhere; may be repeated.", metavar="SEQUENCE:DIGEST"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check an exported journal without database or configuration.

    Exit code 0: every digest and link fits. 1: something was changed or left out. 2: there is no entry.

    Example: custody journal check journal.jsonl
    """
    from verifier.journal_file import check_file

    known = dict(found for text in after or [] if (found := _after(text)) is not None)
    try:
        with file.open("rb") as opened:
            return _said_of_file(check_file(opened, known), as_json=as_json)
    except OSError as error:
        raise InputError(f"{file.name} cannot be read ({error.strerror})") from None


@command
def journal_show(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Most entries to show, the newest.")] = 30,
    as_json: JsonOption = False,
) -> int:
    """Show the newest entries of the journal.

    Example: custody journal show --limit 5
    """
    from verifier.store.journal_view import newest_entries

    with opened_store(settings_of(ctx)) as store:
        entries = newest_entries(store, limit)
    if as_json:
        output.emit_json({"entries": [entry.to_dict() for entry in entries]})
    else:
        rows = [[output.short(cell) for cell in entry.cells()] for entry in entries]
        columns = ["entry", "when", "who", "from", "what", "rows", "payload"]
        folded = ["who", "from", "what", "rows", "payload"]
        output.out().print(output.table("journal, times in UTC", columns, rows, ["entry"], folded))
    return output.EXIT_OK


@dataclass(frozen=True, slots=True)
class _Compared:
    """An earlier bundle, and what changed since; nothing changed that could be told where one could not be read."""

    older: VerificationReport
    difference: Difference | None

    @property
    def exit_code(self) -> int:
        """1 for a contradiction, 2 where nothing could be compared."""
        told = 2 if self.difference is None else 1 if self.difference.problems else 0
        return _worst(self.older.exit_code, told)

    def to_dict(self) -> dict[str, object]:
        return {
            "older": self.older.to_dict(),
            "difference": self.difference.to_dict() if self.difference else None,
            "exit_code": self.exit_code,
        }

    def show(self) -> None:
        from exports.difference import difference_lines
        from exports.report import verdict_line

        output.say(f"\nThe earlier bundle by itself: {output.clean(verdict_line(self.older))}")
        if self.difference is None:
            output.say("[bold yellow]Not compared[/bold yellow]: the records of one of the two could not be read.")
        else:
            for line in difference_lines(self.difference):
                output.say(output.clean(line))


REPORT_SUFFIXES = (".html", ".pdf")


def _said_of_file(report: JournalFileReport, *, as_json: bool) -> int:
    """Say what the check of a journal file found; its exit code."""
    if as_json:
        output.emit_json(
            {
                "intact": report.ok,
                "entries": report.entries,
                "head": {"sequence": report.head[0], "entry_digest": report.head[1]} if report.head else None,
                "problem": report.problem or None,
            }
        )
    elif report.problem:
        output.say(f"[bold red]broken[/bold red] {output.clean(report.problem)}")
    elif report.head is None:
        output.say("[yellow]empty[/yellow]: there is no entry")
    else:
        output.say(f"[green]intact[/green]: {report.entries:,} entries; entry {report.head[0]} is {report.head[1]}")
    if report.problem:
        return output.EXIT_CONTRADICTED
    return output.EXIT_OK if report.entries else output.EXIT_NOT_CHECKED


def _can_be_written(file: Path) -> None:
    if file.suffix.lower() not in REPORT_SUFFIXES:
        raise InputError(f"{file.name} is neither .html nor .pdf")
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}")


def _write_report(file: Path, contents: Contents, report: VerificationReport, *, quiet: bool) -> None:
    """The auditor's report on what was verified, replacing one of the same name only as a whole."""
    from exports.audit_report import audit_report_html, audit_report_pdf

    with output.progress("writing the report", None, quiet=quiet):
        content = audit_report_html(contents, report)
        if file.suffix.lower() == ".pdf":
            content = audit_report_pdf(content)
    beside = file.with_name(file.name + ".part")
    beside.write_bytes(content)
    beside.replace(file)
    if not quiet:
        output.say(f"\n[green]written[/green] {output.clean(file)}: {len(content):,} bytes")


def _views(folder: Path, contents: Contents) -> list[str]:
    """Write the tables of what was verified into a new folder, or what is wrong with one that is there."""
    from exports.views import view_files, view_problems

    if folder.exists():
        return list(view_problems(folder, contents))
    files = view_files(contents)
    folder.mkdir(mode=0o700, parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return []


def _compared(file: Path, older: Path, keys: TrustedKeys, moment: datetime, expected: Profile | None) -> _Compared:
    from exports.difference import difference
    from exports.verify import verified_contents

    report, before = verified_contents(older, keys, now=moment, expected=expected)
    _, after = verified_contents(file, keys, now=moment)
    return _Compared(report, difference(before, after) if before and after else None)


def _worst(*exit_codes: int) -> int:
    return 1 if 1 in exit_codes else max(exit_codes)


def _since(text: str) -> dict[str, int]:
    if not text:
        return {}
    chain, _, height = text.rpartition("=")
    if not chain or not (height.isascii() and height.isdigit()):
        raise InputError(f"{text!r} is not CHAIN=HEIGHT")
    return {chain: int(height)}


def _after(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    sequence, _, digest = text.partition(":")
    is_digest = len(digest) == 64 and set(digest.lower()) <= set("0123456789abcdef")
    if not (sequence.isascii() and sequence.isdigit() and is_digest):
        raise InputError(f"{text!r} is not SEQUENCE:DIGEST, a number and 64 hex digits")
    return int(sequence), digest.lower()


def node_of(text: str) -> tuple[ChainId, Callable[[], ChainReader]]:
    """The reader's own node, given as CHAIN=URL. Raises `InputError`, which repeats nothing of it."""
    from chains.errors import InvalidValue
    from chains.registry import plugin_for
    from chains.types import parse_chain_id
    from verifier.readers import auditor_node

    chain, _, url = text.partition("=")
    try:
        chain_id = parse_chain_id(chain)
    except InvalidValue:
        url = ""
    if not url:
        # Nothing of it is repeated: without the chain in front it is all URL, and that may hold a key.
        raise InputError("what --rpc was given is not CHAIN=URL, such as eip155:1=https://your-node.example")
    plugin = plugin_for(chain_id)
    config, node = auditor_node(chain_id, url)
    return chain_id, lambda: plugin.open(config, node)


def show_report(report: VerificationReport) -> None:
    """Print a verification report, coloured."""
    from exports.report import report_text

    colours = {"  FAILED ": "bold red", "  passed ": "green", "  not possible ": "yellow", "  not requested ": "dim"}
    for line in report_text(report).splitlines():
        colour = next((colour for word, colour in colours.items() if word in line[:20]), "")
        if line.startswith(("VERIFIED", "REFUSED", "NOT VERIFIED")):
            colour = {"V": "bold green", "R": "bold red"}.get(line[0], "bold yellow")
        shown = output.clean(line)
        output.say(f"[{colour}]{shown}[/{colour}]" if colour else shown)

"""`custody verify`: what an outsider checks of a bundle, with keys of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now
from verifier.cli.typed import moment_of, numbered_digest, typed
from verifier.errors import InputError

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

TsaOption = Annotated[
    Path | None,
    typer.Option(
        "--tsa-certificate", help="Root certificate (PEM) of a time-stamp authority you trust.", metavar="FILE"
    ),
]
REPORT_SUFFIXES: Final = (".html", ".pdf")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


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
            after=numbered_digest(after),
            also_required=require_role or (),
            tsa_certificates=load_certificates(tsa_certificate) if tsa_certificate is not None else (),
            sample=request,
            expected=expected,
            keep=kept.append,
            openings=opened,
            checkpoint=known,
        )
        compared = _compared(file, diff, keys, moment, expected) if diff is not None else None
        tables = _Tables(views, _views(views, kept[0])) if views is not None and kept else None
    found = _Found(report, compared, tables)
    if as_json:
        output.emit_json(found.to_dict())
    else:
        found.show()
    if not kept and (report_file is not None or views is not None):
        output.err().print("Nothing was written: the bundle's records could not be read.")
    elif report_file is not None:
        _write_report(report_file, kept[0], report, quiet=as_json)
    return found.exit_code


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


@dataclass(frozen=True, slots=True)
class _Tables:
    """The folder of tables, and where one that was there says something else."""

    folder: Path
    problems: list[str]

    def show(self) -> None:
        whole = "[bold red]does not[/bold red]" if self.problems else "[green]says what the bundle says[/green]"
        output.say(f"\nTables in {output.clean(self.folder)}: {whole}")
        for problem in self.problems:
            output.say(f"  {output.clean(problem)}")


@dataclass(frozen=True, slots=True)
class _Found:
    """All that was asked for of one bundle."""

    report: VerificationReport
    compared: _Compared | None
    tables: _Tables | None

    @property
    def exit_code(self) -> int:
        differs = self.tables is not None and bool(self.tables.problems)
        return _worst(self.report.exit_code, self.compared.exit_code if self.compared else 0, 1 if differs else 0)

    def to_dict(self) -> dict[str, object]:
        told = self.report.to_dict() | (self.compared.to_dict() if self.compared else {})
        if self.tables is not None:
            told["views"] = {"folder": str(self.tables.folder), "problems": self.tables.problems}
        return told | {"exit_code": self.exit_code}

    def show(self) -> None:
        show_report(self.report)
        if self.compared is not None:
            self.compared.show()
        if self.tables is not None:
            self.tables.show()


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

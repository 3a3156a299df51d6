"""Others' evidence in a bundle, and check 30: what is said of it is what its own signatures show. Pure.

An amount in it is `stated`, or `read` where the firm's node said the same; it is never `proven`, and none of it counts
in any balance of the bundle.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from chains.bitcoin.psbt import PSBT_MAGIC
from chains.bitcoin.script_engine import ScriptEngineMissing
from chains.errors import ChainError, InvalidValue
from chains.types import ChainId
from exports.canonical import canonical_json, parse_canonical
from exports.codec import Digest, PlainText, from_object, to_object
from exports.contents import Contents
from exports.errors import BundleError
from exports.outside_judging import (
    SIGNED,
    Ask,
    Control,
    Holding,
    JudgedLine,
    judge_control,
    judge_line,
    nobody_asked,
    read_bip127,
)
from exports.outside_kinds import EvidenceKind
from exports.outside_lists import OutsideLine, OutsideList, read_outside_list
from exports.outside_records import ImportedEvidenceRecord
from exports.proof_file import coins_of_lines, judge_proof_file, read_coins
from exports.verdict import Outcome

FORMAT: Final = "custody-outside-evidence/1"
PSBT: Final = "psbt"
PROOF_FILE: Final = "proof-file"
PROOF_FILE_BEGINS: Final = b"\x08"
"""The first byte of a proof file: the tag of its version. No base64 begins so."""
BIP127_SHOWN: Final = f"bip127: {SIGNED}"


@dataclass(frozen=True, slots=True)
class OutsideDocument:
    """Somebody else's evidence as it was taken: every line with what it is worth."""

    format: PlainText
    kind: EvidenceKind
    layout: PlainText
    source: PlainText
    """Whose it is, as the person who imported it says."""
    chain_id: PlainText
    """Said by the person who imported it; empty where the file says it itself."""
    file_sha256: Digest
    lines: tuple[JudgedLine, ...]

    def to_bytes(self) -> bytes:
        """The canonical text."""
        return canonical_json(to_object(self))


def document_of(text: str) -> OutsideDocument:
    """A document from its canonical text. Raises `BundleError`."""
    return from_object(OutsideDocument, parse_canonical(text.encode()))


def take_list(
    data: bytes, source: str, chain_id: ChainId | None, ask: Ask = nobody_asked
) -> OutsideList | OutsideDocument:
    """A file with lines: its document, or the list with its problems."""
    found = read_outside_list(data, chain_id)
    if found.problems:
        return found
    lines = tuple(judge_line(line, ask) for line in found.lines)
    return _document(EvidenceKind.LIST, found.layout, source, chain_id or "", data, lines)


def take_bip127(
    data: bytes, source: str, chain_id: ChainId, message: str, coins: bytes | None = None
) -> OutsideDocument:
    """A finalized PSBT or a proof file by BIP-127, binary or base64.

    `coins` is a list of what a proof file spends (`exports.proof_file.read_coins`); a PSBT says it itself. Raises
    `InvalidValue` for a PSBT that does not show every coin under control, and a proof file in which something is wrong.
    """
    is_binary = data.startswith((PSBT_MAGIC, PROOF_FILE_BEGINS))
    raw = data if is_binary else _base64(data)
    if raw.startswith(PSBT_MAGIC):
        if coins is not None:
            raise InvalidValue("a PSBT says itself what its coins are; give no list of them")
        lines = tuple(_paper_line(line) for line in read_bip127(raw, chain_id, message))
        return _document(EvidenceKind.BIP127, PSBT, source, chain_id, data, lines)
    given = read_coins(coins, chain_id) if coins is not None else {}
    lines = tuple(judge_proof_file(raw, chain_id, message, given))
    return _document(EvidenceKind.BIP127, PROOF_FILE, source, chain_id, data, lines)


def _base64(data: bytes) -> bytes:
    try:
        return base64.b64decode(data.strip(), validate=True)
    except ValueError:
        raise InvalidValue("it is no PSBT and no proof file: neither its bytes nor base64") from None


def _paper_line(line: OutsideLine) -> JudgedLine:
    judged = judge_line(replace(line, signatures=()))
    return replace(judged, signatures=line.signatures, control=Control.SHOWN, control_reason=BIP127_SHOWN)


def _document(
    kind: EvidenceKind, layout: str, source: str, chain_id: str, data: bytes, lines: tuple[JudgedLine, ...]
) -> OutsideDocument:
    return OutsideDocument(FORMAT, kind, layout, source, chain_id, hashlib.sha256(data).hexdigest(), lines)


def check_imported(contents: Contents) -> Outcome | None:
    """30: each document has its digest, and every line's control is what its signature shows.

    None when the bundle has none. What needs a library that is not installed is an obstacle.
    """
    records = contents.imported_evidence
    if not records:
        return None
    compared, problems, obstacles = 0, [], []
    for name, count in Counter(each.evidence_id for each in records).items():
        if count > 1:
            problems.append(f"{name} stands {count} times")
    counts: Counter[Control] = Counter()
    for record in records:
        if record.recorded_at > contents.manifest.created_at:
            problems.append(f"{record.evidence_id}: it was taken after the bundle was made")
        try:
            document = document_of(record.document)
            compared += len(document.lines)
            counts.update(line.control for line in document.lines)
            problems += [f"{record.evidence_id}: {each}" for each in _document_problems(record, document)]
        except ScriptEngineMissing as error:
            obstacles.append(f"{record.evidence_id}: {error}. {error.advice}")
        except (BundleError, ChainError) as error:
            problems.append(f"{record.evidence_id}: {error}")
    note = f"{counts[Control.SHOWN]} lines with control shown at some time, {counts[Control.REFUSED]} refused, "
    note += f"{counts[Control.NOT_JUDGED]} not judged; amounts are others' word, and count in no balance"
    return Outcome(compared, problems, obstacles, note)


def _document_problems(record: ImportedEvidenceRecord, document: OutsideDocument) -> Iterator[str]:
    if hashlib.sha256(record.document.encode()).hexdigest() != record.digest:
        yield "the digest is not that of the document"
    if document.format != FORMAT or document.kind != record.kind:
        yield "it is no document of this version and kind"
    if not document.lines:
        yield "it has no line"
    if document.kind is EvidenceKind.BIP127:
        yield from _paper_problems(document)
        return
    for line in document.lines:
        yield from _holding_problems(line)
        control, reason = judge_control(line)
        if (
            control is Control.NOT_JUDGED
            and reason.startswith(ScriptEngineMissing.code)
            and line.control is not control
        ):
            raise ScriptEngineMissing("signatures of Bitcoin scripts were not judged")
        if control is not line.control:
            yield f"line {line.line}: control is called {line.control}, and is {control}: {reason}"


def _paper_problems(document: OutsideDocument) -> Iterator[str]:
    first = document.lines[0] if document.lines else None
    if first is None or len(first.signatures) != 1:
        raise InvalidValue("it does not hold its PSBT or proof file")
    chain_id = ChainId(document.chain_id)
    data = base64.b64decode(first.signatures[0], validate=True)
    if document.layout == PROOF_FILE:
        coins = coins_of_lines(document.lines, chain_id)
        if tuple(judge_proof_file(data, chain_id, first.message, coins)) != document.lines:
            yield "its lines are not the coins of its proof file"
        return
    again = tuple(_paper_line(line) for line in read_bip127(data, chain_id, first.message))
    if again != document.lines:
        yield "its lines are not the coins of its PSBT"


def _holding_problems(line: JudgedLine) -> Iterator[str]:
    if (line.holding is Holding.NONE) != (not line.amount):
        yield f"line {line.line}: an amount, and nothing else, is read or stated"
    if line.holding in (Holding.READ, Holding.DIFFERS) and (line.height is None or not line.holding_reason):
        yield f"line {line.line}: a node said it, at no height or by no name"

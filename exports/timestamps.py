"""Time stamps (RFC 3161) over a bundle's digest: what they show, verified offline with certificates the reader gives.

A stamp is the whole answer of a time-stamp authority, in a member named by its own SHA-256. It shows that the manifest,
and so all it commits to, existed at a moment; nothing about who signed it, or whether it is true. The library that
reads them comes with the extra `timestamps`; without it a bundle with stamps is verified, and its stamps are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exports.errors import TimeStampInvalid
from exports.manifest import digest_hex
from exports.verdict import Outcome

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import Accuracy, TimeStampResponse

SHA256_OID: Final = "2.16.840.1.101.3.4.2.1"
STAMPS_MAX: Final = 16
STAMP_BYTES_MAX: Final = 256 * 1024
CERTIFICATES_BYTES_MAX: Final = 1024 * 1024
CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far the clocks of a firm, an authority and a reader may lie apart."""
NEEDS: Final = "needs a library that is not installed: install custody-verifier[timestamps]"


@dataclass(frozen=True, slots=True)
class StampVerdict:
    """What the time stamps of a bundle show."""

    outcome: Outcome | None
    """None when there is nothing to ask for: no stamp, or no authority's certificate was given."""
    reason: str
    """Why nothing was asked."""
    stamped_at: datetime | None
    """Earliest moment at which a verified stamp shows the bundle to have existed, its inaccuracy added."""


@dataclass(frozen=True, slots=True)
class StampRequest:
    """What an authority is asked, and what its answer must repeat."""

    body: bytes
    """The request in DER."""
    digest: str
    nonce: int


def judge_stamps(
    digest: str,
    stamps: Mapping[str, bytes],
    certificates: Sequence[Certificate],
    *,
    created_at: datetime,
    now: datetime,
) -> StampVerdict:
    """Hold the stamps (by member name) against the bundle's digest and the certificates of authorities.

    A stamp of something else fails, and so does one that a given authority should have made and did not. One by another
    authority is named and not counted; when no stamp counts, the check is not possible. Without certificates only what
    can be seen without them is looked at.
    """
    if not stamps:
        missing = Outcome(0, obstacles=["the bundle has no time stamp"]) if certificates else None
        return StampVerdict(missing, "the bundle has no time stamp", None)
    if len(stamps) > STAMPS_MAX:
        return StampVerdict(Outcome(0, [f"{len(stamps)} time stamps; at most {STAMPS_MAX} are read"]), "", None)
    if not _is_installed():
        outcome = Outcome(0, obstacles=[f"a time stamp {NEEDS}"]) if certificates else None
        return StampVerdict(outcome, f"reading a time stamp {NEEDS}", None)
    problems, others, shown = [], [], []
    moments: list[datetime] = []
    for name, data in sorted(stamps.items()):
        short = name.rpartition("/")[2][:12]
        try:
            response = _decoded(data)
            _require_digest(response, digest)
            if not certificates:
                continue
            authority = _verified(response, digest, certificates)
            moment = _moment(response)
            _require_in_order(moment, created_at, now)
        except TimeStampInvalid as error:
            problems.append(f"time stamp {short}: {error}")
            continue
        if authority is None:
            others.append(f"time stamp {short} is by an authority whose certificate was not given")
        else:
            moments.append(moment)
            shown.append(f"{moment.isoformat()} by {authority}")
    if problems:
        return StampVerdict(Outcome(len(stamps), problems), "", None)
    if not certificates:
        return StampVerdict(None, f"{len(stamps)} time stamps; no certificate of their authority was given", None)
    obstacles = others if not moments else []
    note = "; ".join([*shown, *(f"not counted: {text}" for text in others)])
    return StampVerdict(Outcome(len(moments), (), obstacles, note), "", min(moments, default=None))


def stamp_request(manifest: bytes) -> StampRequest:
    """A request for a stamp over a bundle's manifest. Raises `TimeStampInvalid` when the library is not installed."""
    if not _is_installed():
        raise TimeStampInvalid(f"a time stamp {NEEDS}")
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(manifest).hash_algorithm(HashAlgorithm.SHA256).build()
    assert request.nonce is not None
    return StampRequest(request.as_bytes(), digest_hex(manifest), request.nonce)


def accept_answer(request: StampRequest, answer: bytes, certificates: Sequence[Certificate], now: datetime) -> datetime:
    """The moment an authority's answer states, when it is a right answer to the request by an authority given.

    Raises `TimeStampInvalid`: nothing that a reader would refuse is put into a bundle.
    """
    response = _decoded(answer)
    _require_digest(response, request.digest)
    if response.tst_info.nonce != request.nonce:
        raise TimeStampInvalid("it answers another request")
    if _verified(response, request.digest, certificates) is None:
        raise TimeStampInvalid("it is by an authority whose certificate was not given")
    moment = _moment(response)
    _require_in_order(moment, now, now)
    return moment


def stamp_name(answer: bytes) -> str:
    """Name of the member that holds a stamp."""
    return f"timestamps/{digest_hex(answer)}.tsr"


def load_certificates(path: Path) -> list[Certificate]:
    """The root certificates (PEM) of authorities. Raises `TimeStampInvalid`."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        with path.open("rb") as file:
            data = file.read(CERTIFICATES_BYTES_MAX + 1)
        if len(data) > CERTIFICATES_BYTES_MAX:
            raise TimeStampInvalid(f"{path.name}: larger than {CERTIFICATES_BYTES_MAX} bytes")
        return load_pem_x509_certificates(data)
    except OSError as error:
        raise TimeStampInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    except ValueError as error:
        raise TimeStampInvalid(f"{path.name}: no certificate in PEM") from error


def _decoded(data: bytes) -> TimeStampResponse:
    from rfc3161_client import PKIStatus, decode_timestamp_response

    try:
        response = decode_timestamp_response(data)
        granted = PKIStatus(response.status) in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
        if granted:  # read now: what is malformed inside shows only when it is read
            _ = response.tst_info.message_imprint, response.signed_data.certificates, _moment(response)
    except Exception as error:  # hostile bytes raise errors of many kinds, of two libraries
        raise TimeStampInvalid("it is no answer of a time-stamp authority") from error
    if not granted:
        raise TimeStampInvalid("the authority refused the request")
    return response


def _require_digest(response: TimeStampResponse, digest: str) -> None:
    imprint = response.tst_info.message_imprint
    if imprint.hash_algorithm.dotted_string != SHA256_OID:
        raise TimeStampInvalid("it is not over a SHA-256")
    if imprint.message.hex() != digest:
        raise TimeStampInvalid("it stamps something else")


def _verified(response: TimeStampResponse, digest: str, certificates: Sequence[Certificate]) -> str | None:
    """Name of the authority that made it; None when it has nothing to do with the certificates that were given.

    The certificates need to be valid at the stamp's moment, not today. Raises `TimeStampInvalid` for a stamp that one
    of the given authorities should have made and did not.
    """
    from cryptography.x509 import load_der_x509_certificate
    from rfc3161_client import VerifierBuilder

    try:
        # A set that the library empties as it verifies, so it is read before.
        wanted = {(each.issuer, each.serial_number) for each in response.signed_data.signer_infos}
        inside = [load_der_x509_certificate(data) for data in response.signed_data.certificates]
        signer = next((each for each in inside if (each.issuer, each.serial_number) in wanted), None)
        named = {name for each in inside for name in (each.subject, each.issuer)}
    except Exception as error:  # hostile bytes raise errors of many kinds, of two libraries
        raise TimeStampInvalid("its certificates cannot be read") from error
    if signer is None:
        raise TimeStampInvalid("it does not hold the certificate of its signer")
    try:
        VerifierBuilder(roots=list(certificates)).build().verify(response, bytes.fromhex(digest))
    except Exception as error:
        if named.isdisjoint(certificate.subject for certificate in certificates):
            return None
        raise TimeStampInvalid("it does not verify with the authority's certificate") from error
    return signer.subject.rfc4514_string()[:200]


def _moment(response: TimeStampResponse) -> datetime:
    info = response.tst_info
    moment: datetime = info.gen_time
    moment = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    return moment + _inaccuracy(info.accuracy)


def _inaccuracy(stated: Accuracy | None) -> timedelta:
    """How much later the true moment may be; nothing when the authority does not say."""
    if stated is None:
        return timedelta()
    return timedelta(seconds=stated.seconds or 0, milliseconds=stated.millis or 0, microseconds=stated.micros or 0)


def _require_in_order(moment: datetime, created_at: datetime, now: datetime) -> None:
    if moment < created_at - CLOCKS_DIFFER:
        raise TimeStampInvalid("it is older than the bundle says it is itself")
    if moment > now + CLOCKS_DIFFER:
        raise TimeStampInvalid(f"it is of a later moment than the one it is judged at, {now.isoformat()}")


def _is_installed() -> bool:
    from importlib.util import find_spec

    return find_spec("rfc3161_client") is not None

"""What can go wrong with a bundle, its keys and its signatures.

    BundleError                  every error of this package; has a stable `code` and an `advice`
    ├── NotCanonical             bytes or a value that are not canonical JSON
    ├── RecordInvalid            a record breaks its schema or its own rule
    ├── ContainerInvalid         the file is not the one strict zip layout
    ├── ManifestInvalid          the manifest breaks its schema
    │   └── VersionUnknown       made by a newer format than this program knows
    ├── SignatureInvalid         an envelope is malformed or signs something else
    ├── TrustedKeysInvalid       the reader's own trusted-keys file cannot be used
    ├── KeyRefused               a private key file that must not be used
    ├── KeyListNotWritten        a list of trusted keys could not be written
    ├── SignerUnavailable        a signer gave no signature; nothing was published
    ├── TimeStampInvalid         a time stamp, or the certificates to judge one by, cannot be used
    ├── LiabilityInvalid         liabilities that no tree can commit to
    ├── StatementInvalid         the file is no inclusion statement that this program can read
    │   └── StatementRefused     it is one, and breaks its rules
    ├── OpeningInvalid           the file opens no commitment
    ├── ReportLibraryMissing     a library that only pages and reports need is not installed
    └── BundleNotWritten         the file could not be written and made durable

No text of these errors carries a URL or a secret.
"""

from __future__ import annotations


class BundleError(Exception):
    """Base of all errors of this package."""

    code = "bundle-error"
    """Stable name of the kind of error, for programs."""
    advice = "Look at the log for the cause."
    """One sentence on what a person can do."""


class NotCanonical(BundleError):
    """Bytes or a value that are not canonical JSON."""

    code = "not-canonical"
    advice = "The bytes were changed or made by another program; ask the maker for the original file."


class RecordInvalid(BundleError):
    """A record breaks its schema or its own rule."""

    code = "record-invalid"
    advice = "The record was changed or made by another program; docs/bundle-format.md has the schema."


class ContainerInvalid(BundleError):
    """The file is not the one strict zip layout a bundle has."""

    code = "container-invalid"
    advice = "The file was changed, cut or packed again; ask the maker for the original file."


class ManifestInvalid(BundleError):
    """The manifest breaks its schema."""

    code = "manifest-invalid"
    advice = "The manifest was changed or made by another program; docs/bundle-format.md has the schema."


class VersionUnknown(ManifestInvalid):
    """The bundle is of a format version this program does not know."""

    code = "bundle-version-unknown"
    advice = "Install the version of this program that knows the format, and verify again."


class SignatureInvalid(BundleError):
    """An envelope is malformed or signs something else."""

    code = "signature-invalid"
    advice = "Do not rely on this bundle; ask the maker for the original file and compare its digest."


class TrustedKeysInvalid(BundleError):
    """The reader's own trusted-keys file cannot be used."""

    code = "trusted-keys-invalid"
    advice = "Correct the trusted-keys file, or get the current one from the firm by a way you trust."


class KeyRefused(BundleError):
    """A private key file that must not be used."""

    code = "key-refused"
    advice = "Keep the private key in a file of your own with mode 0600, and give its right passphrase."


class KeyListNotWritten(BundleError):
    """A list of trusted keys could not be written, or another file is in its place."""

    code = "key-list-not-written"
    advice = "Name another file with --out, or make space."


class SignerUnavailable(BundleError):
    """A signer gave no signature; nothing was published."""

    code = "signer-unavailable"
    advice = "Bring the signer back and export again; the same state gives the same digest."


class TimeStampInvalid(BundleError):
    """A time stamp does not verify, or what is needed to judge one is not there."""

    code = "time-stamp-invalid"
    advice = "Name the authority's certificate, install what is named, or ask another authority."


class LiabilityInvalid(BundleError):
    """Liabilities that no tree can commit to: a negative amount, a sum beyond 256 bits, an owner given twice."""

    code = "liability-invalid"
    advice = "Look at the allocations of the asset; each owner's position stands once and is zero or more."


class DisclosureRefused(BundleError):
    """A bundle that shows less cannot be made without showing what it must not."""

    code = "disclosure-refused"
    advice = "Name no client in ids of pools, wallets or cases, and make it from the full bundle."


class StatementInvalid(BundleError):
    """The file is no inclusion statement that this program can read."""

    code = "statement-invalid"
    advice = "Ask the firm for the original file, or install the version of this program that knows its format."


class StatementRefused(StatementInvalid):
    """An inclusion statement that breaks its rules: it was changed, or made by another program."""

    code = "statement-refused"
    advice = "Do not rely on this statement; ask the firm for the original file."


class OpeningInvalid(BundleError):
    """The file opens no commitment: it cannot be read, or is something else."""

    code = "opening-invalid"
    advice = "Ask the firm for the original file that `custody disclose` made."


class BundleNotWritten(BundleError):
    """The file could not be written and made durable; there is a whole file, the old or the new, or none."""

    code = "bundle-not-written"
    advice = "Make space or correct the path, and export again."


class ReportLibraryMissing(BundleError):
    """A library that only pages and reports need is not installed."""

    code = "report-library-missing"
    advice = "Install custody-verifier[report]; verifying works without it."

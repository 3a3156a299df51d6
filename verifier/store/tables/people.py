"""The people who sign in: who they are and what they may do as records; secrets and sessions as what may be erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Field

from verifier.accounts.records import CredentialKind
from verifier.store.tables.base import DataRow, StoredRow, column, rules
from verifier.store.types import EnumText, Flag, UtcTime, Whole, Words


class PersonRow(DataRow, table=True):
    """A person: what maker and checker are told apart by, whatever they sign in with."""

    __tablename__ = "person"
    __table_args__ = rules(sa.UniqueConstraint("person_id"))

    person_id: str = column(Words())


class PersonStateRow(DataRow, table=True):
    """What a person is called and may do; the newest row counts."""

    __tablename__ = "person_state"
    __table_args__ = rules(sa.Index(None, "person_key"))

    person_key: int = column(Whole(), to="person.record_id")
    name: str = column(Words())
    roles: str = column(Words())
    """Sorted, in canonical JSON."""
    is_disabled: bool = column(Flag())


class LoginRow(DataRow, table=True):
    """A name that a person signs in under: their own, or the subject at an identity provider."""

    __tablename__ = "login"
    __table_args__ = rules(sa.Index(None, "issuer", "subject"), sa.Index(None, "person_key"))

    person_key: int = column(Whole(), to="person.record_id")
    issuer: str = column(Words())
    """Empty for a name with a password here."""
    subject: str = column(Words())


class LoginEndRow(DataRow, table=True):
    """A login that is not valid any more."""

    __tablename__ = "login_end"
    __table_args__ = rules(sa.UniqueConstraint("login_key"))

    login_key: int = column(Whole(), to="login.record_id")
    reason: str = column(Words())


class CredentialRow(DataRow, table=True):
    """What shows who somebody is. Never the secret: its digest, so that one put in its place is noticed."""

    __tablename__ = "credential"
    __table_args__ = rules(sa.Index(None, "person_key"), sa.Index(None, "digest"))

    person_key: int | None = column(Whole(), to="person.record_id")
    """NULL for the code that makes the first administrator."""
    login_key: int | None = column(Whole(), to="login.record_id")
    """Of a password: the name it belongs to."""
    kind: CredentialKind = column(EnumText(CredentialKind))
    label: str = column(Words())
    digest: str = column(Words())
    """SHA-256 of the secret, or of what is stored of it."""
    content: str = column(Words())
    """What is no secret, in canonical JSON: a passkey's public key, a token's scope."""
    expires_at: datetime | None = column(UtcTime())


class CredentialEndRow(DataRow, table=True):
    """A credential that is not valid any more: used up, exchanged or revoked. Once, so a code serves once."""

    __tablename__ = "credential_end"
    __table_args__ = rules(sa.UniqueConstraint("credential_key"))

    credential_key: int = column(Whole(), to="credential.record_id")
    reason: str = column(Words())


class AccountSecretRow(StoredRow, table=True):
    """What a sign-in is checked with. No record: it is erased with its credential, and its counter rises."""

    __tablename__ = "account_secret"
    __table_args__ = rules()

    credential_key: int = Field(
        primary_key=True,
        foreign_key="credential.record_id",
        sa_type=cast("Any", Whole()),
        sa_column_kwargs={"autoincrement": False},
    )
    secret: str = column(Words())
    """The password's Argon2 hash, or the secret of the six-digit codes; empty for a passkey."""
    counter: int = column(Whole())
    """The last time step or the signature counter that was used: what is not above it is a replay."""


class WebSessionRow(StoredRow, table=True):
    """Somebody who is signed in. No record: the journal tells when it began and how it ended."""

    __tablename__ = "web_session"
    __table_args__ = rules(sa.UniqueConstraint("session_key"), sa.Index(None, "person_key"))

    digest: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    """SHA-256 of the secret in the cookie."""
    session_key: str = column(Words())
    """Names it in the journal and on pages."""
    person_key: int = column(Whole(), to="person.record_id")
    method: str = column(Words())
    address: str = column(Words())
    agent: str = column(Words())
    created_at: datetime = column(UtcTime())
    used_at: datetime = column(UtcTime())
    """To the minute."""
    expires_at: datetime = column(UtcTime())


class WebTicketRow(StoredRow, table=True):
    """What is remembered between two steps of a sign-in, for some minutes, for one browser, to be used once."""

    __tablename__ = "web_ticket"
    __table_args__ = rules(sa.Index(None, "expires_at"))

    digest: str = Field(primary_key=True, sa_type=cast("Any", Words()))
    """SHA-256 of the ticket."""
    purpose: str = column(Words())
    browser: str = column(Words())
    """SHA-256 of the secret of the browser it was given to."""
    content: str = column(Words())
    """Canonical JSON."""
    expires_at: datetime = column(UtcTime())

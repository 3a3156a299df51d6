"""What a person may do: four roles, and the kinds of access that a page or an act asks for."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What the firm lets a person do. One person can have several; nobody approves what they made themselves."""

    OPERATOR = "operator"
    """Reads everything, works on cases, posts and proposes."""
    REVIEWER = "reviewer"
    """The chief compliance officer, or whom the firm names: approves or returns what another person proposed."""
    AUDITOR = "auditor"
    """Reads and exports everything, changes nothing."""
    ADMINISTRATOR = "administrator"
    """Looks after users and their roles; sees and changes no finding."""


class Access(StrEnum):
    """What a route demands of who asks. Every route names one; what names none cannot be added (row F5)."""

    PUBLIC = "public"
    """Anybody: the sign-in page, health, what a page is drawn with."""
    SIGNED_IN = "signed in"
    """Everybody who signed in, whatever their role: their own account, signing out."""
    READ = "read"
    """Whoever may see clients' assets, cases and computations."""
    MAKE = "make"
    """Whoever may post, propose, comment and assign."""
    CHECK = "check"
    """Whoever may approve or return what another person proposed."""
    EXPORT = "export"
    """Whoever may have bundles and reports made."""
    ADMINISTER = "administer"
    """Whoever looks after users."""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that have it; empty for `PUBLIC`, which asks for none."""
        return _ROLES[self]


_ROLES = {
    Access.PUBLIC: frozenset[Role](),
    Access.SIGNED_IN: frozenset(Role),
    Access.READ: frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR}),
    Access.MAKE: frozenset({Role.OPERATOR, Role.REVIEWER}),
    Access.CHECK: frozenset({Role.REVIEWER}),
    Access.EXPORT: frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR}),
    Access.ADMINISTER: frozenset({Role.ADMINISTRATOR}),
}

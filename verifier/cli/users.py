"""`custody users`: the people who sign in to the pages and the API.

Whoever can run these commands can make an administrator: they are for the operator of the system, who has the database
anyway. Every change is journalled with the name given by --actor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from chains.types import utc_text
from verifier.accounts.roles import Role
from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.store import Store

PersonArgument = Annotated[str, typer.Argument(help="Person id, as the journal names them, such as ops.maker.")]
RoleOption = Annotated[list[Role], typer.Option("--role", help="What they may do; may be given again.")]
LoginOption = Annotated[str, typer.Option(help="Name to sign in with; the person id without it.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the journal.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    users = typer.Typer(no_args_is_help=True, help="The people who sign in to the pages and the API.")
    app.add_typer(users, name="users")
    users.command("first-code")(first_code)
    users.command("list")(listed)
    users.command("add")(add)
    users.command("role")(role)
    users.command("disable")(disable)
    users.command("reset")(reset)
    users.command("bind")(bind)
    users.command("token")(token)
    users.command("revoke")(revoke)


@command
def first_code(ctx: typer.Context, actor: ActorOption = "operator", as_json: JsonOption = False) -> int:
    """Print the one-time code that makes the first administrator, at /welcome; there are no default accounts.

    Example: custody users first-code
    """
    from verifier.accounts import enrolment
    from verifier.accounts.records import By

    with opened_store(settings_of(ctx)) as store:
        code = enrolment.first_code(store, By(actor), now())
    _show_code(ctx, code, "valid for a day, once", as_json=as_json)
    return output.EXIT_OK


@command
def listed(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List everybody with their roles, logins and second factors.

    Example: custody users list
    """
    with opened_store(settings_of(ctx)) as store:
        people = [_shown(store, each.person_id) for each in store.people()]
    if as_json:
        output.emit_json({"people": people})
        return output.EXIT_OK
    rows = [
        (
            str(each["person_id"]),
            str(each["name"]),
            ", ".join(each["roles"]),
            ", ".join(each["logins"]),
            ", ".join(each["second_factors"]) or "none yet",
            "disabled" if each["is_disabled"] else "",
        )
        for each in people
    ]
    if rows:
        columns = ["person", "name", "roles", "signs in as", "second factor", ""]
        output.out().print(output.table(output.counted(len(rows), "person", "people"), columns, rows))
    else:
        output.say("Nobody yet: `custody users first-code` makes the first administrator.")
    return output.EXIT_OK


@command
def add(
    ctx: typer.Context,
    person: PersonArgument,
    role: RoleOption,
    name: Annotated[str, typer.Option(help="What they are called.")],
    login: LoginOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Add a person and print the one-time code with which they set up their sign-in.

    Example: custody users add ops.maker --name "Operations, maker" --role operator
    """
    from verifier.accounts import enrolment
    from verifier.accounts.records import By, checked_login, checked_name, checked_person_id

    name_in = checked_login(login or person)
    by, moment = By(actor), now()
    with opened_store(settings_of(ctx)) as store:
        store.add_person(checked_person_id(person), checked_name(name), frozenset(role), name_in, by, moment)
        code = enrolment.invite(store, person, name_in, by, moment)
    _show_code(ctx, code, "valid for three days, once", as_json=as_json)
    return output.EXIT_OK


@command
def role(
    ctx: typer.Context,
    person: PersonArgument,
    role: RoleOption,
    reason: ReasonOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Give a person other roles, in the place of those they have; they are signed out everywhere.

    Example: custody users role ops.maker --role operator --role reviewer
    """
    from verifier.accounts.records import By

    with opened_store(settings_of(ctx)) as store:
        store.change_person(person, By(actor), now(), roles=frozenset(role), reason=reason)
        _show_person(store, person, as_json=as_json)
    return output.EXIT_OK


@command
def disable(
    ctx: typer.Context,
    person: PersonArgument,
    reason: ReasonOption = "",
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Shut a person out: every session and token of theirs is refused from the next request on.

    Example: custody users disable ops.maker --reason "left the firm"
    """
    from verifier.accounts.records import By

    with opened_store(settings_of(ctx)) as store:
        store.change_person(person, By(actor), now(), is_disabled=not undo, reason=reason)
        _show_person(store, person, as_json=as_json)
    return output.EXIT_OK


@command
def reset(
    ctx: typer.Context,
    person: PersonArgument,
    login: LoginOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Take a person's password, second factors and tokens away, and print a one-time code to begin anew with.

    Example: custody users reset ops.maker
    """
    from verifier.accounts import enrolment
    from verifier.accounts.records import By

    with opened_store(settings_of(ctx)) as store:
        code = enrolment.reset(store, person, login or person, By(actor), now())
    _show_code(ctx, code, "valid for three days, once", as_json=as_json)
    return output.EXIT_OK


@command
def bind(
    ctx: typer.Context,
    person: PersonArgument,
    issuer: Annotated[str, typer.Option(help="Identity provider, as configured in [[web.oidc]].")] = "",
    subject: Annotated[str, typer.Option(help="Whom the provider names there: the claim `sub`.")] = "",
    login: Annotated[str, typer.Option(help="Another name to sign in with, in the place of both.")] = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Give a person another way to sign in. They stay one person: nobody approves their own under another name.

    Example: custody users bind ops.maker --issuer https://id.example.com --subject 00u1a2b3
    """
    from verifier.accounts import binding, enrolment
    from verifier.accounts.records import By, checked_login

    if bool(login) == bool(issuer and subject):
        raise InputError("give --issuer with --subject, or --login")
    settings, by, moment = settings_of(ctx), By(actor), now()
    with opened_store(settings) as store:
        if issuer:
            binding.bind(store, settings.web, person, issuer, subject, by, moment)
            _show_person(store, person, as_json=as_json)
            return output.EXIT_OK
        store.add_login(person, "", checked_login(login), by, moment)
        code = enrolment.invite(store, person, checked_login(login), by, moment)
    _show_code(ctx, code, "valid for three days, once", as_json=as_json)
    return output.EXIT_OK


@command
def token(
    ctx: typer.Context,
    person: PersonArgument,
    label: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="read, make or export; may be given again.")],
    days: Annotated[int, typer.Option(help="How long it is valid.")] = 90,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Print a new API token of a person. It is shown once, and sent as `Authorization: Bearer TOKEN`.

    Example: custody users token ops.feed --label "sub-ledger feed" --scope make
    """
    from verifier.accounts import tokens
    from verifier.accounts.records import By
    from verifier.accounts.roles import Access

    known = {each.value: each for each in Access}
    if unknown := [each for each in scope if each not in known]:
        raise InputError(f"there is no scope {unknown[0]}; there are {', '.join(s.value for s in tokens.SCOPES)}")
    wanted = frozenset(known[each] for each in scope)
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        made = tokens.issue(store, person, label, wanted, days, settings.web.token_days_max, By(actor), now())
    if as_json:
        output.emit_json({"token": made})
    else:
        output.say(f"[bold]{made}[/bold]")
        output.say("Shown once; only its digest is kept.")
    return output.EXIT_OK


@command
def revoke(
    ctx: typer.Context,
    person: PersonArgument,
    number: Annotated[int, typer.Argument(help="Number of the token, as `custody users list --json` shows.")],
    reason: ReasonOption = "revoked",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Revoke a token, or any other credential of a person.

    Example: custody users revoke ops.feed 12
    """
    from verifier.accounts.records import By

    with opened_store(settings_of(ctx)) as store:
        store.end_credential(number, person, reason, By(actor), now())
        _show_person(store, person, as_json=as_json)
    return output.EXIT_OK


def _show_code(ctx: typer.Context, code: str, lasts: str, *, as_json: bool) -> None:
    address = f"{settings_of(ctx).web.public_url or 'http://localhost:8000'}/welcome"
    if as_json:
        output.emit_json({"code": code, "address": address})
        return
    output.say(f"One-time code ({lasts}): [bold]{code}[/bold]")
    output.say(f"To be typed at {output.clean(address)}")


def _show_person(store: Store, person_id: str, *, as_json: bool) -> None:
    shown = _shown(store, person_id)
    if as_json:
        output.emit_json(shown)
        return
    state = "disabled" if shown["is_disabled"] else ", ".join(shown["roles"])
    output.say(f"{output.clean(person_id)}: {state}")


def _shown(store: Store, person_id: str) -> dict[str, Any]:
    """A person as programs are shown them."""
    from verifier.accounts.records import SECOND_FACTORS, CredentialKind

    person = store.person(person_id)
    if person is None:
        raise InputError(f"there is no person {person_id}")
    known = store.credentials(person_id)
    return {
        "person_id": person.person_id,
        "name": person.name,
        "roles": sorted(role.value for role in person.roles),
        "is_disabled": person.is_disabled,
        "logins": [each.subject + (f" at {each.issuer}" if each.issuer else "") for each in store.logins(person_id)],
        "second_factors": sorted({each.kind.value for each in known if each.kind in SECOND_FACTORS}),
        "tokens": [
            {
                "number": each.key,
                "label": each.label,
                "scope": each.content["scope"],
                "expires_at": utc_text(each.expires_at) if each.expires_at else None,
            }
            for each in known
            if each.kind is CredentialKind.TOKEN
        ],
        "changed_at": utc_text(person.changed_at),
    }

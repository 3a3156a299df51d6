"""What every command shares: the configuration, the store, the clock, and how an error becomes an exit code."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from chains.errors import ChainError
from exports.errors import BundleError
from exports.reserve.errors import ReserveError
from mapping.errors import MappingError
from verifier.cli import output
from verifier.config import Settings, load_settings
from verifier.errors import MissingExtra, VerifierError
from verifier.logs import configure_logs

if TYPE_CHECKING:
    from verifier.store import Store

P = ParamSpec("P")

SERVER_PARTS = frozenset(
    {"alembic", "apscheduler", "fastapi", "psycopg", "sqlalchemy", "sqlmodel", "starlette", "uvicorn"}
)
"""What the extra `server` brings. Commands import it when they run; one that is not there is named."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]
ActorOption = Annotated[
    str, typer.Option("--actor", envvar="CUSTODY_ACTOR", help="Who acts; written into the journal.", metavar="PERSON")
]


@dataclass(frozen=True, slots=True)
class Globals:
    """The options given before the command."""

    config: Path | None
    verbose: bool = False


def now() -> datetime:
    """The wall clock, in UTC. Only commands read it; everything below is told the time."""
    return datetime.now(UTC)


def settings_of(ctx: typer.Context) -> Settings:
    """The configuration the command runs with. From here on the log goes where it says."""
    settings = load_settings(config_of(ctx))
    given = ctx.find_root().obj
    configure_logs(settings.log, verbose=isinstance(given, Globals) and given.verbose)
    return settings


def config_of(ctx: typer.Context) -> Path | None:
    """The configuration file that was named before the command; None when none was."""
    given = ctx.find_root().obj
    return given.config if isinstance(given, Globals) else None


@contextlib.contextmanager
def opened_store(settings: Settings, *, check_head: bool = True, judging_as: str = "") -> Iterator[Store]:
    """The database of the configuration, its schema and journal head checked, also against the head known outside.

    `judging_as` is the actor of a command that judges: the policies are journalled where they changed, and
    `PoliciesNotApproved` is raised where they wait for another person.
    """
    from verifier.acting import prepare, terminal_origin
    from verifier.known_head import require_ready
    from verifier.policies import note_policies
    from verifier.store import open_store

    store = open_store(settings.database.url.get_secret_value())
    prepare(store, settings, terminal_origin())
    try:
        if check_head:
            require_ready(store, settings)
        else:
            store.require_schema()
        if judging_as:
            note_policies(store, settings, judging_as, now())
        yield store
    finally:
        store.close()


def command(function: Callable[P, int | None]) -> Callable[P, None]:
    """Turn a function that returns an exit code into a command; known errors end it with their code and advice."""
    return _command(function, lines=False)


def command_of_lines(function: Callable[P, int | None]) -> Callable[P, None]:
    """As `command`, for one that prints a line for each event: with --json its error is one line too."""
    return _command(function, lines=True)


def _command(function: Callable[P, int | None], *, lines: bool) -> Callable[P, None]:
    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        fail = functools.partial(output.fail, as_json=bool(kwargs.get("as_json", False)), lines=lines)
        try:
            exit_code = function(*args, **kwargs)
        except (VerifierError, ChainError, BundleError, MappingError, ReserveError) as error:
            fail(error.code, str(error), error.advice)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in SERVER_PARTS:
                raise
            missing = MissingExtra("server", f"the database (no module {error.name})")
            fail(missing.code, str(missing), missing.advice)
        except KeyboardInterrupt:
            fail("interrupted", "interrupted", "Nothing half-done was kept; run it again.")
        if exit_code:
            raise typer.Exit(exit_code)

    return wrapped

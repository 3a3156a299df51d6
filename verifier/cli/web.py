"""`custody web`: the pages and the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from verifier.cli import output
from verifier.cli.context import command, now, settings_of
from verifier.errors import InputError

SHUTDOWN_SECONDS: Final = 5
"""Open pages hold a stream of events open; they connect again to whatever comes up next."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    @command
    def web(
        ctx: typer.Context,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
        openapi: Annotated[
            Path | None,
            typer.Option("--openapi", help="Write the OpenAPI document of the API and serve nothing.", metavar="FILE"),
        ] = None,
    ) -> int:
        """Serve the pages and the HTTP API until Ctrl-C or SIGTERM.

        Speaks plain HTTP: put a proxy that ends TLS in front of it (docs/web.md), or listen on this machine only.

        Example: custody web --port 8000
        """
        if openapi is not None:
            return _write_document(openapi)
        import uvicorn

        from verifier.telemetry.serving import served
        from verifier.web.app import create_app

        settings = settings_of(ctx)
        application = create_app(settings, clock=now)
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            log_config=None,
            server_header=False,
            access_log=False,
            # What a stranger says of where they come from is not believed; the library would believe this machine.
            proxy_headers=bool(settings.web.trusted_proxies),
            forwarded_allow_ips=settings.web.trusted_proxies,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        with served(settings, now):
            uvicorn.Server(config).run()
        return output.EXIT_OK


def _write_document(target: Path) -> int:
    """The same document as `/api/v1/openapi.json`; needs neither configuration nor database."""
    import json

    from verifier.web.api.openapi import document

    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise InputError(f"{target.name} exists already; it was not overwritten") from None
    except OSError as error:
        raise InputError(f"{target.name} cannot be written: {error.strerror}") from None
    output.say(f"[green]written[/green] {output.clean(target)}")
    return output.EXIT_OK

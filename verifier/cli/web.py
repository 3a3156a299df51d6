"""`custody web`: the pages and the HTTP API."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import command, now, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    @command
    def web(
        ctx: typer.Context,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    ) -> int:
        """Serve the pages and the HTTP API until Ctrl-C or SIGTERM.

        Speaks plain HTTP: put a proxy that ends TLS in front of it (docs/web.md), or listen on this machine only.

        Example: custody web --port 8000
        """
        import uvicorn

        from verifier.telemetry.serving import served
        from verifier.web.app import create_app

        settings = settings_of(ctx)
        application = create_app(settings, clock=now)
        config = uvicorn.Config(
            application, host=host, port=port, log_config=None, server_header=False, access_log=False
        )
        with served(settings, now):
            uvicorn.Server(config).run()
        return output.EXIT_OK

"""`custody web`: the pages and the HTTP API."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command_of_lines, now, settings_of
from verifier.cli.typed import write_new
from verifier.errors import InputError

SHUTDOWN_SECONDS: Final = 5
"""Open pages hold a stream of events open; they connect again to whatever comes up next."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(web)


@command_of_lines
def web(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    openapi: Annotated[
        Path | None,
        typer.Option("--openapi", help="Write the OpenAPI document of the API and serve nothing.", metavar="FILE"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Serve the pages and the HTTP API until Ctrl-C or SIGTERM.

    Speaks plain HTTP: put a proxy that ends TLS in front of it (docs/web.md), or listen on this machine only.
    Says where it listens once it does; with --json as one line.

    Example: custody web --port 8000
    """
    if openapi is not None:
        return _write_document(openapi, as_json)
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
    with _listening(host, port) as listener, _quiet_signals(), served(settings, now):
        url = _url(listener)
        if as_json:
            sys.stdout.write(json.dumps({"listening": url}) + "\n")
            sys.stdout.flush()
        else:
            output.say(f"[green]listening[/green] at {url} (Ctrl-C ends it)")
        uvicorn.Server(config).run(sockets=[listener])
    return output.EXIT_OK


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the address. Raises `InputError` when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        advice = "Give another address or port: --host, --port; --port 0 takes a free one."
        raise InputError(f"cannot listen on {host} port {port}: {error.strerror or error}", advice=advice) from None
    with listener:
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """The server stops on SIGTERM and Ctrl-C, and then raises them once more; being told to stop is no failure."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_document(target: Path, as_json: bool) -> int:
    """The same document as `/api/v1/openapi.json`; needs neither configuration nor database."""
    from verifier.web.api.openapi import document

    write_new(target, (json.dumps(document(), indent=2, ensure_ascii=False) + "\n").encode())
    if as_json:
        output.emit_json({"written": str(target)})
    else:
        output.say(f"[green]written[/green] {output.clean(target)}")
    return output.EXIT_OK

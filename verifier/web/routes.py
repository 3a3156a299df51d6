"""Every router of the application, in the order in which paths are looked up."""

from __future__ import annotations

from verifier.web.api.all import api_routers
from verifier.web.pages import account, passkeys, provider, sign_in, users
from verifier.web.pages.dashboard import dashboard_routers
from verifier.web.routing import GuardedRouter


def routers() -> list[GuardedRouter]:
    """One per topic; a new topic is added here and nowhere else."""
    return [
        sign_in.router,
        provider.router,
        passkeys.router,
        account.router,
        users.router,
        *dashboard_routers(),
        *api_routers(),
    ]

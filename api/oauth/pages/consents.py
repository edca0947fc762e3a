"""`/oauth/consents`: what somebody has agreed that programs may do for them, and taking it back."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.pages.abilities import ABILITIES
from api.oauth.pages.forms import ForeignForm, Visit, submitted, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import TIMES, page
from api.oauth.pages.signing_in import call_of, sign_in, sign_in_page, sign_out
from itr.access.operations.consents import consents_of, withdraw_consent
from itr.errors import DomainError, NotFound
from itr.events.work import called_by


async def show(request: Request) -> Response:
    """List them, or ask for a name and password first."""
    return await _listed(await visited(request))


async def take(request: Request) -> Response:
    """Take a form of ours: sign in or out, withdraw."""
    visit = await visited(request)
    form: dict[str, str] = {}
    try:
        form = await submitted(visit)
        return await _taken(visit, form)
    except OAuth2Error:
        return await _listed(visit, ForeignForm())
    except DomainError as error:
        return await _listed(visit, error, form.get("email", ""))


async def _taken(visit: Visit, form: dict[str, str]) -> Response:
    if form.get("intent") == "sign-in":
        return await sign_in(visit, form)
    if form.get("intent") == "sign-out":
        return await sign_out(visit)
    if visit.session is None:
        return await _listed(visit)
    with called_by(call_of(visit)):
        await withdraw_consent(
            visit.session.actor, form.get("client_id", ""), now=surroundings(visit.request).now
        )
    return visit.remember(RedirectResponse(visit.request.url.path, 303))


async def _listed(visit: Visit, error: DomainError | None = None, email: str = "") -> Response:
    if visit.session is None:
        return sign_in_page(visit, error=error, email=email)
    agreed = await consents_of(visit.session.actor)
    response = page(
        visit.request,
        "consents",
        status=_status(error),
        policy=TIMES,
        error=error,
        agreed=agreed,
        abilities=ABILITIES,
        actor=visit.session.actor,
        form_token=visit.form_token,
    )
    return visit.remember(response)


def _status(error: DomainError | None) -> int:
    if error is None:
        return 200
    return 404 if isinstance(error, NotFound) else 403


ROUTES = [
    Route("/oauth/consents", at_issuer(show), methods=["GET"]),
    Route("/oauth/consents", take, methods=["POST"]),
]

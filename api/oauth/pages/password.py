"""`/oauth/password`: somebody changes their own password, knowing the old one."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.pages.federated_sign_in import NotOurs, ours
from api.oauth.pages.forms import ForeignForm, Visit, submitted, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import page
from api.oauth.pages.signing_in import call_of, sign_in, sign_in_page, sign_out
from itr.access.operations import passwords
from itr.errors import DomainError
from itr.events.work import called_by


async def show(request: Request) -> Response:
    """Ask for the old and the new one, or for a name and password first."""
    return _form(await visited(request))


async def take(request: Request) -> Response:
    """Take a form of ours: sign in or out, change the password."""
    visit = await visited(request)
    form: dict[str, str] = {}
    try:
        form = await submitted(visit)
        return await _taken(visit, form)
    except OAuth2Error:
        return _form(visit, ForeignForm())
    except DomainError as error:
        return _form(visit, error, form.get("email", ""))


async def _taken(visit: Visit, form: dict[str, str]) -> Response:
    intent, session = form.get("intent"), visit.session
    if intent == "sign-in":
        return await sign_in(visit, form)
    if intent == "sign-out":
        return await sign_out(visit)
    if session is None:
        return _form(visit)
    around = surroundings(visit.request)
    with called_by(call_of(visit)):
        secret = await passwords.change_password(
            session.actor,
            old=form.get("old", ""),
            new=form.get("new", ""),
            again=form.get("again", ""),
            address=around.address,
            now=around.now,
        )
    changed: Response = page(visit.request, "password_changed")
    if session.must_change_password and (back := _back(visit)):
        changed = RedirectResponse(back, status_code=303)
    return visit.remember(changed, session=secret)


def _back(visit: Visit) -> str:
    """The page of ours that somebody wanted before they had to change their password."""
    try:
        return ours(visit.request.query_params.get("next", ""))
    except NotOurs:
        return ""


def _form(visit: Visit, error: DomainError | None = None, email: str = "") -> Response:
    if visit.session is None:
        return sign_in_page(visit, error=error, email=email)
    response = page(
        visit.request,
        "password",
        status=200 if error is None else 422,
        error=error,
        actor=visit.session.actor,
        form_token=visit.form_token,
        must_change=visit.session.must_change_password,
    )
    return visit.remember(response)


ROUTES = [
    Route("/oauth/password", at_issuer(show), methods=["GET"]),
    Route("/oauth/password", take, methods=["POST"]),
]

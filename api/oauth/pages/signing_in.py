"""Signing in and out, on whatever page somebody is: the page comes back, and goes on."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from starlette.responses import RedirectResponse, Response

from api.oauth.endpoints import surroundings
from api.oauth.pages.forms import PASSWORD_PAGE, ForeignForm, Visit
from api.oauth.pages.rendering import page
from itr.access.operations import signing_in
from itr.access.operations.attempts import TooManyAttempts
from itr.actors.actor import SYSTEM
from itr.errors import DomainError
from itr.events.work import Call, called_by

_SATISFIED = {"login", "select_account"}
"""Prompts that signing in has answered; so has it how long ago that may be (`max_age`)."""


def sign_in_page(
    visit: Visit,
    *,
    client: str = "",
    leads_to: Iterable[str] = (),
    error: DomainError | None = None,
    email: str = "",
) -> Response:
    """The form; it is sent to the address it stands at, so there is nowhere else to be led."""
    response = page(
        visit.request,
        "sign_in",
        status=_status(error),
        leads_to=leads_to,
        form_token=visit.form_token,
        client=client,
        error=error,
        email=email,
        elsewhere=_issuers_offered(visit),
    )
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.facts["seconds"])
    return visit.remember(response)


async def sign_in(visit: Visit, form: dict[str, str]) -> Response:
    """Begin a session in the place of the last and show the same page again.

    Raises SignInFailed, TooManyAttempts.
    """
    around, name = surroundings(visit.request), form.get("email", "")
    with called_by(call_of(visit)):
        secret, _ = await signing_in.sign_in(
            name,
            form.get("password", ""),
            address=around.address,
            now=around.now,
            browser=visit.browser_of(name),
        )
    await end_earlier(visit)
    begun = await signing_in.session_of(secret, now=around.now)
    must_change = begun is not None and begun.must_change_password
    page_again = _change_first(visit) if must_change else _same_page(visit, signed_in=True)
    return visit.remember(page_again, session=secret, known_to=name)


async def sign_out(visit: Visit) -> Response:
    """End the session and show the same page again."""
    await end_earlier(visit)
    return visit.remember(_same_page(visit), session="")


async def end_earlier(visit: Visit) -> None:
    """End the session the browser has had so far."""
    if visit.session is not None:
        with called_by(call_of(visit)):
            await signing_in.sign_out(visit.session, now=surroundings(visit.request).now)


def call_of(visit: Visit) -> Call:
    """Where what this visit does comes from (S16)."""
    by = visit.session.actor.id if visit.session else SYSTEM.id
    return Call(actor_id=by, client_id="itr", address=visit.address)


def without_satisfied(path: str, query: str) -> str:
    """A page with its question, without what signing in has just answered."""
    asked = map(_once_signed_in, parse_qsl(query, keep_blank_values=True))
    kept = [pair for pair in asked if pair is not None]
    return f"{path}?{urlencode(kept)}" if kept else path


def _same_page(visit: Visit, *, signed_in: bool = False) -> Response:
    url = visit.request.url
    same = f"{url.path}?{url.query}" if url.query else url.path
    target = without_satisfied(url.path, url.query) if signed_in else same
    return RedirectResponse(target, status_code=303)


def _change_first(visit: Visit) -> Response:
    """To the page where the password is changed, which leads back to this one."""
    url = visit.request.url
    if url.path == PASSWORD_PAGE:
        return _same_page(visit)
    back = urlencode({"next": without_satisfied(url.path, url.query)})
    return RedirectResponse(f"{PASSWORD_PAGE}?{back}", status_code=303)


def _issuers_offered(visit: Visit) -> list[dict[str, str]]:
    """The issuers somebody can sign in at instead, each with the link that leads there."""
    url = visit.request.url
    back = urlencode({"next": f"{url.path}?{url.query}" if url.query else url.path})
    issuers = visit.request.app.state.services.issuers
    clients = [issuer_metadata.issuer.client for issuer_metadata in issuers.signing_in]
    return [
        {"href": f"/oauth/signin/{client.key}?{back}", "zh": client.zh, "en": client.en}
        for client in clients
    ]


def _once_signed_in(asked: tuple[str, str]) -> tuple[str, str] | None:
    """A parameter of the request as it stands after somebody has just signed in."""
    name, value = asked
    if name == "max_age":
        return None
    if name != "prompt":
        return asked
    left = [word for word in value.split() if word not in _SATISFIED]
    return (name, " ".join(left)) if left else None


def _status(error: DomainError | None) -> int:
    if error is None:
        return 200
    if isinstance(error, TooManyAttempts):
        return 429
    return 403 if isinstance(error, ForeignForm) else 422

"""`/device`: somebody lets a wallboard in by the code on its screen (RFC 8628)."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.pages.forms import ForeignForm, Visit, submitted, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import TIMES, page
from api.oauth.pages.signing_in import sign_in, sign_in_page, sign_out
from itr.access.operations import devices
from itr.access.operations.attempts import attempts_at_codes, count_attempt, forgive_attempts
from itr.access.operations.signing_in import SignedIn
from itr.access.rules import read_user_code, shown_user_code
from itr.errors import DomainError, Forbidden
from itr.events.work import Call, called_by


async def show(request: Request) -> Response:
    """Ask for the code, or for a name and password first."""
    visit = await visited(request)
    return _form(visit, code=request.query_params.get("user_code", "")[:20])


async def take(request: Request) -> Response:
    """Take a form of ours: sign in or out, look a code up, allow or deny."""
    visit = await visited(request)
    form: dict[str, str] = {}
    try:
        form = await submitted(visit)
        return await _taken(visit, form)
    except OAuth2Error:
        return _form(visit, error=ForeignForm())
    except DomainError as error:
        if visit.session is None:
            return sign_in_page(visit, error=error, email=form.get("email", ""))
        return _form(visit, error=error, code=form.get("user_code", "")[:20])


async def _taken(visit: Visit, form: dict[str, str]) -> Response:
    intent = form.get("intent")
    if intent == "sign-in":
        return await sign_in(visit, form)
    if intent == "sign-out":
        return await sign_out(visit)
    if visit.session is None:
        return sign_in_page(visit)
    return await _code_given(visit, visit.session, form)


async def _code_given(visit: Visit, session: SignedIn, form: dict[str, str]) -> Response:
    now, actor = surroundings(visit.request).now, session.actor
    code = read_user_code(form.get("user_code", ""))
    locks = attempts_at_codes(actor.id, visit.address)
    await count_attempt(locks, now=now)
    if code is None:
        raise devices.NoSuchCode()
    if form.get("intent") not in ("allow", "deny"):
        waiting = await devices.waiting_device(actor, code, now=now)
        await forgive_attempts(locks)
        return _form(visit, code=code, waiting=waiting)
    allow = form["intent"] == "allow"
    with called_by(Call(actor_id=actor.id, client_id="itr", address=visit.address)):
        await devices.decide_device(actor, code, allow=allow, now=now)
    await forgive_attempts(locks)
    return visit.remember(page(visit.request, "device_decided", allowed=allow))


def _form(
    visit: Visit,
    *,
    code: str = "",
    waiting: devices.Waiting | None = None,
    error: DomainError | None = None,
) -> Response:
    if visit.session is None:
        return sign_in_page(visit, error=error)
    response = page(
        visit.request,
        "device",
        policy=TIMES,
        status=_status(error),
        code=code,
        shown=shown_user_code(code) if waiting else "",
        waiting=waiting,
        error=error,
        actor=visit.session.actor,
        form_token=visit.form_token,
    )
    return visit.remember(response)


def _status(error: DomainError | None) -> int:
    if error is None:
        return 200
    return 403 if isinstance(error, Forbidden | ForeignForm) else 422


ROUTES = [
    Route("/device", at_issuer(show), methods=["GET"]),
    Route("/device", take, methods=["POST"]),
]

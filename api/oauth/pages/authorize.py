"""`/oauth/authorize`: a person signs in, perhaps agrees, and is sent back with a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.common.security import is_secure_transport
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.pages.abilities import ABILITIES
from api.oauth.pages.forms import ForeignForm, Visit, as_link, is_ours, ours, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.refusals import INSECURE, UNREADABLE, Refusal, refusal_of
from api.oauth.pages.rendering import page
from api.oauth.pages.signing_in import sign_in, sign_in_page, sign_out
from api.oauth.server import metadata
from api.oauth.server.authorization_server import DeskServer, serve
from api.oauth.server.clients import Client, User
from api.oauth.server.requests import FormRequest, Reply, ensure_decent, read_form
from itr.access.operations.consents import has_consent, remember_consent
from itr.access.rules import may_be_remembered
from itr.errors import DomainError


@dataclass(frozen=True)
class Ask:
    """The person has to do something first: sign in, or agree."""

    client: Client
    scope: str
    redirect_uri: str
    consent: bool


@dataclass(frozen=True)
class Decision:
    """What the person said on the consent page, if they were asked."""

    allow: bool | None = None


async def show(request: Request) -> Response:
    """Go as far as it goes: to the sign-in form, to consent, or back with a code."""
    visit = await visited(request)
    return await _go_on(visit, Decision())


async def take(request: Request) -> Response:
    """Take a form of ours: sign in or out, allow or deny; or a program's request sent as a form."""
    visit, form = await visited(request), dict[str, str]()
    try:
        pairs = await read_form(request, repeats=True)
        if not is_ours(pairs):
            return as_link(request, pairs) or _refused_page(request, "invalid_request")
        form = ours(visit, pairs)
        intent = form.get("intent")
        if intent == "sign-in":
            return await sign_in(visit, form)
        if intent == "sign-out":
            return await sign_out(visit)
    except OAuth2Error as error:
        return _refused_page(request, error.error or "")
    except DomainError as error:
        typed = "" if isinstance(error, ForeignForm) else form.get("email", "")
        return await _go_on(visit, Decision(), error=error, email=typed)
    answers = {"allow": True, "deny": False}
    return await _go_on(visit, Decision(answers.get(intent or "")))


async def _go_on(
    visit: Visit, decision: Decision, *, error: DomainError | None = None, email: str = ""
) -> Response:
    request, around = visit.request, surroundings(visit.request)
    url = around.settings.issuer.rstrip("/") + metadata.AUTHORIZE
    if not is_secure_transport(url):
        return page(request, "refused", status=400, code="insecure_transport", **INSECURE)
    try:
        pairs = ensure_decent(
            parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=60), repeats=True
        )
    except (OAuth2Error, ValueError):
        return _refused_page(request, "invalid_request")
    outcome = await serve(
        around,
        FormRequest("GET", url, request.headers, pairs),
        lambda server: _decided(server, decision),
        session=visit.session,
        hides_clients=False,
    )
    if isinstance(outcome, Ask):
        return _asked(visit, outcome, error, email)
    return visit.remember(_answered(request, outcome))


def _decided(server: DeskServer, decision: Decision) -> Ask | Reply | Refusal:
    """What Authlib makes of the request, of who is signed in and of what they decided."""
    request, session = server.request, server.session
    user = server.user(session.actor.id) if session else None
    try:
        grant = server.get_consent_grant(request, end_user=user)
        ask = _ask(server, user, decision, grant.redirect_uri)
    except OAuth2Error as error:
        if not error.redirect_uri:
            return refusal_of(server, error)
        return server.sent_back(error)
    if ask is not None:
        return ask
    if user is not None and decision.allow:
        agreed_to = {"scope": request.scope, "now": server.now}
        server.wait(remember_consent, server.work, user.actor, request.client.row, **agreed_to)
    agreed = user if decision.allow is not False else None
    reply: Reply = server.create_authorization_response(request, grant_user=agreed, grant=grant)
    return reply


def _ask(server: DeskServer, user: Any, decision: Decision, redirect_uri: str) -> Ask | None:
    """What the person has to do first; raises where nobody may be asked (`prompt=none`)."""
    request = server.request
    prompts = (request.payload.data.get("prompt") or "").split()
    client: Client = request.client
    must_sign_in = user is None or "login" in prompts or "select_account" in prompts
    must_sign_in = must_sign_in or _signed_in_too_long_ago(server)
    must_agree = decision.allow is None and not _has_agreed(server, user, prompts, redirect_uri)
    if not must_sign_in and not must_agree:
        return None
    if "none" in prompts:
        refusal = LoginRequiredError if must_sign_in else ConsentRequiredError
        raise refusal(redirect_uri=redirect_uri, state=request.payload.state)
    return Ask(client, request.scope, redirect_uri, consent=not must_sign_in)


def _has_agreed(
    server: DeskServer, user: User | None, prompts: list[str], redirect_uri: str
) -> bool:
    """Whether nobody need be asked: a program of the house, or one that was allowed all this."""
    client: Client = server.request.client
    if "consent" in prompts:
        return False
    if client.row.first_party:
        return True
    if user is None or not may_be_remembered(redirect_uri, client.redirect_uris):
        return False
    return server.wait(has_consent, user.actor.id, client.row, server.request.scope)


def _signed_in_too_long_ago(server: DeskServer) -> bool:
    asked = server.request.payload.data.get("max_age", "")
    if server.session is None or not asked.isdecimal():
        return False
    age = server.now - server.session.showed_at
    return age.total_seconds() > int(asked[:9])


def _asked(visit: Visit, ask: Ask, error: DomainError | None, email: str) -> Response:
    name, leads_to = ask.client.row.name, [ask.redirect_uri]
    if not ask.consent or visit.session is None:
        return sign_in_page(visit, client=name, leads_to=leads_to, error=error, email=email)
    response = page(
        visit.request,
        "consent",
        leads_to=leads_to,
        client=name,
        abilities=[ABILITIES[word] for word in ask.scope.split()],
        address=_host(ask.redirect_uri),
        actor=visit.session.actor,
        form_token=visit.form_token,
    )
    return visit.remember(response)


def _answered(request: Request, outcome: Reply | Refusal) -> Response:
    if isinstance(outcome, Refusal):
        return _refused_page(request, outcome.code, zh=outcome.zh, en=outcome.en)
    if outcome.location is None:
        return _refused_page(request, str(outcome.body.get("error", "invalid_request")))
    status = 303 if request.method == "POST" else 302
    headers = {"Location": outcome.location, "Cache-Control": "no-store"}
    return Response(status_code=status, headers=headers | {"Referrer-Policy": "no-referrer"})


def _refused_page(
    request: Request, code: str, *, zh: str = UNREADABLE["zh"], en: str = UNREADABLE["en"]
) -> Response:
    """Told here, not sent back: the address has not been found to be the client's."""
    return page(request, "refused", status=400, code=code or "invalid_request", zh=zh, en=en)


def _host(uri: str) -> str:
    return urlsplit(uri).netloc or urlsplit(uri).scheme


ROUTES = [
    Route(metadata.AUTHORIZE, at_issuer(show), methods=["GET"]),
    Route(metadata.AUTHORIZE, take, methods=["POST"]),
]

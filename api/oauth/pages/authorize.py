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
from api.oauth.pages.forms import ForeignForm, Visit, submitted, visited
from api.oauth.pages.rendering import page
from api.oauth.pages.signing_in import sign_in, sign_in_page, sign_out
from api.oauth.server import metadata
from api.oauth.server.clients import Client
from api.oauth.server.desk import DeskServer, serve
from api.oauth.server.requests import FormRequest, Reply, ensure_decent
from itr.access.scopes import BOARD, EMAIL, FULL, OPENID, PROFILE, READ
from itr.errors import DomainError

ABILITIES = {
    FULL: ("查看并处理您有权处理的一切", "see and do everything you may"),
    READ: ("查看您有权查看的一切", "see everything you may see"),
    BOARD: ("显示大屏数据", "show the wallboard's figures"),
    OPENID: ("知道您是谁", "know who you are"),
    PROFILE: ("知道您的姓名、角色和组织", "know your name, roles and organisation"),
    EMAIL: ("知道您的邮箱", "know your e-mail address"),
}


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
    """Take a form of ours: sign in or out, allow or deny."""
    visit = await visited(request)
    try:
        form = await submitted(visit)
        intent = form.get("intent")
        if intent == "sign-in":
            return await sign_in(visit, form)
        if intent == "sign-out":
            return await sign_out(visit)
    except OAuth2Error as error:
        return _refused_page(request, error)
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
        return page(request, "refused", status=400, code="insecure_transport", **_INSECURE)
    try:
        pairs = ensure_decent(
            parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=60), repeats=True
        )
    except (OAuth2Error, ValueError):
        return _refused_page(request, OAuth2Error(error="invalid_request"))
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


def _decided(server: DeskServer, decision: Decision) -> Ask | Reply | OAuth2Error:
    """What Authlib makes of the request, of who is signed in and of what they decided."""
    request, session = server.request, server.session
    user = server.user(session.actor.id) if session else None
    try:
        grant = server.get_consent_grant(request, end_user=user)
        ask = _ask(server, user, decision, grant.redirect_uri)
    except OAuth2Error as error:
        if not error.redirect_uri:
            return error
        return server.sent_back(error)
    if ask is not None:
        return ask
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
    must_agree = decision.allow is None and (not client.row.first_party or "consent" in prompts)
    if not must_sign_in and not must_agree:
        return None
    if "none" in prompts:
        refusal = LoginRequiredError if must_sign_in else ConsentRequiredError
        raise refusal(redirect_uri=redirect_uri, state=request.payload.state)
    return Ask(client, request.scope, redirect_uri, consent=not must_sign_in)


def _signed_in_too_long_ago(server: DeskServer) -> bool:
    asked = server.request.payload.data.get("max_age", "")
    if server.session is None or not asked.isdecimal():
        return False
    age = server.now - server.session.signed_in_at
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


def _answered(request: Request, outcome: Reply | OAuth2Error) -> Response:
    if isinstance(outcome, OAuth2Error):
        return _refused_page(request, outcome)
    if outcome.location is None:
        error = str(outcome.body.get("error", "invalid_request"))
        return _refused_page(request, OAuth2Error(error=error))
    status = 303 if request.method == "POST" else 302
    headers = {"Location": outcome.location, "Cache-Control": "no-store"}
    return Response(status_code=status, headers=headers | {"Referrer-Policy": "no-referrer"})


def _refused_page(request: Request, error: OAuth2Error) -> Response:
    """Told here, not sent back: the address has not been found to be the client's."""
    return page(
        request,
        "refused",
        status=400,
        code=error.error or "invalid_request",
        zh="应用发来的登录请求不正确：请检查客户端编号、回调地址和参数，或联系管理员。",
        en=(
            "The application's request to sign you in is not right: check its client id, redirect"
            " address and parameters, or ask an administrator."
        ),
    )


def _host(uri: str) -> str:
    return urlsplit(uri).netloc or urlsplit(uri).scheme


_INSECURE = {
    "zh": "登录需要 https：请将 ITR_ISSUER 设为 https 地址（本机地址除外）。",
    "en": "Signing in needs https: set ITR_ISSUER to an https address (except on this machine).",
}

ROUTES = [
    Route(metadata.AUTHORIZE, show, methods=["GET"]),
    Route(metadata.AUTHORIZE, take, methods=["POST"]),
]

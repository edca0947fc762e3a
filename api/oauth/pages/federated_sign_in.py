"""`/oauth/signin/…` and `/oauth/callback/…`: signing in at another issuer, and coming back.

The way out is a link, not a form: browsers would hold every redirect of the issuer to the page's
`form-action`. The way back only leads to pages of ours.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.federated_sign_in import FederatedSignIn, IssuerAway, NobodyOfOurs
from api.oauth.pages.forms import ForeignForm, Visit, visited
from api.oauth.pages.rendering import page
from api.oauth.pages.signing_in import call_of, end_earlier, without_satisfied
from api.oauth.server import metadata
from api.oauth.server.requests import ensure_decent
from itr.access.operations import federated_sign_in, signing_in
from itr.access.operations.external import Vouched, person_vouched_for
from itr.errors import DomainError
from itr.events.work import called_by
from itr.people.operations import load_actor

_OURS = (metadata.AUTHORIZE, "/device", "/oauth/consents", "/oauth/password")
"""Pages that ask somebody to sign in, and that they go on to."""
_LONGEST = 16_000


class NoSuchIssuer(DomainError):
    """Nobody signs in there."""

    code = "NO_SUCH_ISSUER"
    zh = "没有这种登录方式。"
    en = "There is no such way to sign in."


class NotOurs(DomainError):
    """A page that nobody signs in for."""

    code = "NOT_OURS"
    zh = "登录后要打开的页面不属于本系统。"
    en = "The page to go on to is none of ours."


class Deactivated(DomainError):
    """The issuer vouches for them, but we let them in no longer."""

    code = "DEACTIVATED"
    zh = "您在本系统的账号已停用，请联系管理员。"
    en = "Your account here is switched off; ask an administrator."


async def leave(request: Request) -> Response:
    """Send the browser to the issuer, to come back to where the link stood."""
    visit = await visited(request)
    came_from = ""
    try:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ForeignForm()
        target = request.query_params.get("next", "")
        came_from = ours(target)
        return visit.remember(await _left(visit, target, came_from))
    except DomainError as error:
        return _refused(visit, error, came_from)


async def arrive(request: Request) -> Response:
    """Take the browser back, begin a session, and go on to where it came from."""
    visit = await visited(request)
    came_from = ""
    try:
        there = _federated(visit)
        said = _said(request)
        now = surroundings(request).now
        came_from = await federated_sign_in.come_back(
            said.get("state", ""),
            issuer=there.issuer_metadata.issuer.url,
            browser=visit.form_cookie,
            now=now,
        )
        code = await there.code_of(said)
        person = await there.person(code, said["state"], now=now)
        with called_by(call_of(visit)):
            secret = await _signed_in(visit, there, person)
    except DomainError as error:
        return _refused(visit, error, came_from)
    return visit.remember(_sent(came_from), session=secret)


async def _left(visit: Visit, target: str, came_from: str) -> Response:
    there = _federated(visit)
    state = await federated_sign_in.begin_federated_sign_in(
        there.issuer_metadata.issuer.url,
        browser=visit.form_cookie,
        came_from=came_from,
        now=surroundings(visit.request).now,
    )
    return _sent(await there.address(state, asked=_asked(target)))


async def _signed_in(visit: Visit, there: FederatedSignIn, person: Vouched) -> str:
    around = surroundings(visit.request)
    try:
        person_id = await person_vouched_for(person, now=around.now)
    except DomainError as error:
        raise there.failed(NobodyOfOurs) from error
    actor = await load_actor(person_id)
    if actor is None:
        raise Deactivated()
    await end_earlier(visit)
    return await signing_in.begin_session(
        actor, address=around.address, now=around.now, issuer=person.issuer, how=person.how
    )


def _federated(visit: Visit) -> FederatedSignIn:
    services = visit.request.app.state.services
    key = visit.request.path_params["issuer"]
    for issuer_metadata in services.issuers.signing_in:
        if issuer_metadata.issuer.client.key == key:
            back = f"{services.settings.issuer.rstrip('/')}/oauth/callback/{key}"
            return FederatedSignIn(
                issuer_metadata, back, services.keys.secret_for("signing in elsewhere")
            )
    raise NoSuchIssuer()


def ours(target: str) -> str:
    """One of our pages with its question, without what signing in answers. Raises NotOurs."""
    parts = urlsplit(target)
    if len(target) > _LONGEST or "\0" in target or parts.scheme or parts.netloc:
        raise NotOurs()
    if parts.path not in _OURS:
        raise NotOurs()
    return without_satisfied(parts.path, parts.query)


def _asked(target: str) -> dict[str, str]:
    """What a program asks of signing in is asked of the issuer as well."""
    given = dict(parse_qsl(urlsplit(target).query))
    fresh = {"login", "select_account"} & set(given.get("prompt", "").split())
    asked = {"prompt": " ".join(sorted(fresh))} if fresh else {}
    if given.get("max_age", "").isdecimal():
        asked["max_age"] = given["max_age"][:9]
    return asked


def _said(request: Request) -> dict[str, str]:
    """What the issuer says in the address."""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=20)
        return dict(ensure_decent(pairs))
    except (OAuth2Error, ValueError):
        raise federated_sign_in.NotAwaited() from None


def _sent(target: str) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(target, status_code=303, headers=headers)


def _refused(visit: Visit, error: DomainError, came_from: str) -> Response:
    status = _status(error)
    response = page(visit.request, "not_signed_in", status=status, error=error, again=came_from)
    return visit.remember(response)


def _status(error: DomainError) -> int:
    if isinstance(error, IssuerAway):
        return 503
    if isinstance(error, NoSuchIssuer):
        return 404
    return 400 if isinstance(error, federated_sign_in.NotAwaited | NotOurs) else 403


ROUTES = [
    Route("/oauth/signin/{issuer}", leave, methods=["GET"]),
    Route("/oauth/callback/{issuer}", arrive, methods=["GET"]),
]

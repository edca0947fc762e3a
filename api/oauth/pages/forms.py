"""Cookies and forms: who is signed in here, and whether a form is one of ours (CSRF)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.oauth.endpoints import surroundings
from api.oauth.server.requests import read_form
from itr.access.operations import signing_in
from itr.access.rules import KNOWN_LIFETIME, SESSION_LIFETIME, account_name
from itr.errors import DomainError

_LONGEST_LINK = 16_000
PASSWORD_PAGE = "/oauth/password"


class ForeignForm(DomainError):
    """A form that this server did not give to this browser, or that grew too old."""

    code = "FOREIGN_FORM"
    zh = "页面已过期，请重试。"
    en = "The page has expired; please try again."


@dataclass(frozen=True)
class Visit:
    """One request of a browser to a page: its session, if it has one, and its form token."""

    request: Request
    session: signing_in.SignedIn | None
    form_cookie: str
    session_cookie: str

    @property
    def form_token(self) -> str:
        """What a form must carry to be one of ours, for this browser and this session."""
        keys = self.request.app.state.services.keys
        said = f"{self.form_cookie}\0{self.session_cookie}".encode()
        return hmac.new(keys.secret_for("form tokens"), said, hashlib.sha256).hexdigest()

    @property
    def address(self) -> str:
        """Where the browser is."""
        return surroundings(self.request).address

    def browser_of(self, typed: str) -> str:
        """What this browser is known as, if somebody has signed in at it by this name; else ""."""
        known, _, seal = self.request.cookies.get(_name(self.request, "known"), "").partition(".")
        same = hmac.compare_digest(seal.encode(), self._seal(known, typed).encode())
        return known if same else ""

    def remember(
        self, response: Response, *, session: str | None = None, known_to: str | None = None
    ) -> Response:
        """Set the cookies of this visit; `session` begins a session, an empty one ends it.

        The browser is known from now on to whoever signs in by the name `known_to`.
        """
        if self.request.cookies.get(_name(self.request, "form")) != self.form_cookie:
            _set(self.request, response, "form", self.form_cookie)
        if session is not None:
            _set(self.request, response, "session", session)
        if known_to is not None:
            known = self.browser_of(known_to) or secrets.token_urlsafe(16)
            value = f"{known}.{self._seal(known, known_to)}"
            _set(self.request, response, "known", value, lasts=KNOWN_LIFETIME)
        return response

    def _seal(self, known: str, typed: str) -> str:
        keys = self.request.app.state.services.keys
        said = f"{known}\0{account_name(typed)}".encode("utf-8", "replace")
        return hmac.new(keys.secret_for("known browsers"), said, hashlib.sha256).hexdigest()


async def visited(request: Request) -> Visit:
    """Read what the browser brings along."""
    cookie = request.cookies.get(_name(request, "session"), "")
    now = surroundings(request).now
    session = await signing_in.session_of(cookie, now=now) if cookie else None
    if session is not None and session.must_change_password and request.url.path != PASSWORD_PAGE:
        session = None  # whoever signs in with a password made for them changes it first
    form_cookie = request.cookies.get(_name(request, "form")) or secrets.token_urlsafe(24)
    return Visit(request, session, form_cookie, cookie)


def is_ours(pairs: list[tuple[str, str]]) -> bool:
    """Whether it is a form of our pages, not a program's request sent as a form."""
    return any(name in ("form_token", "intent") for name, _ in pairs)


def as_link(request: Request, pairs: list[tuple[str, str]]) -> Response | None:
    """A program's request sent as a form, as the same link; None where it would be too long.

    Browsers bring our cookies along with a link, and not with another site's form.
    """
    url = request.url
    asked = "&".join(filter(None, (url.query, urlencode(pairs))))
    if len(asked) > _LONGEST_LINK:
        return None
    return RedirectResponse(f"{url.path}?{asked}", 303, {"Cache-Control": "no-store"})


async def submitted(visit: Visit) -> dict[str, str]:
    """Read a form of ours; raises ForeignForm, or OAuth2Error for what is no form at all."""
    return ours(visit, await read_form(visit.request))


def ours(visit: Visit, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """A form that was read, if it is one of ours; raises ForeignForm."""
    if visit.request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignForm()
    form = dict(pairs)
    if not hmac.compare_digest(form.get("form_token", "").encode(), visit.form_token.encode()):
        raise ForeignForm()
    return form


def _name(request: Request, what: str) -> str:
    """`__Host-` lets no other host or plain connection set it."""
    return f"__Host-itr-{what}" if _is_secure(request) else f"itr-{what}"


def _is_secure(request: Request) -> bool:
    return str(request.app.state.services.settings.issuer).startswith("https://")


def _set(
    request: Request,
    response: Response,
    what: str,
    value: str,
    *,
    lasts: timedelta = SESSION_LIFETIME,
) -> None:
    response.set_cookie(
        _name(request, what),
        value,
        max_age=int(lasts.total_seconds()) if value else 0,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )

"""What must be true of clients, codes, passwords and attempts to sign in; pure."""

import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from itr.access.scopes import BOARD, PERMITTED, SCOPES
from itr.access.terms import ClientKind
from itr.errors import DomainError, InvalidInput, PathItem, Required, TooLong

ACCESS_LIFETIME = timedelta(minutes=15)
CODE_LIFETIME = timedelta(minutes=1)
DEVICE_LIFETIME = timedelta(minutes=15)
DEVICE_INTERVAL = 5
"""Seconds a device waits between two questions, at first (RFC 8628)."""
SLOWER_BY = 5
SESSION_LIFETIME = timedelta(hours=12)
FEDERATED_SIGN_IN_LIFETIME = timedelta(minutes=15)
"""How long somebody who went to sign in at another issuer is awaited back."""
KNOWN_LIFETIME = timedelta(days=180)
"""How long a browser is known as one at which somebody has signed in."""
REFRESH_LIFETIME: Mapping[ClientKind, timedelta] = {
    ClientKind.DASHBOARD: timedelta(days=14),
    ClientKind.WEB: timedelta(days=30),
    ClientKind.WALLBOARD: timedelta(days=180),
}
"""How long a refresh token waits to be used; each use begins the time anew."""
GRANT_LIFETIME: Mapping[ClientKind, timedelta] = {
    ClientKind.DASHBOARD: timedelta(days=90),
    ClientKind.WEB: timedelta(days=365),
}
"""When somebody has to sign in again however often the token was renewed; a wallboard never."""

CONFIDENTIAL = frozenset({ClientKind.WEB, ClientKind.MACHINE})
"""Clients that can keep a secret."""
REDIRECTING = frozenset({ClientKind.DASHBOARD, ClientKind.WEB})
"""Clients that people sign in to with a browser."""

USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels and nothing to be mistaken for something else (RFC 8628, 6.1)."""
USER_CODE_LETTERS = 8

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
MOST_REDIRECT_URIS = 20
_LONGEST_URI = 2_000
_LOOPBACK = re.compile(
    r"http://(?P<host>127(?:\.[0-9]{1,3}){3}|\[::1\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?"
)
_WORD, _MOST_METHODS = re.compile(r"[A-Za-z0-9._:-]{1,18}"), 10
_LONGEST_HOW = 200
_GRADE = re.compile(r"[!-~]{1,200}")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class BadRedirectAddress(DomainError):
    """An address that browsers must not be sent back to."""

    code = "BAD_REDIRECT_ADDRESS"
    zh = "回调地址须为 https 地址、本机 http 地址或应用自有协议，且不含 #、* 或空白。"
    en = (
        "A redirect address is https, http on this very machine, or an app's own scheme, "
        "without fragment, wildcard or blanks."
    )


class NoRedirectAddress(DomainError):
    """This kind of client is not signed in to with a browser."""

    code = "NO_REDIRECT_ADDRESS"
    zh = "此类客户端不使用回调地址。"
    en = "A client of this kind has no redirect address."


class UnknownScope(DomainError):
    """A scope there is not, or that this kind of client cannot have."""

    code = "UNKNOWN_SCOPE"
    zh = "没有 scope {scope}，或此类客户端不能使用它。"
    en = "There is no scope {scope}, or a client of this kind cannot have it."


class WeakPassword(DomainError):
    """A password that is guessed too soon."""

    code = "WEAK_PASSWORD"
    zh = "密码至少 {shortest} 个字符，且不能只有一两种字符。"
    en = "A password has at least {shortest} characters, and more than two different ones."


class SecretTold(DomainError):
    """The same mutation was done before, and its secret was told then: nobody has it to tell."""

    code = "SECRET_TOLD"
    zh = "该操作已完成，密钥或密码仅在首次答复中给出；如已遗失，请重新生成。"
    en = "This was done before, and the secret was told then, once; if it is lost, make another."


def same_but_for_the_port(uri: str, registered: str) -> bool:
    """Whether both are the same address on this very machine, at whatever port (RFC 8252, 7.3).

    By number only: `localhost` may be somewhere else.
    """
    asked, known = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(registered)
    if asked is None or known is None or int(asked["port"] or 80) > 65_535:
        return False
    return asked["host"] == known["host"] and asked["rest"] == known["rest"]


def may_be_remembered(uri: str, registered: Collection[str]) -> bool:
    """Whether who agreed once need not be asked again by a client at this address (RFC 8252, 8.6).

    Any program can listen at a port of this machine or take a scheme of its own: only an address
    that is registered letter by letter, and is no app's own scheme, says which program it is.
    """
    return uri in registered and urlsplit(uri).scheme in ("http", "https")


@dataclass(frozen=True)
class HowSignedIn:
    """How and when somebody showed who they are: told to clients as `amr`, `acr`, `auth_time`.

    `amr` are words of RFC 8176, parted by blanks; what is not known is left out.
    """

    at: datetime | None = None
    amr: str = ""
    acr: str | None = None


NOT_SAID = HowSignedIn()


def how_federated(said: Mapping[str, Any], *, now: datetime) -> HowSignedIn:
    """What an issuer's ID token says of that, as far as it says it decently."""
    methods, grade, at = said.get("amr"), said.get("acr"), said.get("auth_time")
    words = methods if isinstance(methods, list) else []
    decent = all(isinstance(word, str) and _WORD.fullmatch(word) for word in words)
    whole = at if isinstance(at, int) and not isinstance(at, bool) else 0
    return HowSignedIn(
        at=datetime.fromtimestamp(whole, tz=UTC) if 0 < whole <= now.timestamp() + 60 else None,
        amr=" ".join(words)[:_LONGEST_HOW] if decent and len(words) <= _MOST_METHODS else "",
        acr=grade if isinstance(grade, str) and _GRADE.fullmatch(grade) else None,
    )


def ensure_first_party(kind: ClientKind, first_party: bool, *path: PathItem) -> bool:
    """Only whoever people sign in to with a browser could ask them for their consent."""
    if first_party and kind not in REDIRECTING:
        raise InvalidInput(
            path=path,
            zh_reason="只有人员用浏览器登录的客户端才能免去同意页。",
            en_reason="Only clients people sign in to with a browser can do without consent.",
        )
    return first_party


def ensure_sign_out_uris(
    kind: ClientKind, uris: Collection[str], *path: PathItem
) -> list[str] | None:
    """Addresses people are sent on to after signing out; judged like redirect addresses."""
    return ensure_redirect_uris(kind, uris, *path) if uris else None


def ensure_redirect_uri(uri: str, *path: PathItem) -> str:
    """Refuse an address that is not exact and safe. Raises BadRedirectAddress, TooLong."""
    if len(uri) > _LONGEST_URI:
        raise TooLong(path=path, limit=_LONGEST_URI)
    if any(unicodedata.category(each)[0] in "CZ" for each in uri) or set(uri) & set("#*\\<>\"'"):
        raise BadRedirectAddress(path=path)
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadRedirectAddress(path=path) from None
    del port
    safe = (
        (parts.scheme == "https" and bool(host))
        or (parts.scheme == "http" and _is_this_machine(host))
        or (bool(_PRIVATE_SCHEME.fullmatch(parts.scheme)) and bool(parts.path))
    )
    if not safe or parts.username is not None:
        raise BadRedirectAddress(path=path)
    return uri


def ensure_redirect_uris(kind: ClientKind, uris: Collection[str], *path: PathItem) -> list[str]:
    """Refuse addresses where there must be none, and none where there must be some."""
    if kind not in REDIRECTING:
        if uris:
            raise NoRedirectAddress(path=path)
        return []
    if not uris:
        raise Required(path=path)
    if len(uris) > MOST_REDIRECT_URIS:
        raise InvalidInput(
            path=path,
            zh_reason=f"最多 {MOST_REDIRECT_URIS} 个回调地址。",
            en_reason=f"At most {MOST_REDIRECT_URIS} redirect addresses.",
        )
    return [ensure_redirect_uri(uri, *path, number) for number, uri in enumerate(uris)]


def ensure_scope(kind: ClientKind, words: Collection[str], *path: PathItem) -> Collection[str]:
    """Refuse unknown scopes; machines and wallboards have no identity to tell of."""
    allowed: Collection[str] = {
        ClientKind.MACHINE: tuple(PERMITTED),
        ClientKind.WALLBOARD: (BOARD,),
    }.get(kind, SCOPES)
    for word in words:
        if word not in allowed:
            raise UnknownScope(path=path, scope=word)
    if not set(words) & set(PERMITTED):
        raise Required(path=path)
    return words


def account_name(typed: str) -> str:
    """The one name of an account, however somebody types it."""
    return typed.strip().lower()


def ensure_password(password: str, *path: PathItem) -> str:
    """Refuse a password that is short, endless, or one key held down."""
    if len(password) > LONGEST_PASSWORD:
        raise TooLong(path=path, limit=LONGEST_PASSWORD)
    if len(password) < SHORTEST_PASSWORD or len(set(password)) < 3:
        raise WeakPassword(path=path, shortest=SHORTEST_PASSWORD)
    return password


def new_user_code() -> str:
    """A code somebody can read off a screen and type on a telephone."""
    return "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LETTERS))


def shown_user_code(code: str) -> str:
    """The code as it is shown: in two halves."""
    half = USER_CODE_LETTERS // 2
    return f"{code[:half]}-{code[half:]}"


def read_user_code(typed: str) -> str | None:
    """The code somebody typed, whatever dashes, blanks and case they used; None if it is none."""
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    whole = len(code) == USER_CODE_LETTERS and set(code) <= set(USER_CODE_ALPHABET)
    return code if whole else None


@dataclass(frozen=True)
class LockOut:
    """After `free` failures in a row every further one locks, twice as long each time.

    Where one is forgotten `each` so long, also while others follow, many people who mistype now
    and then at one address do not add up to an attack.
    """

    free: int
    first: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=15)
    each: timedelta | None = None

    def after(self, failures: int) -> timedelta:
        """How long nobody may try after so many failures in a row."""
        if failures < self.free:
            return timedelta(0)
        doublings = min(failures - self.free, 20)
        return min(self.first * (1 << doublings), self.longest)

    def remembered(self, failures: int, since: datetime, now: datetime) -> tuple[int, datetime]:
        """How many failures in a row still count, and since when the next is being forgotten."""
        if now - since > FORGOTTEN_AFTER or failures <= 0:
            return 0, now
        if self.each is None:
            return failures, now
        gone = min(max(0, (now - since) // self.each), failures)
        return failures - gone, since + gone * self.each


PER_ACCOUNT = LockOut(free=5)
PER_ADDRESS = LockOut(free=30, each=timedelta(minutes=1))
FORGOTTEN_AFTER = timedelta(hours=1)
"""Failures in a row are counted from the start after so long without one."""


def _is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False

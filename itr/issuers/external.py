"""Other issuers whose tokens we take: who they are, and what their claims mean to us.

A file in TOML, named by `ITR_EXTERNAL_ISSUERS`, read and judged as a whole at the start.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from itr.actors.roles import Role
from itr.issuers.clients import KEYS as CLIENT_KEYS
from itr.issuers.clients import IssuerClient, read_client

ALGORITHMS = frozenset(
    [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "EdDSA",
        "Ed25519",
    ]
)
"""Signatures only their issuer can make; shared secrets are none."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_CLAIMS = {"name": "name", "email": "email", "roles": "roles", "organisation": "organisation"}
_KEYS = {
    "url",
    "audience",
    "algorithms",
    "hosts",
    "claims",
    "roles",
    "organisations",
    "organisation",
} | CLIENT_KEYS


@dataclass(frozen=True)
class ExternalIssuer:
    """An issuer of ours: audience and algorithms pinned, claims mapped to our words.

    `organisation` is everybody's, or `organisations` says what each value of the claim means:
    our organisation's id or name. It is asked at its own host and at `hosts`, nowhere else; with
    a `client` its people can sign in on our pages.
    """

    url: str
    audience: str
    algorithms: tuple[str, ...]
    claims: Mapping[str, str]
    roles: Mapping[str, frozenset[Role]]
    organisations: Mapping[str, str]
    organisation: str | None
    hosts: tuple[str, ...] = ()
    client: IssuerClient | None = None

    @property
    def origins(self) -> frozenset[str | None]:
        """Where it may be asked: scheme, host and port."""
        places = (self.url, *(f"https://{host}" for host in self.hosts))
        return frozenset(origin_of(place) for place in places)

    def roles_of(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        """The roles a person of theirs has with us."""
        given = _listed(_at(claims, self.claims["roles"]))
        return frozenset().union(*(self.roles.get(each, frozenset()) for each in given))

    def organisation_of(self, claims: Mapping[str, Any]) -> str | None:
        """The id or name of the organisation they belong to with us."""
        if self.organisation is not None:
            return self.organisation
        given = _listed(_at(claims, self.claims["organisation"]))
        known = [self.organisations[each] for each in given if each in self.organisations]
        return known[0] if len(set(known)) == 1 else None

    def text_of(self, claims: Mapping[str, Any], what: str) -> str | None:
        """A claim that is one text a database can keep."""
        found = _at(claims, self.claims[what])
        return found if isinstance(found, str) and found.strip() and is_clean(found) else None


def is_clean(text: str) -> bool:
    """Whether a text has no control characters and no broken Unicode."""
    return not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


def read_issuers(path: str) -> tuple[ExternalIssuer, ...]:
    """Read the file; raises ValueError with one sentence that says what is wrong, and where."""
    if not path:
        return ()
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    listed = said.get("issuer")
    if set(said) != {"issuer"} or not isinstance(listed, list) or not listed:
        raise ValueError(f"{path} must hold [[issuer]] tables and nothing else")
    found = tuple(
        _issuer(each, f"{path}, issuer {number}") for number, each in enumerate(listed, 1)
    )
    if len({each.url for each in found}) < len(found):
        raise ValueError(f"{path} names an issuer twice")
    keys = [each.client.key for each in found if each.client]
    if len(set(keys)) < len(keys):
        raise ValueError(f"{path} uses a key twice")
    return found


def _issuer(said: Any, where: str) -> ExternalIssuer:
    client = read_client(said, where)
    unknown = set(said) - _KEYS
    if unknown:
        raise ValueError(f"{where}: {sorted(unknown)[0]} is not known")
    url = _text(said, "url", where)
    if origin_of(url) is None or urlsplit(url).query:
        raise ValueError(f"{where}: url must be https, as the issuer itself writes it")
    claims = _texts(said, "claims", where)
    if set(claims) - set(_CLAIMS):
        wrong = sorted(set(claims) - set(_CLAIMS))[0]
        raise ValueError(f"{where}: claims.{wrong} is not known; {', '.join(_CLAIMS)} are")
    organisation = said.get("organisation")
    if (organisation is None) == ("organisations" not in said):
        raise ValueError(f"{where}: give either organisation or [issuer.organisations]")
    return ExternalIssuer(
        url=url,
        audience=_text(said, "audience", where),
        algorithms=_algorithms(said, where),
        claims=_CLAIMS | claims,
        roles=_roles(said, where),
        organisations=_texts(said, "organisations", where),
        organisation=None if organisation is None else _text(said, "organisation", where),
        hosts=_hosts(said, where),
        client=client,
    )


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address that is https, or http on this very machine."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    host = parts.hostname or ""
    here = parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    if not host or "@" in parts.netloc or not (parts.scheme == "https" or here):
        return None
    return f"{parts.scheme}://{host}:{port}"


def _hosts(said: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = said.get("hosts", [])
    if not isinstance(given, list) or not all(_HOST.fullmatch(str(each)) for each in given):
        raise ValueError(f"{where}: hosts must be a list of names, as in keys.example.com")
    return tuple(map(str, given))


def _algorithms(said: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = said.get("algorithms")
    if not isinstance(given, list) or not given or not set(map(str, given)) <= ALGORITHMS:
        raise ValueError(f"{where}: algorithms must be a list of {', '.join(sorted(ALGORITHMS))}")
    return tuple(given)


def _roles(said: Mapping[str, Any], where: str) -> dict[str, frozenset[Role]]:
    given = said.get("roles")
    if not isinstance(given, dict) or not given:
        raise ValueError(f"{where}: [issuer.roles] must say which of their roles are which of ours")
    found = {}
    for theirs, ours in given.items():
        names = ours if isinstance(ours, list) else [ours]
        wrong = [name for name in names if name not in Role.__members__]
        if wrong or not names:
            raise ValueError(f"{where}: roles.{theirs}: {wrong[0] if wrong else ''} is no role")
        found[theirs] = frozenset(Role(name) for name in names)
    return found


def _text(said: Mapping[str, Any], name: str, where: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {name} is missing")
    return value


def _texts(said: Mapping[str, Any], name: str, where: str) -> dict[str, str]:
    value = said.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError(f"{where}: [issuer.{name}] must hold texts")
    return dict(value)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path with dots, as in `realm_access.roles`; a name with dots is found too."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

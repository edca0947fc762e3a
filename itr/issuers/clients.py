"""Signing people in at another issuer: who we are there, and what our button says.

Part of an issuer's table in the file of `ITR_EXTERNAL_ISSUERS`; one without `client_id` has none.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

KEYS = frozenset(
    {"client_id", "client_secret_file", "client_secret_variable", "key", "name", "scopes"}
)
_FORBIDDEN = "client_secret"
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_SCOPES = ("openid", "profile", "email")
_LONGEST_NAME, _LONGEST_SECRET = 60, 4_096


@dataclass(frozen=True)
class IssuerClient:
    """What we are at an issuer; `key` names it in our addresses, `zh` and `en` on our button."""

    key: str
    client_id: str
    secret: SecretStr
    scopes: tuple[str, ...]
    zh: str
    en: str


def read_client(said: Mapping[str, Any], where: str) -> IssuerClient | None:
    """What the table says of us there; raises ValueError with one sentence, never with a secret."""
    if _FORBIDDEN in said:
        raise ValueError(
            f"{where}: a secret does not stand in this file; name its file in"
            " client_secret_file, or its variable in client_secret_variable"
        )
    given = sorted(KEYS & set(said))
    if "client_id" not in said:
        if given:
            raise ValueError(f"{where}: {given[0]} is for signing in, which needs client_id")
        return None
    zh, en = _name(said, where)
    return IssuerClient(
        key=_key(said, where),
        client_id=_text(said, "client_id", where),
        secret=_secret(said, where),
        scopes=_scopes(said, where),
        zh=zh,
        en=en,
    )


def _key(said: Mapping[str, Any], where: str) -> str:
    key = said.get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError(f"{where}: key must be up to 40 small letters, digits and dashes")
    return key


def _secret(said: Mapping[str, Any], where: str) -> SecretStr:
    named = sorted({"client_secret_file", "client_secret_variable"} & set(said))
    if len(named) != 1:
        raise ValueError(f"{where}: give either client_secret_file or client_secret_variable")
    place = _text(said, named[0], where)
    if named[0] == "client_secret_file":
        secret = _file(place, where)
    elif place.upper().startswith("ITR_"):
        raise ValueError(f"{where}: {place}: names with ITR_ are the server's own settings")
    else:
        secret = os.environ.get(place, "")
    secret = secret.strip()
    if not secret:
        raise ValueError(f"{where}: {place} holds no secret")
    if len(secret) > _LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise ValueError(f"{where}: {place} holds something that is no secret")
    return SecretStr(secret)


def _file(place: str, where: str) -> str:
    try:
        with Path(place).open(encoding="utf-8") as file:
            return file.read(_LONGEST_SECRET + 2)
    except OSError as error:
        raise ValueError(f"{where}: {place} cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise ValueError(f"{where}: {place} holds something that is no secret") from None


def _scopes(said: Mapping[str, Any], where: str) -> tuple[str, ...]:
    scopes = said.get("scopes", list(_SCOPES))
    decent = isinstance(scopes, list) and all(
        isinstance(each, str) and _SCOPE.fullmatch(each) for each in scopes
    )
    if not decent or "openid" not in scopes:
        raise ValueError(f"{where}: scopes must be a list of words, openid among them")
    return tuple(dict.fromkeys(scopes))


def _name(said: Mapping[str, Any], where: str) -> tuple[str, str]:
    name = said.get("name")
    both: dict[str, Any] = name if isinstance(name, dict) else {"zh": name, "en": name}
    good = [
        isinstance(text, str) and 0 < len(text.strip()) <= _LONGEST_NAME for text in both.values()
    ]
    if set(both) != {"zh", "en"} or not all(good):
        raise ValueError(f"{where}: name must be a text, or {{ zh = text, en = text }}")
    return both["zh"].strip(), both["en"].strip()


def _text(said: Mapping[str, Any], name: str, where: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {name} is missing")
    return value

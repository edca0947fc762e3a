"""Every key of the server, derived from its one secret."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from itr.access.operations.signing_keys import Generation
from itr.settings import Settings

FIRST = Generation(1, datetime(2026, 1, 1, tzinfo=UTC))
ALGORITHM = "Ed25519"


class Keys:
    """Keys for one purpose each: knowing one tells nothing of another or of the secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._derived: dict[str, bytes] = {}
        self._signing: dict[int, OKPKey] = {}

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """The keys of a server with these settings."""
        return _keys_of(settings.secret.get_secret_value())

    def secret_for(self, purpose: str) -> bytes:
        """Return 32 bytes for this purpose, the same on every process of the installation."""
        if purpose not in self._derived:
            derivation = HKDF(SHA256(), 32, salt=b"itr desk", info=purpose.encode())
            self._derived[purpose] = derivation.derive(self._secret)
        return self._derived[purpose]

    def signing_key(self, generation: int = 1) -> OKPKey:
        """The Ed25519 key of a generation that signs tokens; its public half stands in the JWKS."""
        if generation not in self._signing:
            secret = self.secret_for(f"token signing key {generation}")
            private = Ed25519PrivateKey.from_private_bytes(secret)
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            self._signing[generation] = OKPKey.import_key(pem)
        return self._signing[generation]


class KeyRing:
    """The signing keys that are good now: one signs, all verify."""

    def __init__(self, keys: Keys, generations: Iterable[Generation] = (FIRST,)) -> None:
        self._keys = keys
        self._generations: list[Generation] = []
        self._by_id: dict[str, OKPKey] = {}
        self.replace(generations)

    @classmethod
    def first_of(cls, settings: Settings) -> KeyRing:
        """The ring of an installation that never changed its key."""
        return cls(Keys.of(settings))

    def replace(self, generations: Iterable[Generation]) -> None:
        """Take over what the database says, oldest first."""
        self._generations = list(generations) or [FIRST]
        keys = [self._keys.signing_key(each.number) for each in self._generations]
        self._by_id = {key.thumbprint(): key for key in keys}

    def signing(self, now: datetime) -> tuple[str, OKPKey]:
        """The key that signs now, with its id: the newest that has been published long enough."""
        begun = [each for each in self._generations if each.signs_from <= now]
        chosen = begun[-1] if begun else self._generations[0]
        key = self._keys.signing_key(chosen.number)
        return key.thumbprint(), key

    def find(self, key_id: str | None) -> OKPKey | None:
        """The key of this id; without an id the only key, if there is only one."""
        if key_id is None and len(self._by_id) == 1:
            return next(iter(self._by_id.values()))
        return self._by_id.get(key_id or "")

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._by_id

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """The public halves as a JWKS (RFC 7517)."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key_id, "use": "sig", "alg": ALGORITHM}
                for key_id, key in self._by_id.items()
            ]
        }


@cache
def _keys_of(secret: str) -> Keys:
    return Keys(secret)

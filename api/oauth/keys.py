"""Every key of the server, derived from its one secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey, RSAKey

from api.oauth.rsa_keys import derived_rsa_key
from itr.access.operations.signing_keys import Generation
from itr.settings import Settings

FIRST = Generation(1, datetime(2026, 1, 1, tzinfo=UTC))
ALGORITHM = "Ed25519"
RS256 = "RS256"
"""For ID tokens of clients that know no other."""


class Keys:
    """Keys for one purpose each: knowing one tells nothing of another or of the secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._derived: dict[str, bytes] = {}
        self._signing: dict[int, OKPKey] = {}
        self._rsa: dict[int, RSAKey] = {}
        self._making = Lock()

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

    def rsa_key(self, generation: int = 1) -> RSAKey:
        """The RSA key of a generation, for ID tokens only; the first time it takes a second."""
        with self._making:
            if generation not in self._rsa:
                private = derived_rsa_key(self.secret_for(f"id token signing key {generation}"))
                pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                self._rsa[generation] = RSAKey.import_key(pem)
            return self._rsa[generation]


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
        key = self._keys.signing_key(self._chosen(now))
        return key.thumbprint(), key

    def signing_rs256(self, now: datetime) -> tuple[str, RSAKey]:
        """The RSA key of the same generation; run it in a worker thread."""
        key = self._keys.rsa_key(self._chosen(now))
        return key.thumbprint(), key

    def find_rsa(self, key_id: str | None) -> RSAKey | None:
        """The RSA key of this id; run it in a worker thread."""
        keys = (self._keys.rsa_key(each.number) for each in self._generations)
        return next((key for key in keys if key.thumbprint() == key_id), None)

    def find(self, key_id: str | None) -> OKPKey | None:
        """The key of this id; without an id the only key, if there is only one."""
        if key_id is None and len(self._by_id) == 1:
            return next(iter(self._by_id.values()))
        return self._by_id.get(key_id or "")

    def verifying(self, header: Mapping[str, Any]) -> OKPKey | RSAKey:
        """The key an ID token of ours was signed by; raises ValueError for none of ours."""
        key_id = str(header.get("kid"))
        key = self.find_rsa(key_id) if header.get("alg") == RS256 else self._by_id.get(key_id)
        if key is None:
            raise ValueError("no such key")
        return key

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._by_id

    def published(self, *, rsa: bool = False) -> dict[str, list[dict[str, Any]]]:
        """The public halves as a JWKS (RFC 7517); with RSA keys run it in a worker thread."""
        keys: list[tuple[str, OKPKey | RSAKey]]
        keys = [(ALGORITHM, key) for key in self._by_id.values()]
        if rsa:
            keys += [(RS256, self._keys.rsa_key(each.number)) for each in self._generations]
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": name}
                for name, key in keys
            ]
        }

    def _chosen(self, now: datetime) -> int:
        begun = [each for each in self._generations if each.signs_from <= now]
        return (begun[-1] if begun else self._generations[0]).number


@cache
def _keys_of(secret: str) -> Keys:
    return Keys(secret)

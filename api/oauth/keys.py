"""Every key of the server, derived from its one secret."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from itr.settings import Settings


class Keys:
    """Keys for one purpose each: knowing one tells nothing of another or of the secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._derived: dict[str, bytes] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """The keys of a server with these settings."""
        return _keys_of(settings.secret.get_secret_value())

    def secret_for(self, purpose: str) -> bytes:
        """Return 32 bytes for this purpose, the same on every process of the installation."""
        if purpose not in self._derived:
            derivation = HKDF(SHA256(), 32, salt=b"itr desk", info=purpose.encode())
            self._derived[purpose] = derivation.derive(self._secret)
        return self._derived[purpose]

    def signing_key(self) -> OKPKey:
        """The Ed25519 key that signs access tokens; its public half can be published as JWKS."""
        private = Ed25519PrivateKey.from_private_bytes(self.secret_for("token signing key 1"))
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return OKPKey.import_key(pem)


@cache
def _keys_of(secret: str) -> Keys:
    return Keys(secret)

"""Secrets: made at random, kept as digests or argon2 hashes, compared in constant time (S15)."""

import hashlib
import hmac
import secrets
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_SECRET_BYTES = 32


def new_secret(prefix: str = "") -> str:
    """A secret of 256 random bits; the prefix tells secret scanners and people what it is."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """What is kept of a random secret: too much chance in it to be guessed from this."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(given: str, kept: str) -> bool:
    """Whether `given` is the secret whose digest is kept, in the same time for every answer."""
    return hmac.compare_digest(digest(given), kept)


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id, slow on purpose; run it in a worker thread."""
    return _argon2().hash(password)


def is_password(given: str, kept: str | None) -> bool:
    """Whether `given` is the password; as slow where nobody is known, so that time tells nothing.

    Run it in a worker thread, few at once: each takes 64 MB for some tens of milliseconds.
    """
    matches = _argon2().verify(given, kept or _nobodys())
    return matches and kept is not None


@cache
def _argon2() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobodys() -> str:
    return hash_password(new_secret())

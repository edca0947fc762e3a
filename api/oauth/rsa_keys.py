"""RSA keys that follow from a secret, as the Ed25519 keys do: nothing of them is stored.

Clients that know RS256 only get their ID tokens signed by one (OpenID Connect Discovery 3).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from math import gcd, lcm, prod

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

_EXPONENT = 65_537
_PRIME_BITS = 1_024
_ROUNDS = 8
"""FIPS 186-5 asks for five with random candidates of this size."""
_SMALL = prod(n for n in range(3, 5_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def derived_rsa_key(seed: bytes) -> RSAPrivateKey:
    """The RSA key of 2048 bits that follows from 32 secret bytes; takes about a second."""
    numbers = _numbers(seed)
    p = _prime(numbers)
    q = _prime(numbers)
    while abs(p - q).bit_length() <= _PRIME_BITS - 100:
        q = _prime(numbers)
    d = pow(_EXPONENT, -1, lcm(p - 1, q - 1))
    private = RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa_crt_dmp1(d, p),
        dmq1=rsa_crt_dmq1(d, q),
        iqmp=rsa_crt_iqmp(p, q),
        public_numbers=RSAPublicNumbers(_EXPONENT, p * q),
    )
    return private.private_key()  # which checks it


def _numbers(seed: bytes) -> Iterator[int]:
    """Numbers of 1024 bits without end, each from HMAC-SHA-512 of its place."""
    place = 0
    while True:
        blocks = (
            hmac.digest(seed, (place * 2 + half).to_bytes(8, "big"), hashlib.sha512)
            for half in range(_PRIME_BITS // 512)
        )
        yield int.from_bytes(b"".join(blocks), "big")
        place += 1


def _prime(numbers: Iterator[int]) -> int:
    """The next of them that is prime, made odd and with its two highest bits set."""
    top = 0b11 << (_PRIME_BITS - 2)
    return next(
        candidate
        for candidate in (number | top | 1 for number in numbers)
        if gcd(candidate, _SMALL) == 1
        and gcd(candidate - 1, _EXPONENT) == 1
        and pow(2, candidate - 1, candidate) == 1
        and _is_prime(candidate, numbers)
    )


def _is_prime(candidate: int, numbers: Iterator[int]) -> bool:
    odd = candidate - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for _ in range(_ROUNDS):
        x = pow(2 + next(numbers) % (candidate - 3), odd, candidate)
        if x in (1, candidate - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % candidate
            if x == candidate - 1:
                break
        else:
            return False
    return True

"""OAuth scopes: what part of a person's permissions a program may use. They narrow, never widen."""

from collections.abc import Iterable, Mapping

from itr.actors.roles import Permission

FULL, READ, BOARD = "itr", "itr:read", "itr:board"
OPENID, PROFILE, EMAIL = "openid", "profile", "email"

PERMITTED: Mapping[str, frozenset[Permission]] = {
    FULL: frozenset(Permission),
    READ: frozenset(each for each in Permission if each.value.startswith("READ_")),
    BOARD: frozenset({Permission.READ_BOARD}),
}
"""Scopes of the API and the permissions they let through, if the person has them."""

IDENTITY = (OPENID, PROFILE, EMAIL)
"""Scopes that only tell the program who signed in."""

SCOPES = (*PERMITTED, *IDENTITY)


def permitted_by(scope: str) -> frozenset[Permission]:
    """The permissions a token of this scope lets through; unknown words let nothing through."""
    words = (PERMITTED.get(word, frozenset()) for word in scope.split())
    return frozenset().union(*words)


def in_order(words: Iterable[str]) -> str:
    """A scope as text: known words only, each once, always in the same order."""
    given = set(words)
    return " ".join(word for word in SCOPES if word in given)

"""A verb of a kind of ticket: declared once, and everything about it follows (Decision 7).

Of one declaration come the move table, the permission a mutation demands, `viewerCan`, the value of
the enum in the schema with its description, the mutation's documentation and the row of the
lifecycle in the reference.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from itr.actors.roles import Permission, Role
from itr.errors import DomainError


class MoveNotAllowed(DomainError):
    """The lifecycle has no such move from here (R-REQ-01)."""

    code = "MOVE_NOT_ALLOWED"
    zh = "当前状态为 {current}，不能执行 {verb}。"
    en = "What is {current} has no {verb}."


@dataclass(frozen=True)
class Who:
    """Whose a verb is, of those who carry its permission.

    What is the requesters' stays theirs also when a partner firm has the ticket no more.
    """

    owner: bool = False
    requesters: bool = False
    roles: frozenset[Role] = frozenset()


ANYBODY = Who()
"""The permission alone decides."""


def owner_or(*roles: Role) -> Who:
    """The owner's, and theirs who hold one of these roles."""
    return Who(owner=True, roles=frozenset(roles))


def requester_or(*roles: Role) -> Who:
    """Whoever asked for it or is its contact, and whoever holds one of these roles."""
    return Who(requesters=True, roles=frozenset(roles))


@dataclass(frozen=True, eq=False)
class Verb:
    """The declaration of a verb.

    `to`: where it leads, nowhere when the state stays; `may_stay`: it leads there only sometimes.
    `who` may use it, of those with the permission; `needs` says in Chinese and English what it
    takes beside the state. `called` labels it in both, `does` is a sentence of what it does where
    the label says too little. `done_by` names its mutations, by default one called as the verb.
    `fits` tells of a ticket as it stands whether it is one for the verb, whatever the input, so
    that `viewerCan` promises what then succeeds.
    """

    name: str
    permission: Permission
    from_states: Collection[StrEnum]
    to: Collection[StrEnum] = ()
    who: Who = ANYBODY
    needs: tuple[str, str] | None = None
    called: tuple[str, str] = ("", "")
    does: str = ""
    done_by: tuple[str, ...] = ()
    fits: Callable[[Any], bool] | None = None
    may_stay: bool = False

    @property
    def mutations(self) -> tuple[str, ...]:
        """What clients call to use it."""
        first, *rest = self.name.lower().split("_")
        return self.done_by or ("".join([first, *(each.title() for each in rest)]),)


class Verbs(StrEnum):
    """What can be done to tickets of one kind; each member is made of its declaration."""

    declared: Verb

    def __new__(cls, declared: Verb) -> Self:
        """A member that is its name, and knows what was declared of it."""
        member = str.__new__(cls, declared.name)
        member._value_ = declared.name
        member.declared = declared
        return member


def ensure_can_move(current: StrEnum, verb: Verbs, *path: str) -> None:
    """Refuse a verb the lifecycle does not have from this state (R-REQ-01)."""
    if current not in verb.declared.from_states:
        raise MoveNotAllowed(current=current.value, verb=verb.value, path=path)

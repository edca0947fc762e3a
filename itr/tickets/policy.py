"""Who may use a verb on a ticket, and which verbs are open to an actor (R-ROLE-02, R-ROLE-07)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from itr.actors.actor import Actor, Reach
from itr.errors import DomainError, Forbidden
from itr.tickets.verbs import Verbs, Who, ensure_can_move


class NotOwner(DomainError):
    """Only the named person does this (R-ROLE-07)."""

    code = "NOT_OWNER"
    zh = "只有责任人可以执行此操作。"
    en = "Only its owner may do this."


class HandedBack(DomainError):
    """A partner keeps read-only sight of what it handed back (domain section 1)."""

    code = "HANDED_BACK"
    zh = "已不在贵公司处理，只可查看。"
    en = "It is no longer with your firm; you may only read it."


class Ticket(Protocol):
    """What deciding who may asks of a ticket."""

    @property
    def status(self) -> StrEnum:
        """Where on its lifecycle it stands."""

    @property
    def assignee_id(self) -> UUID | None:
        """Its owner."""

    @property
    def partner_id(self) -> UUID | None:
        """The partner firm that has it."""

    @property
    def requester_id(self) -> UUID | None:
        """Who asked for it."""

    @property
    def contact_id(self) -> UUID | None:
        """Who is talked to about it."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A ticket as it stands for an actor, as far as what can be done to it goes."""

    actor: Actor
    now: datetime
    status: StrEnum
    owner: UUID | None
    partner: UUID | None = None
    requesters: Collection[UUID | None] = ()

    @property
    def owns(self) -> bool:
        """Whether the actor is its owner."""
        return self.owner == self.actor.id


V = TypeVar("V", bound=Verbs)


def ensure_may(actor: Actor, verb: Verbs, ticket: Ticket) -> None:
    """Refuse a verb the actor's roles do not carry, the lifecycle does not have, or another's.

    In this order: Forbidden, HandedBack, MoveNotAllowed, NotOwner.
    """
    who = verb.declared.who
    if not actor.may(verb.declared.permission):
        raise Forbidden()
    if is_partner_without(actor, who, ticket.partner_id):
        raise HandedBack()
    ensure_can_move(ticket.status, verb)
    requesters = {ticket.requester_id, ticket.contact_id}
    if not stands_right(actor, who, owner=ticket.assignee_id, requesters=requesters):
        raise NotOwner()


def is_partner_without(actor: Actor, who: Who, partner_id: UUID | None) -> bool:
    """Whether a partner firm acts on what is not with it (any more)."""
    is_firm = actor.scope.reaches == {Reach.PARTNER}
    return not who.requesters and is_firm and partner_id != actor.organisation_id


def stands_right(
    actor: Actor, who: Who, *, owner: UUID | None, requesters: Collection[UUID | None]
) -> bool:
    """Whether the verb is the actor's to use here: theirs, or a role that stands beside."""
    if not (who.owner or who.requesters or who.roles):
        return True
    named = (who.owner and owner == actor.id) or (who.requesters and actor.id in requesters)
    return named or bool(actor.roles & who.roles)


def verbs_open_to(verbs: type[V], it: Standing) -> list[V]:
    """What the actor could do to a ticket as it stands (`viewerCan`)."""
    return [
        verb
        for verb in verbs
        if it.status in verb.declared.from_states
        and it.actor.may(verb.declared.permission)
        and not is_partner_without(it.actor, verb.declared.who, it.partner)
        and stands_right(it.actor, verb.declared.who, owner=it.owner, requesters=it.requesters)
        and (verb.declared.fits is None or verb.declared.fits(it))
    ]

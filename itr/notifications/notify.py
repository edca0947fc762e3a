"""Notifying people, in the transaction that records what happened: lists and messages that leave.

However many facts, it is written with the rest of the transaction. Each person is told once of each
cause; what leaves the system is delivered later (R-NOT-02).
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient

from itr.events.log import LISTED, Fact
from itr.events.work import Work
from itr.notifications.recipients import Person, Recipients, requests_around
from itr.notifications.rules import OWN_PEOPLE_ONLY, News, is_news, news_of
from itr.notifications.terms import NotificationKind
from itr.notifications.texts import text_of
from itr.people.terms import Channel, Recipient
from itr.writing import Table, Writing

logger = logging.getLogger("itr.notify")


@dataclass(slots=True)
class Told:
    """One person told of one thing, by some channels; `place` is that of the fact."""

    place: int
    news: News
    person: Person
    channels: set[Channel]
    payload: Mapping[str, Any]


_NOTIFICATION = Table(
    "notification",
    {
        "id": "uuid",
        "person_id": "uuid",
        "kind": "text",
        "request_id": "uuid",
        "cause": "text",
        "facts": "jsonb",
        "created_at": "timestamptz",
    },
)
_MESSAGE = Table(
    "outbox",
    {
        "id": "uuid",
        "channel": "text",
        "person_id": "uuid",
        "address": "text",
        "text": "text",
        "key": "text",
        "status": "text",
        "attempts": "int",
        "next_attempt_at": "timestamptz",
        "created_at": "timestamptz",
    },
)
_UNLESS_TOLD = "on conflict do nothing"


async def notify(
    work: Work, facts: Sequence[Fact], now: datetime, around: Recipients | None = None
) -> None:
    """Record facts and notify everybody whom they concern, each once (R-ALM-01, R-NOT-01).

    Facts that are no news to anybody are only recorded. Who wrote a fact is not told of it; the
    fact itself says in whose lists it stands, so that they hear of it at once. What `around` knows
    of the requests is not read; all is written with the rest of the transaction.
    """
    worth = {place: fact for place, fact in enumerate(facts) if is_news(fact)}
    listed: Mapping[int, Mapping[str, str]] = {}
    if worth:
        if around is None:
            around = await requests_around(
                work.connection, {fact.stream for fact in worth.values()}
            )
        told = await _news(work.connection, worth, around)
        _spare_repeats(told)
        listed = _list(work.writing, told, now)
        _send(work.writing, told, now)
    work.record(
        *(
            fact.listed_for(listed[place]) if place in listed else fact
            for place, fact in enumerate(facts)
        )
    )


async def _news(
    connection: BaseDBAsyncClient, facts: Mapping[int, Fact], around: Recipients
) -> list[Told]:
    """Who is to be told what by which channels."""
    news = {
        place: news_of(fact, around.rules(fact.stream), around.requests[fact.stream]["priority"])
        for place, fact in facts.items()
        if fact.stream in around.requests
    }
    recipients = {rule.recipient for each in news.values() for rule in each.notify_rules}
    named = {each.named for each in news.values() if each.named is not None}
    await around.meet(connection, recipients, named=named)
    return [
        told
        for place, each in news.items()
        for told in _told(place, each, around, but=facts[place].by.id)
    ]


def _told(place: int, news: News, around: Recipients, *, but: UUID) -> list[Told]:
    """Everybody the news reaches: one entry a person, whatever they are to the request."""
    request = around.requests[news.request_id]
    payload = {
        **news.payload,
        "number": request["number"],
        "priority": request["priority"],
        "zone": request["zone"],
    }
    found: dict[UUID, Told] = {}
    for rule in news.notify_rules:
        person, stands_in = _person_for(news, rule.recipient, around)
        if person is None or person.id == but:
            continue
        said = {**payload, "standsIn": True} if stands_in else payload
        entry = found.setdefault(person.id, Told(place, news, person, set(), said))
        entry.channels |= _reaching(person, rule.channels)
    return list(found.values())


def _person_for(news: News, recipient: Recipient, around: Recipients) -> tuple[Person | None, bool]:
    """The person a recipient is, or who stands in for them (R-ROLE-07)."""
    if news.named is None:
        person = around.find(recipient, news.request_id)
    else:
        person = around.named(news.named)
    if person is not None and (person.ours or news.kind not in OWN_PEOPLE_ONLY):
        return person, False
    return around.stand_in(recipient, news.request_id), person is None


def _reaching(person: Person, wanted: Sequence[Channel]) -> set[Channel]:
    """The wanted channels that reach the person; the list when none does."""
    addresses = {Channel.LIST: "", Channel.SMS: person.phone, Channel.EMAIL: person.email}
    return {each for each in wanted if addresses[each] is not None} or {Channel.LIST}


def _spare_repeats(told: Sequence[Told]) -> None:
    """Whom an alarm reaches by SMS is not sent another for the escalation it opens."""
    alarmed = {
        (each.person.id, each.news.request_id)
        for each in told
        if each.news.kind is NotificationKind.ALARM and Channel.SMS in each.channels
    }
    for each in told:
        again = (each.person.id, each.news.request_id) in alarmed
        if again and each.news.kind is NotificationKind.ESCALATION:
            each.channels.discard(Channel.SMS)


def _list(writing: Writing, told: Sequence[Told], now: datetime) -> dict[int, dict[str, str]]:
    """Add to lists what is not there yet; the entries by the facts' places, then by person."""
    entries: dict[int, dict[str, str]] = defaultdict(dict)
    rows = []
    for each in told:
        if Channel.LIST in each.channels:
            key = uuid4()
            entries[each.place][str(each.person.id)] = str(key)
            rows.append(
                {
                    "id": key,
                    "person_id": each.person.id,
                    "kind": each.news.kind,
                    "request_id": each.news.request_id,
                    "cause": each.news.cause,
                    "facts": each.payload,
                    "created_at": now,
                }
            )
    writing.add(_NOTIFICATION, *rows, unless=f"{_UNLESS_TOLD} returning id", name=LISTED)
    return entries


def _send(writing: Writing, told: Sequence[Told], now: datetime) -> None:
    rows = [
        {
            "id": uuid4(),
            "channel": channel.value,
            "person_id": each.person.id,
            "address": address,
            "text": _text(each),
            "key": _key(each, channel),
            "status": "WAITING",
            "attempts": 0,
            "next_attempt_at": now,
            "created_at": now,
        }
        for each in told
        for channel, address in (
            (Channel.SMS, each.person.phone),
            (Channel.EMAIL, each.person.email),
        )
        if channel in each.channels
    ]
    writing.add(_MESSAGE, *rows, unless=_UNLESS_TOLD)


def _key(told: Told, channel: Channel) -> str:
    return f"{told.news.cause}:{told.person.id.hex}:{channel.value}"


def _text(told: Told) -> str:
    try:
        return text_of(told.news.kind, told.payload, told.person.language)
    except (KeyError, ValueError):
        logger.exception("no words for %s", told.news.cause)
        return str(told.payload["number"])

"""Telling people, in the transaction that records what happened: lists and messages that leave.

Set-wise: however many facts, a telling is a handful of statements. Each person is told once of
each cause; what leaves the system is delivered later (R-NOT-02).
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actor import SYSTEM, Actor
from itr.events.log import Fact
from itr.events.work import Work
from itr.notifications.recipients import Person, Recipients, recipients_of
from itr.notifications.rules import OWN_PEOPLE_ONLY, News, is_news, news_of
from itr.notifications.terms import Channel, NotificationKind, Recipient
from itr.notifications.texts import text_of

logger = logging.getLogger("itr.telling")


@dataclass(slots=True)
class Told:
    """One person told of one thing, by some channels."""

    news: News
    person: Person
    channels: set[Channel]
    words: Mapping[str, Any]


_LIST = """
insert into notification (id, person_id, kind, request_id, cause, facts, created_at)
select *, $7::timestamptz
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[])
on conflict do nothing returning id, person_id
"""
_SEND = """
insert into outgoing_message
    (id, channel, person_id, address, text, key, status, attempts, next_attempt_at, created_at)
select *, 'WAITING', 0, $7::timestamptz, $7::timestamptz
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[])
on conflict do nothing
"""


async def tell(work: Work, facts: Iterable[Fact], now: datetime) -> None:
    """Tell everybody whom these facts concern, each once (R-ALM-01, R-NOT-01).

    Facts that are no news to anybody cost nothing. Who wrote the fact is not told of it.
    """
    worth = [fact for fact in facts if is_news(fact)]
    if not worth:
        return
    named = {UUID(person) for fact in worth for person in _named(fact)}
    requests = {fact.stream for fact in worth}
    around = await recipients_of(work.connection, requests, named=named)
    told = [each for fact in worth for each in _told(fact, around)]
    _spare_repeats(told)
    await _list(work, told, now)
    await _send(work.connection, told, now)


def _named(fact: Fact) -> Iterator[str]:
    for key in ("owner", "person"):
        if named := fact.payload.get(key):
            yield named


def _told(fact: Fact, around: Recipients) -> list[Told]:
    """Everybody a fact's news reaches: one entry a person, whatever they are to the request."""
    request = around.requests.get(fact.stream)
    if request is None:
        return []
    news = news_of(fact, around.rules(fact.stream), request["priority"])
    words = {
        **news.words,
        "number": request["number"],
        "priority": request["priority"],
        "zone": request["zone"],
    }
    if news.kind is NotificationKind.CONFIRMATION and request["confirmation_at"]:
        words["deadline"] = request["confirmation_at"].isoformat()
    if news.kind is NotificationKind.TASK:
        words["customer"] = request["customer"]
    found: dict[UUID, Told] = {}
    for telling in news.tellings:
        person, stands_in = _person_for(news, telling.recipient, around)
        if person is None or person.id == fact.by.id:
            continue
        said = {**words, "standsIn": True} if stands_in else words
        entry = found.setdefault(person.id, Told(news, person, set(), said))
        entry.channels |= _reaching(person, telling.channels)
    return list(found.values())


def _person_for(news: News, recipient: Recipient, around: Recipients) -> tuple[Person | None, bool]:
    """The person a recipient is, or the dispatch manager in their stead (R-ROLE-07)."""
    if news.named is None:
        person = around.find(recipient, news.request_id)
    else:
        person = around.named(news.named)
    if person is not None and (person.ours or news.kind not in OWN_PEOPLE_ONLY):
        return person, False
    return around.find(Recipient.DISPATCH_MANAGER, news.request_id), person is None


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


async def _list(work: Work, told: Sequence[Told], now: datetime) -> None:
    """Add to lists; each entry is an event, so that its reader hears of it at once."""
    rows = [
        (
            uuid4(),
            each.person.id,
            each.news.kind.value,
            each.news.request_id,
            each.news.cause,
            orjson.dumps(each.words).decode(),
        )
        for each in told
        if Channel.LIST in each.channels
    ]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    added = await work.connection.execute_query_dict(_LIST, [*columns, now])
    work.record(*(list_fact("PersonTold", row, 1, now=now) for row in added))


async def _send(connection: BaseDBAsyncClient, told: Sequence[Told], now: datetime) -> None:
    rows = [
        (uuid4(), channel.value, each.person.id, address, _text(each), _key(each, channel))
        for each in told
        for channel, address in (
            (Channel.SMS, each.person.phone),
            (Channel.EMAIL, each.person.email),
        )
        if channel in each.channels
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute_query(_SEND, [*columns, now])


def list_fact(
    type: str, row: Mapping[str, Any], version: int, *, now: datetime, by: Actor = SYSTEM
) -> Fact:
    """What happened to an entry of a person's list; it stands in the stream of the person."""
    return Fact(
        type=type,
        subject_type="notification",
        subject=row["id"],
        subject_version=version,
        stream=row["person_id"],
        by=by,
        occurred_at=now,
    )


def _key(told: Told, channel: Channel) -> str:
    return f"{told.news.cause}:{told.person.id.hex}:{channel.value}"


def _text(told: Told) -> str:
    try:
        return text_of(told.news.kind, told.words, told.person.language)
    except (KeyError, ValueError):
        logger.exception("no words for %s", told.news.cause)
        return str(told.words["number"])

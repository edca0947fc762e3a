"""A year of requests that came, were worked on and ended: what figures and boards are about.

They are replayed through the verbs in memory, as the past of another system is, and written many
at once: nobody is told of them, and nothing of them is due any more.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from itr.actors.actor import Actor
from itr.catalogue.in_force import current_terms
from itr.demo.course import Cast, Course, registered_at
from itr.demo.data import GOLD, HOUSE, PARTNERS, PEOPLE, QUEUES, SILVER, demo_id
from itr.events.work import transaction
from itr.imports.past_alarms import raise_past_alarms
from itr.people.models import Organisation
from itr.people.operations import load_actor
from itr.requests.models import Request
from itr.requests.rules import PlaceOfWork
from itr.requests.store import save_new, settle_clocks
from itr.sla.calendars_in_force import calendars_in_force

Progress = Callable[[float, str], object]

SOURCE = "demonstration"
"""Where its requests say they come from."""
BATCH = 100
"""Requests written in one transaction."""
ROOM = timedelta(hours=6)
"""What is left for explaining a breach after the end."""
_SEED = 20


async def seed_history(number: int, now: datetime, progress: Progress) -> None:
    """Write so many requests of the year before `now`; a batch that is there already is left."""
    cast, random, done = await _cast(), Random(_SEED), 0
    there = set(await Request.filter(source=SOURCE).values_list("external_id", flat=True))
    for batch in _batches(number):
        progress(done / number, f"历史请求 / history {done}/{number}")
        if not there.intersection(batch):
            await _write([_told(cast, random, name, now) for name in batch])
        done += len(batch)


def _batches(number: int) -> Iterator[list[str]]:
    names = [f"{place:05d}" for place in range(1, number + 1)]
    for start in range(0, number, BATCH):
        yield names[start : start + BATCH]


def _told(cast: Cast, random: Random, name: str, now: datetime) -> Course:
    """One request from beginning to end; what would not have ended by now is told anew."""
    while True:
        course = Course.begin(cast, random, registered_at(random, now))
        course.run()
        if course.work.now < now - ROOM:
            course.work.request.source, course.work.request.external_id = SOURCE, name
            return course


async def _write(courses: list[Course]) -> None:
    async with transaction() as work:
        alarms = [fact for each in courses for fact in raise_past_alarms(each.work)]
        for each in courses:
            await settle_clocks(each.work)
            each.explain_breaches()
        await save_new(work, [each.work for each in courses])
        work.record(*alarms)


async def _cast() -> Cast:
    levels = {
        name: await current_terms(demo_id("service level", name)) for name in (HOUSE, GOLD, SILVER)
    }
    return Cast(
        actors={name: await _actor(name) for name, *_ in PEOPLE},
        places={name: _place(name) for name, *_ in QUEUES},
        levels=levels,
        calendars=await calendars_in_force([each.calendar_id for each in levels.values()], None),
        branches={each.id: each.branch_id for each in await Organisation.all()},
    )


async def _actor(name: str) -> Actor:
    actor = await load_actor(demo_id("person", name))
    assert actor is not None
    return actor


def _place(name: str) -> PlaceOfWork:
    line, owner, members = next((q[1], q[2], q[4]) for q in QUEUES if q[0] == name)
    partner = demo_id("organisation", owner) if owner in PARTNERS else None
    people = frozenset(demo_id("person", member) for member in members)
    return PlaceOfWork(demo_id("queue", name), line, partner, people)

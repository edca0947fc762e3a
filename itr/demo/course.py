"""How one request of the demonstration's past went, from its registration to its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from itr.actors.actor import SYSTEM, Actor
from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import EntitlementOutcome, FaultLevel, Phase, Priority
from itr.demo.data import GOLD, GRAIN, HOUSE, LAKE, LAKE_CONTRACT, RIDGE, SILVER, demo_id
from itr.demo.plots import BREACHES, CHANNELS, MATTERS, WAITS, Matter
from itr.durations import HOUR
from itr.requests.intake import ALPHABET, number_of
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.rules import PlaceOfWork, has_technical_steps
from itr.requests.terms import Charge, RejectionCode, RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import breaches, closing, correspondence, handling, intake, third_parties
from itr.sla.clocks import CalendarInForce
from itr.sla.terms import Thread
from itr.sla.working_time import WorkingCalendar

T = TypeVar("T")

HERE = ZoneInfo("Asia/Shanghai")
DAYS = 364
_CONTACTS: Mapping[str, Sequence[str]] = {
    LAKE: ("梁雪", "宋佳"),
    RIDGE: ("唐宁",),
    GRAIN: ("韩梅",),
}
_FIRST_LINES = {RIDGE: ("北京一线", "李娜")}
_USUAL_FIRST_LINE = ("上海一线", "张伟")
_SECOND, _THIRD, _FIRM = "二线技术支持中心", "三线研发维护", "蓝鲸外包二线"
_LEAD, _DISPATCHER = "陈静", "黄敏"


@dataclass(frozen=True)
class Cast:
    """Who and what the demonstration has, by the names its data give."""

    actors: Mapping[str, Actor]
    places: Mapping[str, PlaceOfWork]
    levels: Mapping[str, ServiceTerms]
    calendars: Mapping[UUID, CalendarInForce]
    branches: Mapping[UUID, UUID | None]


def registered_at(random: Random, now: datetime) -> datetime:
    """An instant of the year before: mostly working days, mostly by day."""
    day = (now - timedelta(days=random.uniform(3, DAYS))).astimezone(HERE)
    if day.weekday() > 4 and random.random() < 0.8:
        day -= timedelta(days=2)
    hour = random.uniform(0, 24) if random.random() < 0.07 else random.triangular(8, 19, 10)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(seconds=round(hour * 3600))


@dataclass
class Course:
    """One request in hand, and how it goes on: each method does the next thing with it."""

    cast: Cast
    random: Random
    work: TicketWork
    matter: Matter
    customer: str
    level: str
    waited_us: int = 0

    @classmethod
    def begin(cls, cast: Cast, random: Random, at: datetime) -> "Course":
        """A customer who comes with a matter at an instant; nothing is registered yet."""
        customer = _one_of(random, ((LAKE, 60), (RIDGE, 22), (GRAIN, 18)))
        matter = _one_of(random, [(each, each.weight) for each in MATTERS])
        level = HOUSE
        if customer == LAKE:
            level = GOLD if random.random() < 0.7 else SILVER
        contact = cast.actors[random.choice(_CONTACTS[customer])]
        work = _blank(cast, random, at, matter, customer, contact)
        work.request.phase = Phase.DELIVERY if level == SILVER else Phase.AFTER_ACCEPTANCE
        return cls(cast, random, work, matter, customer, level)

    def run(self) -> None:
        """From registration to the end."""
        intake.register(self.work)
        if self._chance(0.01):
            self._does(self._first_line[1], minutes=20)
            intake.reject(self.work, RejectionCode.OUT_OF_SCOPE, "不属于服务范围，已电话说明。")
            return
        self._accept()
        if self._chance(0.03):
            self._does(self._contact, minutes=60)
            intake.cancel(self.work, "问题已自行消失，无需处理。")
            return
        self._hand_on()
        self._answer()
        self._wait()
        self._go_up()
        self._restore()
        self._deliver()
        if self._chance(0.05):
            self._does(self._contact, minutes=300)
            closing.reject_solution(self.work, "问题再次出现。", service_down=False)
            self._does(self._owner, minutes=240)
            handling.deliver(self.work, "补充处理后复测正常。", restores_service=True)
        self._close()

    def explain_breaches(self) -> None:
        """Most breaches were explained and approved; some wait for somebody yet (R-SLA-05)."""
        for thread, clock in sorted(self.work.clocks.items()):
            if clock.breached_at is None or self._chance(0.1):
                continue
            reason, note = _pair_of(self.random, BREACHES)
            self._does(self._owner, minutes=30)
            breaches.explain(self.work, thread, reason, note)
            if self._chance(0.9):
                self._does(_LEAD, minutes=20)
                breaches.approve(self.work, thread)

    def _accept(self) -> None:
        terms, chargeable = self.cast.levels[self.level], self.level == HOUSE
        line = {GOLD: 1, SILVER: 2}.get(self.level)
        line_id = demo_id("contract line", f"{LAKE_CONTRACT}/{line}") if line else None
        outcome = EntitlementOutcome.ENTITLED
        if chargeable:
            outcome, self.work.request.charge = EntitlementOutcome.CHARGEABLE, Charge.ACCEPTED
        self._does(self._first_line[1], minutes=12 * self._haste)
        found = intake.Authorised(outcome, line_id, terms, "-")
        intake.accept(self.work, self.matter.classification, found)

    def _hand_on(self) -> None:
        queue, person = self._first_line
        place = self.cast.places[queue]
        self._does(_DISPATCHER, minutes=5 * self._haste)
        handling.dispatch(self.work, place, None)
        self._does(person, minutes=8 * self._haste)
        handling.start(self.work, place)

    def _answer(self) -> None:
        self._does(self._owner, at=self._after(Thread.RESPONSE, mean=-1.3, spread=0.75))
        correspondence.respond(self.work, "已收到，正在处理。")

    def _wait(self) -> None:
        if not self._chance(0.25):
            return
        self._does(self._owner, minutes=30)
        reason, note = _pair_of(self.random, WAITS)
        handling.wait(self.work, reason, note)
        waited = round(self.random.uniform(1, 20) * HOUR)
        self._does(self._owner, at=self._calendar.add(self.work.now, waited))
        self.waited_us += waited
        handling.resume(self.work, None)

    def _go_up(self) -> None:
        """To the second line, some to the third, some to a partner firm and back."""
        if not self._chance(0.38):
            return
        second = self.random.choice(("王强", "周敏"))
        self._escalate(_SECOND, second, "需要抓包分析。")
        if self._chance(0.2):
            self._escalate(_THIRD, "刘洋", "疑似软件缺陷，请研发分析。")
        elif self._chance(0.15):
            self._does(_DISPATCHER, minutes=15)
            firm, home = self.cast.places[_FIRM], self.cast.places[_SECOND]
            person = self.cast.actors["冯凯"].id
            third_parties.hand_to_partner(self.work, firm, person, "需要现场处理。", waiting=False)
            self._does(_DISPATCHER, minutes=200)
            owner = self.cast.actors[second].id
            third_parties.take_back(self.work, home, owner, "现场已处理，由我方复测。")

    def _escalate(self, queue: str, person: str, why: str) -> None:
        self._does(self._owner, minutes=40)
        place, whose = self.cast.places[queue], self.cast.actors[person].id
        handling.change_line(self.work, RequestVerb.ESCALATE, place, whose, why)

    def _restore(self) -> None:
        if not has_technical_steps(self.matter.kind) or not self._chance(0.5):
            return
        self._does(self._owner, at=self._after(Thread.RESTORATION, mean=-1.1, spread=0.6))
        handling.restore(self.work, "已切换到备用设备，业务恢复。")

    def _deliver(self) -> None:
        up_by_it = Thread.RESTORATION if self.work.request.service_down else Thread.RESOLUTION
        self._does(self._owner, at=self._after(up_by_it, mean=-1.2, spread=0.65))
        handling.deliver(self.work, self.matter.solution, restores_service=True)

    def _close(self) -> None:
        if self._chance(0.7):
            self._does(self._contact, minutes=900)
            closing.confirm(self.work, self.work.actor.id)
        else:
            days = self.work.terms.confirmation_days
            self._does(None, at=self._calendar.add_days(self.work.now, days))
            closing.confirm_by_silence(self.work)
        self._does(self._owner, minutes=240)
        closing.close(self.work)

    @property
    def _first_line(self) -> tuple[str, str]:
        return _FIRST_LINES.get(self.customer, _USUAL_FIRST_LINE)

    @property
    def _haste(self) -> float:
        """The share of the usual time people take before they answer."""
        critical = self.matter.classification.fault_level is FaultLevel.CRITICAL
        return 0.15 if critical else 1

    @property
    def _contact(self) -> Actor:
        contact = self.work.request.contact_id
        return next(each for each in self.cast.actors.values() if each.id == contact)

    @property
    def _owner(self) -> Actor:
        owner = self.work.request.assignee_id or self.cast.actors[self._first_line[1]].id
        return next(each for each in self.cast.actors.values() if each.id == owner)

    @property
    def _calendar(self) -> WorkingCalendar:
        return self.cast.calendars[self.work.terms.calendar_id].working

    def _after(self, thread: Thread, *, mean: float, spread: float) -> datetime:
        """When this much of a thread's promise was spent; now and then all of it and more."""
        start, calendar = self.work.request.registered_at, self._calendar
        target = self.work.terms.target(self.work.request.priority, thread)
        assert target is not None
        amount = target.us
        if amount is None:
            amount = calendar.elapsed(start, calendar.add_days(start, target.amount))
        share = self.random.lognormvariate(mean, spread)
        paused = 0 if thread is Thread.RESPONSE else self.waited_us
        return calendar.add(start, round(amount * share) + paused)

    def _does(
        self, who: Actor | str | None, *, minutes: float = 0, at: datetime | None = None
    ) -> None:
        """Somebody acts, no sooner than a minute after what was before; None is the system."""
        actor = self.cast.actors[who] if isinstance(who, str) else who
        soon = self.work.now + timedelta(minutes=1)
        took = timedelta(minutes=self.random.uniform(0.3, 1.7) * minutes)
        self.work.actor = actor or SYSTEM
        self.work.now = max(soon, at or self.work.now + took).replace(microsecond=0)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share


def _blank(
    cast: Cast, random: Random, at: datetime, matter: Matter, customer: str, contact: Actor
) -> TicketWork:
    letters = "".join(random.choice(ALPHABET) for _ in range(4))
    customer_id, terms = demo_id("organisation", customer), cast.levels[HOUSE]
    request = Request(
        id=uuid4(),
        number=number_of(at.astimezone(HERE), letters),
        kind=matter.kind,
        status=RequestStatus.REGISTERED,
        title=matter.title,
        description=matter.description,
        channel=_one_of(random, CHANNELS),
        customer_id=customer_id,
        contact_id=contact.id,
        requester_id=contact.id,
        product_id=demo_id("product", matter.product),
        branch_id=cast.branches[customer_id],
        priority=Priority.P3,
        service_level_version_id=terms.version_id,
        service_down=has_technical_steps(matter.kind),
        registered_at=at,
        updated_at=at,
    )
    return TicketWork(
        actor=contact,
        now=at,
        request=request,
        terms=terms,
        calendars=cast.calendars,
        historic=True,
    )


def _one_of(random: Random, weighted: Sequence[tuple[T, int]]) -> T:
    return random.choices([each for each, _ in weighted], [weight for _, weight in weighted])[0]


def _pair_of(random: Random, weighted: Sequence[tuple[T, str, int]]) -> tuple[T, str]:
    return _one_of(random, [((each, words), weight) for each, words, weight in weighted])

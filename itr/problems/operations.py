"""What can be done to problems: open one from a request, link it, find its cause, solve it."""

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.errors import Forbidden, NotFound, Stale
from itr.events.log import Audience, Fact
from itr.events.work import Work, transaction
from itr.problems import rules
from itr.problems.models import Problem
from itr.problems.terms import ProblemStatus
from itr.requests.intake import ALPHABET
from itr.requests.lifecycle import RequestVerb
from itr.requests.rules import LONGEST_TITLE
from itr.requests.store import save
from itr.requests.taking import take
from itr.requests.ticket_work import TicketWork
from itr.sight.problems import visible_problems
from itr.texts import ensure_text


async def open_problem(
    actor: Actor,
    request_id: UUID,
    *,
    title: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Open the problem behind a request and link it, in one step; returns the request's id."""
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        _ensure_links(in_hand)
        problem = Problem(
            id=uuid4(),
            number=await _free_number(now),
            title=ensure_text(title, "title", limit=LONGEST_TITLE),
            status=ProblemStatus.OPEN,
            created_by=actor.id,
            created_at=in_hand.now,
        )
        await _record(work, actor, problem, "ProblemOpened", in_hand.now)
        _link(in_hand, problem)
        await save(work, in_hand)
    return request_id


async def link_problem(
    actor: Actor,
    request_id: UUID,
    *,
    problem_id: UUID,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Link a request to a problem that is known already; another link replaces the former."""
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        _ensure_links(in_hand)
        problem = await _lock(work.connection, actor, problem_id, "problemId")
        if problem.status is ProblemStatus.CLOSED:
            raise rules.ProblemClosed(path=["problemId"])
        if in_hand.request.problem_id == problem.id:
            raise rules.AlreadyLinked(path=["problemId"])
        _link(in_hand, problem)
        await save(work, in_hand)
    return request_id


async def advance_problem(
    actor: Actor,
    problem_id: UUID,
    *,
    status: ProblemStatus,
    root_cause: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Take a problem one step on; finding the cause tells it (R-LNK-01)."""
    if not actor.may(Permission.MANAGE_PROBLEMS):
        raise Forbidden()
    async with transaction() as work:
        problem = await _lock(work.connection, actor, problem_id, "id")
        if expected_version is not None and expected_version != problem.version:
            raise Stale(current=problem.version, path=["expectedVersion"])
        rules.ensure_step(problem.status, status)
        rules.ensure_cause(status, root_cause)
        if root_cause is not None:
            problem.root_cause = ensure_text(root_cause, "rootCause")
        before, problem.status = problem.status, status
        await _record(work, actor, problem, "ProblemAdvanced", now, before)
        work.subject_id = problem.id
    return problem_id


def _ensure_links(in_hand: TicketWork) -> None:
    in_hand.ensure_may(RequestVerb.LINK_PROBLEM)


def _link(in_hand: TicketWork, problem: Problem) -> None:
    in_hand.request.problem_id = problem.id
    words = {"problem": str(problem.id), "text": f"{problem.number} {problem.title}"}
    in_hand.record("ProblemLinked", Audience.INTERNAL, words)


async def _lock(
    connection: BaseDBAsyncClient, actor: Actor, problem_id: UUID, *path: str
) -> Problem:
    """Lock a problem within sight until the transaction ends. Raises NotFound at `path`."""
    condition, values = visible_problems(actor).numbered("p", 1)
    found = await connection.execute_query_dict(
        f"select id from problem p where id = $1 and {condition} for update", [problem_id, *values]
    )
    if not found:
        raise NotFound(path=path)
    return await Problem.get(id=problem_id)


async def _record(
    work: Work,
    actor: Actor,
    problem: Problem,
    type: str,
    now: datetime,
    before: ProblemStatus | None = None,
) -> None:
    problem.version += 1
    await problem.save(force_create=not problem._saved_in_db)
    payload = {"title": problem.title, "to": problem.status.value, "rootCause": problem.root_cause}
    work.record(
        Fact(
            type=type,
            subject_type="problem",
            subject=problem.id,
            subject_version=problem.version,
            stream=problem.id,
            by=actor,
            occurred_at=now,
            payload=payload | ({"from": before.value} if before else {}),
        )
    )


async def _free_number(now: datetime) -> str:
    while True:
        letters = "".join(secrets.choice(ALPHABET) for _ in range(4))
        number = f"PR-{now:%y%m%d}-{letters}"
        if not await Problem.exists(number=number):
            return number

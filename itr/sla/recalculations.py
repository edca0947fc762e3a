"""Long computations over many requests as rows: begun here, worked off elsewhere (Decision 4)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.events.log import Fact
from itr.events.work import Work
from itr.sla.models import Recalculation
from itr.sla.terms import RecalculationKind, RecalculationStatus


async def begin(
    work: Work, actor: Actor, kind: RecalculationKind, wanted: Mapping[str, Any], now: datetime
) -> UUID:
    """Have the worker compute something; returns the row's id, which tells its progress."""
    row = await Recalculation.create(
        id=uuid4(),
        kind=kind,
        status=RecalculationStatus.WAITING,
        wanted=dict(wanted),
        created_by=actor.id,
        created_at=now,
    )
    work.subject_id = row.id
    work.record(progressed(row, actor, now))
    return row.id


def progressed(row: Recalculation, by: Actor, now: datetime) -> Fact:
    """How far it is, for those who follow it."""
    return Fact(
        type="RecalculationProgressed",
        subject_type="recalculation",
        subject=row.id,
        subject_version=row.version,
        stream=row.id,
        by=by,
        occurred_at=now,
        payload={
            "kind": row.kind.value,
            "status": row.status.value,
            "done": row.done,
            "total": row.total,
        },
    )

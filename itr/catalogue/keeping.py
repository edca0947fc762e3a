"""Keeping rows of the catalogue by id or by name, each with the fact that it was kept."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from tortoise.models import Model

from itr.actors.actor import Actor
from itr.errors import NotFound, PathItem
from itr.events.log import Fact
from itr.events.work import Work
from itr.people.history import next_version
from itr.people.names import NameTaken

M = TypeVar("M", bound=Model)


async def ensure_exists(model: type[M], wanted: UUID, *path: PathItem) -> M:
    """The row with this id. Raises NotFound at `path`."""
    found = await model.get_or_none(id=wanted)
    if found is None:
        raise NotFound(path=path)
    return found


async def keep(model: type[M], wanted: UUID | None, new: bool | None, **values: Any) -> M:
    """Lock and change the row with this id or natural key, or make it; its customer stays.

    `new` says whether there may be one already; None: as it happens to be. Raises NotFound,
    NameTaken.
    """
    key = "number" if "number" in values else "name"
    which = {"id": wanted} if wanted is not None else {key: values[key]}
    row = await model.filter(**which).select_for_update(no_key=True).first()
    if row is None:
        if new is False:
            raise NotFound(path=["id"])
        return await model.create(id=wanted or uuid4(), **values)
    if new:
        raise NameTaken(path=[key])
    values.pop("customer_id", None)
    await row.update_from_dict(values).save(update_fields=list(values))
    return row


async def record(
    work: Work,
    actor: Actor,
    kind: str,
    subject: UUID,
    now: datetime,
    told: Mapping[str, Any],
    customer_id: UUID | None = None,
    *,
    verb: str = "Saved",
) -> None:
    """Tell that a row of this kind was kept; the work is about it."""
    work.subject_id = subject
    work.record(
        Fact(
            type=f"{kind}{verb}",
            subject_type=re.sub("(?<!^)(?=[A-Z])", "_", kind).lower(),
            subject=subject,
            subject_version=await next_version(work, subject),
            stream=subject,
            by=actor,
            occurred_at=now,
            customer_id=customer_id,
            payload=told,
        )
    )

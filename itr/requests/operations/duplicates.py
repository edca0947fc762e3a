"""Merging duplicates (R-REQ-13): one transaction over both requests."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.catalogue.authorisation import return_quota
from itr.events.work import transaction
from itr.requests import child_request_rules
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.child_requests import open_children
from itr.requests.store import lock_visible, save, take
from itr.requests.verbs import duplicates
from itr.sight.requests import visible_requests


async def merge_requests(
    actor: Actor,
    duplicate_id: UUID,
    survivor_id: UUID,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """End a duplicate in the request that stays, which keeps the earliest registration time.

    What the duplicate took of a quota is given back. Returns the survivor's id; both are locked
    in one order, so two mergers never wait for each other.
    """
    async with transaction() as work:
        sight = visible_requests(actor)
        names = {duplicate_id: "duplicateId", survivor_id: "survivorId"}
        for key in sorted(names):
            await lock_visible(work.connection, key, sight, names[key])
        duplicate = await take(work, actor, duplicate_id, now, expected_version)
        survivor = await take(work, actor, survivor_id, now)
        duplicate.ensure_may(RequestVerb.MERGE)
        child_request_rules.ensure_merges(duplicate.request, survivor.request)
        child_request_rules.ensure_no_open_children(await open_children(duplicate_id))
        duplicates.end_in(duplicate, survivor.request)
        duplicates.take_over(survivor, duplicate)
        await return_quota(work, duplicate_id, duplicate.now)
        await save(work, duplicate)
        await save(work, survivor)
    return survivor_id

"""Merging duplicates (R-REQ-13): one transaction over both requests."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.catalogue.authorisation import return_quota
from itr.errors import NotFound
from itr.events.work import transaction
from itr.requests import child_request_rules
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.child_requests import open_children
from itr.requests.store import save
from itr.requests.taking import ensure_current, take_all
from itr.requests.verbs import duplicates


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
    async with transaction(claim_at_once=False) as work:
        names = {duplicate_id: "duplicateId", survivor_id: "survivorId"}
        found = await take_all(work, actor, list(names), now)
        in_hand = {each.request.id: each for each in found}
        for key in sorted(names.keys() - in_hand.keys()):
            raise NotFound(path=[names[key]])
        duplicate, survivor = in_hand[duplicate_id], in_hand[survivor_id]
        ensure_current(duplicate, expected_version)
        duplicate.ensure_may(RequestVerb.MERGE)
        child_request_rules.ensure_merges(duplicate.request, survivor.request)
        child_request_rules.ensure_no_open_children(await open_children(duplicate_id))
        duplicates.end_in(duplicate, survivor.request)
        duplicates.take_over(survivor, duplicate)
        return_quota(work, duplicate_id, duplicate.now)
        await save(work, duplicate)
        await save(work, survivor)
    return survivor_id

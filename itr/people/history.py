"""Numbering the facts of things whose tables keep no version of their own."""

from uuid import UUID

from itr.events.work import Work

_NEXT = "select coalesce(max(subject_version), 0) + 1 as next from event where subject = $1"


async def next_version(work: Work, subject: UUID) -> int:
    """The version the subject's next fact has; the caller holds the subject's row locked."""
    rows = await work.connection.execute_query_dict(_NEXT, [subject])
    queued = sum(1 for fact in work.facts if fact.subject == subject)
    return int(rows[0]["next"]) + queued

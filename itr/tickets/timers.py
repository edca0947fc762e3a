"""Setting the timers of tickets: at most one of a kind, written when the transaction ends."""

from datetime import datetime
from uuid import UUID, uuid4

from itr.writing import Table, Writing

_TIMER = Table(
    "timer", {"id": "uuid", "kind": "text", "request_id": "uuid", "due_at": "timestamptz"}
)
_SET_ANEW = "on conflict (request_id, kind) do update set due_at = excluded.due_at"


def set_timer(writing: Writing, ticket_id: UUID, kind: str, due_at: datetime | None) -> None:
    """Have a timer go off then, whatever it was set to; None: no more."""
    which = {"request_id": ticket_id, "kind": kind}
    if due_at is None:
        writing.remove(_TIMER, which)
    else:
        row = {"id": uuid4(), **which, "due_at": due_at}
        writing.add(_TIMER, row, unless=_SET_ANEW)

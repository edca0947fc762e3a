"""The shapes of feeds: a snapshot, then changes and removals, resumable (Decision 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import payload_field
from api.planner.stored import stored_type
from api.schema.vocabulary import CURSOR
from api.transport.watch import Kind, Update
from itr.sight.row_filter import RowFilter


@dataclass(frozen=True)
class Feed:
    """What a feed of a stored type tells: four types, and the union of them."""

    target: type
    one: str
    snapshot: Any
    changed: Any
    removed: Any
    resync: Any
    message: Any

    def messages_of(self, update: Update) -> Iterator[object]:
        """One message for one update."""
        cursor, key = update.cursor, update.subject
        if update.kind is Kind.SNAPSHOT:
            yield self.snapshot(keys=list(update.versions), cursor=cursor, complete=update.complete)
        elif update.kind is Kind.RESYNC:
            yield self.resync(cursor=cursor)
        elif update.kind is Kind.CHANGED:
            event_keys = [event.uid for event in update.events]
            yield self.changed(
                key=key, event_keys=event_keys, cursor=cursor, version=update.version
            )
        else:
            assert key is not None
            public = strawberry.ID(stored_type(self.target).write_id(key))
            yield self.removed(cursor=cursor, **{f"{self.one}_id": public})


@strawberry.type
class _Message:
    cursor: str = strawberry.field(description=CURSOR)


@strawberry.type
class _Snapshot(_Message):
    keys: strawberry.Private[list[UUID]]


@strawberry.type
class _Changed(_Message):
    key: strawberry.Private[UUID]
    event_keys: strawberry.Private[list[UUID]]


def feed_of(
    target: type,
    *,
    name: str,
    stem: str,
    one: str,
    many: str,
    listed: int,
    order: str,
    first: str,
    told_by: str,
    also: type | None = None,
    also_changed: type | None = None,
) -> Feed:
    """Make the messages of a feed of a stored type: `Snapshot`, `Changed`, `Removed`, `Resync`.

    `name` is the subscription's, `told_by` its union's, and `stem` begins the names of the types;
    `one` and `many` are what an item and the items are called. A snapshot lists the first `listed`
    of the items by `order` (SQL over `{t}`), in words the `first` ones. `also` are fields of a
    snapshot and of a change, `also_changed` of a change only.
    """
    snapshot = _type(
        f"{stem}Snapshot",
        f"What matches now of the {many}; later messages change this picture. 快照",
        (_Snapshot, also),
        complete=(bool, f"False when there are more than the {listed} listed, {first} first."),
        **{many: _items(many, target, order, first)},
    )
    changed = _type(
        f"{stem}Changed",
        f"One of the {many} changed, or came to match. 变更",
        (_Changed, also, also_changed),
        version=(int, f"Of the {one}; the higher version wins."),
        **{one: (target | None, payload_field("key", description=f"The {one} as it is now."))},
    )
    removed = _type(
        f"{stem}Removed",
        f"One of the {many} no longer matches, or is out of your sight. 移除",
        (_Message,),
        **{f"{one}_id": (strawberry.ID, f"Which of the {many}.")},
    )
    resync = _type(
        f"{stem}Resync",
        "The cursor is too old; forget what you have, a snapshot follows. 重新同步",
        (_Message,),
    )
    kinds: Any = snapshot | changed | removed | resync
    message = Annotated[
        kinds,
        strawberry.union(told_by, description=f"What `{name}` tells: a snapshot, then changes."),
    ]
    return Feed(target, one, snapshot, changed, removed, resync, message)


def _items(many: str, target: type, order: str, first: str) -> Any:
    """The field of a snapshot that reads its items, in one statement."""

    async def read(self: Any, info: strawberry.Info) -> Any:
        listed = RowFilter("{alias}.id = any(:keys::uuid[])", {"keys": self.keys})
        return await planner.many(info, target, where=listed, order=order)

    kind: Any = list[target]  # type: ignore[valid-type]
    read.__annotations__["return"] = kind
    return strawberry.field(read, description=f"The {many}, {first} first.")


def _type(name: str, description: str, bases: tuple[type | None, ...], **fields: Any) -> Any:
    """A type of these bases with these fields: a description with its type, or a field made."""
    members: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": description,
        "__annotations__": {},
    }
    for each, given in fields.items():
        if isinstance(given, tuple):
            kind, shown = given
            members["__annotations__"][each] = kind
            members[each] = strawberry.field(description=shown) if isinstance(shown, str) else shown
        else:
            members[each] = given
    made = type(name, tuple(base for base in bases if base is not None), members)
    return strawberry.type(made, description=description)

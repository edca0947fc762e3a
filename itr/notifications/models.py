"""Tables of being told: a person's list, and messages that leave the system (R-NOT)."""

from uuid import UUID

from tortoise import fields

from itr.notifications.terms import MessageStatus, NotificationKind
from itr.people.models import Person
from itr.people.terms import Channel
from itr.tables import Table


class Notification(Table):
    """One entry of a person's list; `cause` makes it come once."""

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="notifications", on_delete=fields.CASCADE
    )
    person_id: UUID
    kind = fields.CharEnumField(NotificationKind, max_length=14)
    request: fields.ForeignKeyNullableRelation[Table] = fields.ForeignKeyField(
        "itr.Request", related_name="notifications", null=True, on_delete=fields.RESTRICT
    )
    request_id: UUID | None
    cause = fields.CharField(max_length=120)
    facts: fields.JSONField[dict[str, object]] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notification"
        unique_together = (("person", "cause"),)


class OutboxMessage(Table):
    """A message that leaves the system at least once; `key` lets the receiver drop repeats."""

    id = fields.UUIDField(primary_key=True)
    channel = fields.CharEnumField(Channel, max_length=6)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="messages", on_delete=fields.CASCADE
    )
    person_id: UUID
    address = fields.CharField(max_length=200)
    text = fields.TextField()
    key = fields.CharField(max_length=160, unique=True)
    status = fields.CharEnumField(MessageStatus, max_length=8)
    attempts = fields.IntField(default=0)
    next_attempt_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "outbox"

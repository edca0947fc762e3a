"""Tables of people: organisations, persons, roles, queues (R-ORG-01, R-ORG-04)."""

from datetime import datetime
from uuid import UUID

from tortoise import fields

from itr.actors.roles import OrganisationKind, Role
from itr.columns import text_or_null
from itr.tables import Table


class Organisation(Table):
    """An own branch, a customer or a partner."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(OrganisationKind, max_length=10)
    name = fields.CharField(max_length=200)
    branch: fields.ForeignKeyNullableRelation["Organisation"] = fields.ForeignKeyField(
        "itr.Organisation", related_name="served", null=True, on_delete=fields.RESTRICT
    )
    branch_id: UUID | None
    phone = fields.CharField(max_length=40, null=True)
    email = fields.CharField(max_length=200, null=True)
    make_up_days = fields.BooleanField(default=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "organisation"


class Person(Table):
    """Somebody who acts, or a partner firm's machine; belongs to one organisation."""

    id = fields.UUIDField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="persons", on_delete=fields.RESTRICT
    )
    organisation_id: UUID
    name = fields.CharField(max_length=200)
    email = fields.CharField(max_length=200, null=True, db_index=True)
    phone = fields.CharField(max_length=40, null=True, db_index=True)
    language = fields.CharField(max_length=2, default="zh")
    password_hash: str | None = text_or_null(200)
    must_change_password = fields.BooleanField(default=False, db_default=False)
    machine = fields.BooleanField(default=False)
    active = fields.BooleanField(default=True)
    erased_at: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "person"


class FormerDetail(Table):
    """What a person's name, e-mail address or telephone was before; the log tells only that it was.

    `version` is that of the fact in the log which tells of the change (R-ROLE-09).
    """

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="former_details", on_delete=fields.CASCADE
    )
    person_id: UUID
    field = fields.CharField(max_length=8)
    value = fields.CharField(max_length=200)
    version = fields.IntField()
    until = fields.DatetimeField()

    class Meta:
        table = "former_detail"


class RoleAssignment(Table):
    """One role of one person; permissions are the union (R-ROLE-01)."""

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="role_assignments", on_delete=fields.CASCADE
    )
    person_id: UUID
    role = fields.CharEnumField(Role, max_length=24)

    class Meta:
        table = "role_assignment"
        unique_together = (("person", "role"),)


class Queue(Table):
    """Where work of one line waits for somebody to take it (R-ORG-04)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200)
    line = fields.SmallIntField()
    branch: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="queues", null=True, on_delete=fields.RESTRICT
    )
    branch_id: UUID | None
    partner: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="partner_queues", null=True, on_delete=fields.RESTRICT
    )
    partner_id: UUID | None
    lead: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="led_queues", null=True, on_delete=fields.RESTRICT
    )
    lead_id: UUID | None

    class Meta:
        table = "queue"


class QueueMember(Table):
    """A person who may take work of a queue."""

    id = fields.UUIDField(primary_key=True)
    queue: fields.ForeignKeyRelation[Queue] = fields.ForeignKeyField(
        "itr.Queue", related_name="memberships", on_delete=fields.CASCADE
    )
    queue_id: UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="queue_memberships", on_delete=fields.CASCADE
    )
    person_id: UUID

    class Meta:
        table = "queue_member"
        unique_together = (("queue", "person"),)

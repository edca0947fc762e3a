"""Tables of problems: causes behind requests (R-LNK-01)."""

from tortoise import fields

from itr.problems.terms import ProblemStatus
from itr.tables import Table


class Problem(Table):
    """The cause behind one or more requests."""

    id = fields.UUIDField(primary_key=True)
    number = fields.CharField(max_length=24, unique=True)
    version = fields.IntField(default=0, db_default=0)
    title = fields.CharField(max_length=400)
    status = fields.CharEnumField(ProblemStatus, max_length=12)
    root_cause = fields.TextField(null=True)
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "problem"

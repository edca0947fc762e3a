"""Tables beside the event log: idempotency keys and the database's epoch."""

from tortoise import fields

from itr.tables import Table


class MutationKey(Table):
    """What a `clientMutationId` already did, so that it is done once (S13)."""

    id = fields.UUIDField(primary_key=True)
    actor_id = fields.UUIDField()
    client_id = fields.CharField(max_length=100)
    key = fields.CharField(max_length=200)
    mutation = fields.CharField(max_length=60)
    fingerprint = fields.CharField(max_length=64)
    subject_id = fields.UUIDField(null=True)
    failures: fields.JSONField[list[dict[str, object]]] = fields.JSONField(default=list)
    created_at = fields.DatetimeField()

    class Meta:
        table = "mutation_key"
        unique_together = (("actor_id", "client_id", "key"),)


class Epoch(Table):
    """Which life of the database this is; renewed after a restore (Decision 3)."""

    id = fields.SmallIntField(primary_key=True)
    value = fields.UUIDField()
    life = fields.CharField(max_length=80, null=True)

    class Meta:
        table = "epoch"

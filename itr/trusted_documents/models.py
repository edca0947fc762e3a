"""Tables of trusted documents and of usage."""

from tortoise import fields

from itr.tables import Table


class TrustedDocument(Table):
    """A document a client may run by its SHA-256, or by the id its build gave it."""

    id = fields.UUIDField(primary_key=True)
    client_id = fields.CharField(max_length=100)
    sha256 = fields.CharField(max_length=64)
    alias = fields.CharField(max_length=200)
    name = fields.CharField(max_length=200)
    body = fields.TextField()
    added_at = fields.DatetimeField()

    class Meta:
        table = "trusted_document"
        unique_together = (("client_id", "sha256"), ("client_id", "alias"))


class DocumentUse(Table):
    """How often a client ran a document on a day."""

    id = fields.BigIntField(primary_key=True)
    day = fields.DateField()
    client_id = fields.CharField(max_length=100)
    sha256 = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    uses = fields.BigIntField()
    last_used_at = fields.DatetimeField()

    class Meta:
        table = "document_use"
        unique_together = (("day", "client_id", "sha256", "name"),)


class FieldUse(Table):
    """How often a client's documents asked for a field or an argument on a day."""

    id = fields.BigIntField(primary_key=True)
    day = fields.DateField()
    client_id = fields.CharField(max_length=100)
    coordinate = fields.CharField(max_length=200)
    uses = fields.BigIntField()
    last_used_at = fields.DatetimeField()

    class Meta:
        table = "field_use"
        unique_together = (("day", "client_id", "coordinate"),)

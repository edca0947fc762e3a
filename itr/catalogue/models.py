"""Tables of the catalogue: products, packages, service levels, contracts, projects (R-CAT)."""

from uuid import UUID

from tortoise import fields

from itr.catalogue.terms import ChargeKind, Phase, QuotaUnit
from itr.columns import enum_or_null
from itr.people.models import Organisation, Person
from itr.sla.models import Calendar
from itr.sla.terms import Thread, WaitingReason
from itr.tables import Table


class Product(Table):
    """Something customers have and ask about; `served` says whether we serve it at all."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    served = fields.BooleanField(default=True)

    class Meta:
        table = "product"


class CatalogueItem(Table):
    """A service that can be priced alone and has one measurable target (R-CAT-01)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    charge_kind = fields.CharEnumField(ChargeKind, max_length=16)
    price = fields.DecimalField(max_digits=14, decimal_places=2)
    currency = fields.CharField(max_length=3, default="CNY")
    tax_percent = fields.DecimalField(max_digits=6, decimal_places=3, default=0, db_default=0)
    target = fields.CharField(max_length=400)
    quality_standard = fields.TextField()
    product: fields.ForeignKeyNullableRelation[Product] = fields.ForeignKeyField(
        "itr.Product", related_name="items", null=True, on_delete=fields.RESTRICT
    )
    product_id: UUID | None

    class Meta:
        table = "catalogue_item"


class ServiceProduct(Table):
    """Catalogue items sold together (R-CAT-01)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    items: fields.ManyToManyRelation[CatalogueItem] = fields.ManyToManyField(
        "itr.CatalogueItem", related_name="service_products", through="service_product_item"
    )

    class Meta:
        table = "service_product"


class Package(Table):
    """Service products sold together (R-CAT-01)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    service_products: fields.ManyToManyRelation[ServiceProduct] = fields.ManyToManyField(
        "itr.ServiceProduct", related_name="packages", through="package_service_product"
    )

    class Meta:
        table = "package"


class ServiceLevel(Table):
    """A named promise, e.g. Gold; its highest version is what new requests get (R-CAT-03)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    house = fields.BooleanField(default=False)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "service_level"


class ServiceLevelVersion(Table):
    """What a service level promised from some edit on; never changed afterwards (R-CAT-03).

    `matrix` is its own priority matrix, or null for the default one (R-PRI-01);
    `alarm_percents` are the levels of R-ALM-01, `alarm_rules` whom they tell how, `ola_shares` the
    share of each control point (R-CP-01); null is the default.
    """

    id = fields.UUIDField(primary_key=True)
    service_level: fields.ForeignKeyRelation[ServiceLevel] = fields.ForeignKeyField(
        "itr.ServiceLevel", related_name="versions", on_delete=fields.RESTRICT
    )
    service_level_id: UUID
    number = fields.IntField()
    calendar: fields.ForeignKeyRelation[Calendar] = fields.ForeignKeyField(
        "itr.Calendar", related_name="service_level_versions", on_delete=fields.RESTRICT
    )
    calendar_id: UUID
    matrix: fields.JSONField[dict[str, dict[str, str]] | None] = fields.JSONField(null=True)
    alarm_percents: fields.JSONField[list[int]] = fields.JSONField()
    alarm_rules: fields.JSONField[dict[str, object] | None] = fields.JSONField(null=True)
    ola_shares: fields.JSONField[dict[str, str] | None] = fields.JSONField(null=True)
    confirmation_days = fields.SmallIntField(default=3)
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "service_level_version"
        unique_together = (("service_level", "number"),)


class ServiceTarget(Table):
    """How long one thread may take at one priority: working hours or working days (R-CAT-03)."""

    id = fields.UUIDField(primary_key=True)
    version: fields.ForeignKeyRelation[ServiceLevelVersion] = fields.ForeignKeyField(
        "itr.ServiceLevelVersion", related_name="targets", on_delete=fields.CASCADE
    )
    version_id: UUID
    priority = fields.CharField(max_length=2)
    thread = fields.CharEnumField(Thread, max_length=12)
    target_us = fields.BigIntField(null=True)
    target_days = fields.DecimalField(max_digits=9, decimal_places=3, null=True)

    class Meta:
        table = "service_target"
        unique_together = (("version", "priority", "thread"),)


class ServicePause(Table):
    """That a waiting reason pauses a thread under this version (R-CAT-03)."""

    id = fields.UUIDField(primary_key=True)
    version: fields.ForeignKeyRelation[ServiceLevelVersion] = fields.ForeignKeyField(
        "itr.ServiceLevelVersion", related_name="pauses", on_delete=fields.CASCADE
    )
    version_id: UUID
    reason = fields.CharEnumField(WaitingReason, max_length=16)
    thread = fields.CharEnumField(Thread, max_length=12)

    class Meta:
        table = "service_pause"
        unique_together = (("version", "reason", "thread"),)


class Contract(Table):
    """What a customer has bought between two dates (R-CAT-02); `ends_on` is its last day."""

    id = fields.UUIDField(primary_key=True)
    number = fields.CharField(max_length=60, unique=True)
    customer: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="contracts", on_delete=fields.RESTRICT
    )
    customer_id: UUID
    starts_on = fields.DateField()
    ends_on = fields.DateField()
    fee = fields.DecimalField(max_digits=14, decimal_places=2, null=True)
    penalty = fields.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = fields.CharField(max_length=3, default="CNY")

    class Meta:
        table = "contract"


class ContractLine(Table):
    """One package at one service level; null service level means the record is incomplete.

    Null product covers every product; null project every project of the customer.
    """

    id = fields.UUIDField(primary_key=True)
    contract: fields.ForeignKeyRelation[Contract] = fields.ForeignKeyField(
        "itr.Contract", related_name="lines", on_delete=fields.RESTRICT
    )
    contract_id: UUID
    number = fields.IntField()
    service_level: fields.ForeignKeyNullableRelation[ServiceLevel] = fields.ForeignKeyField(
        "itr.ServiceLevel", related_name="contract_lines", null=True, on_delete=fields.RESTRICT
    )
    service_level_id: UUID | None
    package: fields.ForeignKeyNullableRelation[Package] = fields.ForeignKeyField(
        "itr.Package", related_name="contract_lines", null=True, on_delete=fields.RESTRICT
    )
    package_id: UUID | None
    product: fields.ForeignKeyNullableRelation[Product] = fields.ForeignKeyField(
        "itr.Product", related_name="contract_lines", null=True, on_delete=fields.RESTRICT
    )
    product_id: UUID | None
    project: fields.ForeignKeyNullableRelation["Project"] = fields.ForeignKeyField(
        "itr.Project", related_name="contract_lines", null=True, on_delete=fields.RESTRICT
    )
    project_id: UUID | None
    phase = fields.CharEnumField(Phase, max_length=16, default=Phase.AFTER_ACCEPTANCE)
    quota_unit: QuotaUnit | None = enum_or_null(QuotaUnit, 8)
    quota = fields.IntField(null=True)

    class Meta:
        table = "contract_line"
        unique_together = (("contract", "number"),)


class QuotaTaking(Table):
    """One unit of a line's quota taken by a request in one contract year (R-ENT-03)."""

    id = fields.UUIDField(primary_key=True)
    contract_line: fields.ForeignKeyRelation[ContractLine] = fields.ForeignKeyField(
        "itr.ContractLine", related_name="takings", on_delete=fields.RESTRICT
    )
    contract_line_id: UUID
    contract_year = fields.IntField()
    request_id = fields.UUIDField()
    taken_at = fields.DatetimeField()
    returned_at = fields.DatetimeField(null=True)

    class Meta:
        table = "quota_taking"
        unique_together = (("contract_line", "request_id"),)


class UnderpinningContract(Table):
    """What a partner firm promised for one control point at one priority (R-OLA-02).

    Longer than the share it serves, it is kept only with a named person's acceptance of the risk.
    """

    id = fields.UUIDField(primary_key=True)
    partner: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="underpinning_contracts", on_delete=fields.RESTRICT
    )
    partner_id: UUID
    service_level: fields.ForeignKeyRelation[ServiceLevel] = fields.ForeignKeyField(
        "itr.ServiceLevel", related_name="underpinning_contracts", on_delete=fields.RESTRICT
    )
    service_level_id: UUID
    point = fields.SmallIntField()
    priority = fields.CharField(max_length=2)
    target_us = fields.BigIntField(null=True)
    target_days = fields.DecimalField(max_digits=9, decimal_places=3, null=True)
    risk_accepted_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "underpinning_contract"
        unique_together = (("partner", "service_level", "point", "priority"),)


class Project(Table):
    """A customer's project: joins customer, contract, manager, team and contact (R-ORG-01)."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200)
    customer: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="projects", on_delete=fields.RESTRICT
    )
    customer_id: UUID
    manager: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="managed_projects", null=True, on_delete=fields.RESTRICT
    )
    manager_id: UUID | None
    contact: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="contact_projects", null=True, on_delete=fields.RESTRICT
    )
    contact_id: UUID | None
    contract: fields.ForeignKeyNullableRelation[Table] = fields.ForeignKeyField(
        "itr.Contract", related_name="projects", null=True, on_delete=fields.RESTRICT
    )
    contract_id: UUID | None
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "project"


class ProjectMember(Table):
    """A person of a project's team."""

    id = fields.UUIDField(primary_key=True)
    project: fields.ForeignKeyRelation["Project"] = fields.ForeignKeyField(
        "itr.Project", related_name="memberships", on_delete=fields.CASCADE
    )
    project_id: UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="project_memberships", on_delete=fields.CASCADE
    )
    person_id: UUID

    class Meta:
        table = "project_member"
        unique_together = (("project", "person"),)

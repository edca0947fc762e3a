from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.terms import (
    ChargeKind,
    EntitlementOutcome,
    FaultLevel,
    Impact,
    Phase,
    Priority,
    QuotaUnit,
)
from itr.requests.terms import Channel, Charge, ProblemType, RequestKind, RequestStatus
from itr.sla.terms import ClockState, Thread, WaitingReason


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Calendar",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
            ],
            options={
                "table": "calendar",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A working calendar, outside service level versions (R-CAT-03); its highest version counts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CalendarVersion",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "calendar",
                    fields.ForeignKeyField(
                        "itr.Calendar",
                        source_field="calendar_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("time_zone", fields.CharField(max_length=64)),
                ("always_open", fields.BooleanField(default=False)),
                ("definition", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "calendar_version",
                "app": "itr",
                "unique_together": (("calendar", "number"),),
                "pk_attr": "id",
                "table_description": "What a calendar said from some edit on; never changed afterwards (R-SLA-10).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Epoch",
            fields=[
                (
                    "id",
                    fields.SmallIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("value", fields.UUIDField()),
            ],
            options={
                "table": "epoch",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Which life of the database this is; renewed after a restore (Decision 3).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MutationKey",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("actor_id", fields.UUIDField()),
                ("client_id", fields.CharField(max_length=100)),
                ("key", fields.CharField(max_length=200)),
                ("mutation", fields.CharField(max_length=60)),
                ("fingerprint", fields.CharField(max_length=64)),
                ("subject_id", fields.UUIDField(null=True)),
                ("failures", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mutation_key",
                "app": "itr",
                "unique_together": (("actor_id", "client_id", "key"),),
                "pk_attr": "id",
                "table_description": "What a `clientMutationId` already did, so that it is done once (S13).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organisation",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="BRANCH: BRANCH\nCUSTOMER: CUSTOMER\nPARTNER: PARTNER",
                        enum_type=OrganisationKind,
                        max_length=10,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "branch",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="branch_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="served",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("phone", fields.CharField(null=True, max_length=40)),
                ("email", fields.CharField(null=True, max_length=200)),
                ("make_up_days", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "organisation",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "An own branch, a customer or a partner.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Contract",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("number", fields.CharField(unique=True, max_length=60)),
                (
                    "customer",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="customer_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="contracts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_on", fields.DateField()),
                ("ends_on", fields.DateField()),
                ("fee", fields.DecimalField(null=True, max_digits=14, decimal_places=2)),
                ("penalty", fields.DecimalField(null=True, max_digits=14, decimal_places=2)),
                ("currency", fields.CharField(default="CNY", max_length=3)),
            ],
            options={
                "table": "contract",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "What a customer has bought between two dates (R-CAT-02); `ends_on` is its last day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="persons",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("email", fields.CharField(null=True, db_index=True, max_length=200)),
                ("phone", fields.CharField(null=True, db_index=True, max_length=40)),
                ("language", fields.CharField(default="zh", max_length=2)),
                ("machine", fields.BooleanField(default=False)),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "person",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Somebody who acts, or a partner firm's machine; belongs to one organisation.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
                ("served", fields.BooleanField(default=True)),
            ],
            options={
                "table": "product",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Something customers have and ask about; `served` says whether we serve it at all.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CatalogueItem",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
                (
                    "charge_kind",
                    fields.CharEnumField(
                        description="CONSULTING: CONSULTING\nIMPLEMENTATION: IMPLEMENTATION\nSUPPORT: SUPPORT\nMAINTENANCE: MAINTENANCE\nTRAINING: TRAINING",
                        enum_type=ChargeKind,
                        max_length=16,
                    ),
                ),
                ("price", fields.DecimalField(max_digits=14, decimal_places=2)),
                ("currency", fields.CharField(default="CNY", max_length=3)),
                ("target", fields.CharField(max_length=400)),
                ("quality_standard", fields.TextField(unique=False)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "itr.Product",
                        source_field="product_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "catalogue_item",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A service that can be priced alone and has one measurable target (R-CAT-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(max_length=200)),
                (
                    "customer",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="customer_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="projects",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "manager",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="manager_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="managed_projects",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "contract",
                    fields.ForeignKeyField(
                        "itr.Contract",
                        source_field="contract_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="projects",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "project",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A customer's project: joins customer, contract, manager and team (R-ORG-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProjectMember",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "project",
                    fields.ForeignKeyField(
                        "itr.Project",
                        source_field="project_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="project_memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "project_member",
                "app": "itr",
                "unique_together": (("project", "person"),),
                "pk_attr": "id",
                "table_description": "A person of a project's team.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Queue",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(max_length=200)),
                ("line", fields.SmallIntField()),
                (
                    "branch",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="branch_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="queues",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="partner_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="partner_queues",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "lead",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="lead_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="led_queues",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "queue",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Where work of one line waits for somebody to take it (R-ORG-04).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="QueueMember",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "queue",
                    fields.ForeignKeyField(
                        "itr.Queue",
                        source_field="queue_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="queue_memberships",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "queue_member",
                "app": "itr",
                "unique_together": (("queue", "person"),),
                "pk_attr": "id",
                "table_description": "A person who may take work of a queue.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RoleAssignment",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="role_assignments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        description="CUSTOMER: CUSTOMER\nPARTNER: PARTNER\nLINE1: LINE1\nLINE2: LINE2\nLINE3: LINE3\nLINE_LEAD: LINE_LEAD\nFIELD_ENGINEER: FIELD_ENGINEER\nDISPATCH_MANAGER: DISPATCH_MANAGER\nSPARES_MANAGER: SPARES_MANAGER\nQUALITY_CONTROLLER: QUALITY_CONTROLLER\nCOMPLAINT_HANDLER: COMPLAINT_HANDLER\nPROJECT_MANAGER: PROJECT_MANAGER\nCATALOGUE_MANAGER: CATALOGUE_MANAGER\nSALES_SUPPORT: SALES_SUPPORT\nBRANCH_MANAGER: BRANCH_MANAGER\nANALYST: ANALYST\nPROCESS_MANAGER: PROCESS_MANAGER\nOPERATIONS_DIRECTOR: OPERATIONS_DIRECTOR\nWALLBOARD: WALLBOARD\nADMIN: ADMIN",
                        enum_type=Role,
                        max_length=24,
                    ),
                ),
            ],
            options={
                "table": "role_assignment",
                "app": "itr",
                "unique_together": (("person", "role"),),
                "pk_attr": "id",
                "table_description": "One role of one person; permissions are the union (R-ROLE-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceLevel",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
                ("house", fields.BooleanField(default=False)),
            ],
            options={
                "table": "service_level",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A named promise, e.g. Gold; its highest version is what new requests get (R-CAT-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceLevelVersion",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "service_level",
                    fields.ForeignKeyField(
                        "itr.ServiceLevel",
                        source_field="service_level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                (
                    "calendar",
                    fields.ForeignKeyField(
                        "itr.Calendar",
                        source_field="calendar_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="service_level_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("matrix", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("alarm_percents", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("confirmation_days", fields.SmallIntField(default=3)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service_level_version",
                "app": "itr",
                "unique_together": (("service_level", "number"),),
                "pk_attr": "id",
                "table_description": "What a service level promised from some edit on; never changed afterwards (R-CAT-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServicePause",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "version",
                    fields.ForeignKeyField(
                        "itr.ServiceLevelVersion",
                        source_field="version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="pauses",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "reason",
                    fields.CharEnumField(
                        description="CUSTOMER: CUSTOMER\nTHIRD_PARTY: THIRD_PARTY\nSPARE_PART: SPARE_PART\nCHANGE_WINDOW: CHANGE_WINDOW",
                        enum_type=WaitingReason,
                        max_length=16,
                    ),
                ),
                (
                    "thread",
                    fields.CharEnumField(
                        description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                        enum_type=Thread,
                        max_length=12,
                    ),
                ),
            ],
            options={
                "table": "service_pause",
                "app": "itr",
                "unique_together": (("version", "reason", "thread"),),
                "pk_attr": "id",
                "table_description": "That a waiting reason pauses a thread under this version (R-CAT-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceProduct",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
                (
                    "items",
                    fields.ManyToManyField(
                        "itr.CatalogueItem",
                        unique=True,
                        db_constraint=True,
                        through="service_product_item",
                        forward_key="catalogueitem_id",
                        backward_key="service_product_id",
                        related_name="service_products",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "service_product",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Catalogue items sold together (R-CAT-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Package",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("name", fields.CharField(unique=True, max_length=200)),
                (
                    "service_products",
                    fields.ManyToManyField(
                        "itr.ServiceProduct",
                        unique=True,
                        db_constraint=True,
                        through="package_service_product",
                        forward_key="serviceproduct_id",
                        backward_key="package_id",
                        related_name="packages",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "package",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Service products sold together (R-CAT-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ContractLine",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "contract",
                    fields.ForeignKeyField(
                        "itr.Contract",
                        source_field="contract_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                (
                    "service_level",
                    fields.ForeignKeyField(
                        "itr.ServiceLevel",
                        source_field="service_level_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="contract_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "package",
                    fields.ForeignKeyField(
                        "itr.Package",
                        source_field="package_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="contract_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "itr.Product",
                        source_field="product_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="contract_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "project",
                    fields.ForeignKeyField(
                        "itr.Project",
                        source_field="project_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="contract_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "phase",
                    fields.CharEnumField(
                        default=Phase.AFTER_ACCEPTANCE,
                        description="DELIVERY: DELIVERY\nAFTER_ACCEPTANCE: AFTER_ACCEPTANCE",
                        enum_type=Phase,
                        max_length=16,
                    ),
                ),
                (
                    "quota_unit",
                    fields.CharEnumField(
                        null=True,
                        description="REQUEST: REQUEST\nVISIT: VISIT",
                        enum_type=QuotaUnit,
                        max_length=8,
                    ),
                ),
                ("quota", fields.IntField(null=True)),
            ],
            options={
                "table": "contract_line",
                "app": "itr",
                "unique_together": (("contract", "number"),),
                "pk_attr": "id",
                "table_description": "One package at one service level; null service level means the record is incomplete.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="QuotaTaking",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "contract_line",
                    fields.ForeignKeyField(
                        "itr.ContractLine",
                        source_field="contract_line_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="takings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("contract_year", fields.IntField()),
                ("request_id", fields.UUIDField()),
                ("taken_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "returned_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "quota_taking",
                "app": "itr",
                "unique_together": (("contract_line", "request_id"),),
                "pk_attr": "id",
                "table_description": "One unit of a line's quota taken by a request in one contract year (R-ENT-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Request",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("number", fields.CharField(unique=True, max_length=24)),
                ("version", fields.IntField(default=0)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TECHNICAL: TECHNICAL\nNON_TECHNICAL: NON_TECHNICAL\nSPARE_PART: SPARE_PART",
                        enum_type=RequestKind,
                        max_length=14,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        description="REGISTERED: REGISTERED\nAUTHORISED: AUTHORISED\nREJECTED: REJECTED\nDISPATCHED: DISPATCHED\nIN_PROGRESS: IN_PROGRESS\nWAITING: WAITING\nRESTORED: RESTORED\nDELIVERED: DELIVERED\nCONFIRMED: CONFIRMED\nCLOSED: CLOSED\nCANCELLED: CANCELLED",
                        enum_type=RequestStatus,
                        max_length=12,
                    ),
                ),
                ("title", fields.CharField(max_length=400)),
                ("description", fields.TextField(unique=False)),
                (
                    "channel",
                    fields.CharEnumField(
                        description="PHONE: PHONE\nWEB: WEB\nEMAIL: EMAIL\nPARTNER: PARTNER\nON_SITE: ON_SITE\nMONITORING: MONITORING\nINSPECTION: INSPECTION",
                        enum_type=Channel,
                        max_length=12,
                    ),
                ),
                (
                    "phase",
                    fields.CharEnumField(
                        description="DELIVERY: DELIVERY\nAFTER_ACCEPTANCE: AFTER_ACCEPTANCE",
                        enum_type=Phase,
                        max_length=16,
                    ),
                ),
                (
                    "customer",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="customer_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "contact",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="contact_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="contact_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "requester",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="requester_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="submitted_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "project",
                    fields.ForeignKeyField(
                        "itr.Project",
                        source_field="project_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "itr.Product",
                        source_field="product_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "branch",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="branch_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="branch_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "problem_type",
                    fields.CharEnumField(
                        null=True,
                        description="FAULT: FAULT\nDEGRADATION: DEGRADATION\nSECURITY: SECURITY\nCONSULTATION: CONSULTATION\nREQUIREMENT: REQUIREMENT",
                        enum_type=ProblemType,
                        max_length=12,
                    ),
                ),
                (
                    "fault_level",
                    fields.CharEnumField(
                        null=True,
                        description="CRITICAL: CRITICAL\nMAJOR: MAJOR\nMINOR: MINOR\nNONE: NONE",
                        enum_type=FaultLevel,
                        max_length=8,
                    ),
                ),
                (
                    "impact",
                    fields.CharEnumField(
                        null=True,
                        description="ENTERPRISE: ENTERPRISE\nDEPARTMENT: DEPARTMENT\nGROUP: GROUP\nINDIVIDUAL: INDIVIDUAL",
                        enum_type=Impact,
                        max_length=10,
                    ),
                ),
                (
                    "priority",
                    fields.CharEnumField(
                        description="P1: P1\nP2: P2\nP3: P3\nP4: P4",
                        enum_type=Priority,
                        max_length=2,
                    ),
                ),
                ("line", fields.SmallIntField(default=1)),
                (
                    "queue",
                    fields.ForeignKeyField(
                        "itr.Queue",
                        source_field="queue_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "assignee",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="assignee_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assigned_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="partner_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="partner_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "waiting_reason",
                    fields.CharEnumField(
                        null=True,
                        description="CUSTOMER: CUSTOMER\nTHIRD_PARTY: THIRD_PARTY\nSPARE_PART: SPARE_PART\nCHANGE_WINDOW: CHANGE_WINDOW",
                        enum_type=WaitingReason,
                        max_length=16,
                    ),
                ),
                (
                    "returns_to",
                    fields.CharEnumField(
                        null=True,
                        description="REGISTERED: REGISTERED\nAUTHORISED: AUTHORISED\nREJECTED: REJECTED\nDISPATCHED: DISPATCHED\nIN_PROGRESS: IN_PROGRESS\nWAITING: WAITING\nRESTORED: RESTORED\nDELIVERED: DELIVERED\nCONFIRMED: CONFIRMED\nCLOSED: CLOSED\nCANCELLED: CANCELLED",
                        enum_type=RequestStatus,
                        max_length=12,
                    ),
                ),
                (
                    "entitlement_outcome",
                    fields.CharEnumField(
                        null=True,
                        description="ENTITLED: ENTITLED\nNO_DATA: NO_DATA\nCHARGEABLE: CHARGEABLE\nNOT_SERVED: NOT_SERVED",
                        enum_type=EntitlementOutcome,
                        max_length=12,
                    ),
                ),
                (
                    "contract_line",
                    fields.ForeignKeyField(
                        "itr.ContractLine",
                        source_field="contract_line_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "charge",
                    fields.CharEnumField(
                        null=True,
                        description="PENDING: PENDING\nACCEPTED: ACCEPTED\nWAIVED: WAIVED",
                        enum_type=Charge,
                        max_length=8,
                    ),
                ),
                ("reauthorised", fields.BooleanField(default=False)),
                (
                    "service_level_version",
                    fields.ForeignKeyField(
                        "itr.ServiceLevelVersion",
                        source_field="service_level_version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("emergency", fields.BooleanField(default=False)),
                ("workaround", fields.TextField(null=True, unique=False)),
                ("solution", fields.TextField(null=True, unique=False)),
                ("restores_service", fields.BooleanField(default=False)),
                ("service_down", fields.BooleanField(default=True)),
                (
                    "verified_by",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="verified_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="verified_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("confirmed_by_silence", fields.BooleanField(default=False)),
                ("reopen_count", fields.IntField(default=0)),
                ("solved_by_line", fields.SmallIntField(null=True)),
                ("plan_summary", fields.TextField(null=True, unique=False)),
                (
                    "expected_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("ended_reason", fields.TextField(null=True, unique=False)),
                (
                    "follows",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="follows_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="followed_by",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("source", fields.CharField(null=True, max_length=60)),
                ("external_id", fields.CharField(null=True, max_length=200)),
                ("registered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "first_response_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "restored_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "delivered_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "confirmed_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "request",
                "app": "itr",
                "unique_together": (("source", "external_id"),),
                "pk_attr": "id",
                "table_description": "A customer's request, from issue to resolved.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Clock",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="clocks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "thread",
                    fields.CharEnumField(
                        description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                        enum_type=Thread,
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        description="RUNNING: RUNNING\nPAUSED: PAUSED\nMET: MET\nBREACHED: BREACHED\nCANCELLED: CANCELLED",
                        enum_type=ClockState,
                        max_length=10,
                    ),
                ),
                (
                    "calendar_version",
                    fields.ForeignKeyField(
                        "itr.CalendarVersion",
                        source_field="calendar_version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="clocks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("version", fields.IntField(default=1)),
                ("revision", fields.IntField(default=1)),
                ("target_us", fields.BigIntField(null=True)),
                ("target_days", fields.DecimalField(null=True, max_digits=9, decimal_places=3)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deadline", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("base_us", fields.BigIntField(null=True)),
                ("deadline_us", fields.BigIntField(null=True)),
                ("elapsed_us", fields.BigIntField(default=0)),
                ("remaining_us", fields.BigIntField(null=True)),
                (
                    "paused_since",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "pause_reasons",
                    fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads),
                ),
                (
                    "completed_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "breached_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "overturned_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("breach_reason", fields.CharField(null=True, max_length=40)),
                ("breach_reason_by", fields.UUIDField(null=True)),
                ("breach_reason_approved_by", fields.UUIDField(null=True)),
                ("provisional", fields.BooleanField(default=False)),
                (
                    "next_alarm_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("alarm_level", fields.SmallIntField(default=0)),
            ],
            options={
                "table": "clock",
                "app": "itr",
                "unique_together": (("request", "thread"),),
                "pk_attr": "id",
                "table_description": "One thread of one request, as the fold of its events stands (R-SLA-02, R-SLA-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HandOver",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="hand_overs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="partner_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="hand_overs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("handed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "returned_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "hand_over",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "That a request was handed to a partner firm, and when it came back (R-ROLE-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceTarget",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "version",
                    fields.ForeignKeyField(
                        "itr.ServiceLevelVersion",
                        source_field="version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="targets",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("priority", fields.CharField(max_length=2)),
                (
                    "thread",
                    fields.CharEnumField(
                        description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                        enum_type=Thread,
                        max_length=12,
                    ),
                ),
                ("target_us", fields.BigIntField(null=True)),
                ("target_days", fields.DecimalField(null=True, max_digits=9, decimal_places=3)),
            ],
            options={
                "table": "service_target",
                "app": "itr",
                "unique_together": (("version", "priority", "thread"),),
                "pk_attr": "id",
                "table_description": "How long one thread may take at one priority: working hours or working days (R-CAT-03).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Stint",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="stints",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("line", fields.SmallIntField()),
                (
                    "queue",
                    fields.ForeignKeyField(
                        "itr.Queue",
                        source_field="queue_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="stints",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="partner_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="stints",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(null=True, unique=False)),
            ],
            options={
                "table": "stint",
                "app": "itr",
                "unique_together": (("request", "number"),),
                "pk_attr": "id",
                "table_description": "One stay of a request on a line: a measure, not a target (R-LIN-01).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Timer",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("kind", fields.CharField(max_length=40)),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="timers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "timer",
                "app": "itr",
                "unique_together": (("request", "kind"),),
                "pk_attr": "id",
                "table_description": "Something that must happen at an instant and is not a clock (Decision 4).",
            },
            bases=["Model"],
        ),
    ]

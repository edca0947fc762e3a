"""What mutations on the catalogue take and answer."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import strawberry

from api.planner.fields import payload_field
from api.prices import holding
from api.schema.catalogue.alarm_rules import AlarmRulesInput
from api.schema.catalogue.service_levels import ServiceLevel
from api.schema.catalogue.types import CatalogueItem, Contract, Package, Product, ServiceProduct
from api.schema.inputs import MutationInput, id_of, ids_of
from api.schema.payloads import Payload
from api.schema.people.types import Organisation, Project
from api.schema.sla.calendars import Calendar
from api.schema.sla.simulation import CalendarExceptionInput, WorkingCalendarInput
from itr.catalogue.terms import ChargeKind, FaultLevel, Impact, Phase, Priority, QuotaUnit
from itr.sla.terms import Thread, WaitingReason

_WHICH = "Which one to change; left out, a new one is made."
_VERSION = "Refuse with STALE if it has moved on since this version."
_NAME = "Its name, at most 200 characters; no other has it."
BULK = 6_000
"""Values a calendar with its exceptions, or a contract with its lines, may hold: some 800 of
these."""


@holding(BULK)
@strawberry.input(description="A calendar as it shall be (R-CAL-01).")
class SaveCalendarInput(MutationInput):
    """A calendar as it shall be."""

    id: UUID | None = id_of(Calendar, default=None, description=_WHICH)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)
    name: str = strawberry.field(description=_NAME)
    calendar: WorkingCalendarInput = strawberry.field(description="What it says, as a whole.")


@strawberry.input(description="Single dates of a calendar as they shall be (R-CAL-03).")
class CorrectCalendarInput(MutationInput):
    """Single dates of a calendar as they shall be."""

    id: UUID = id_of(Calendar, description="Which calendar.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)
    exceptions: list[CalendarExceptionInput] | None = strawberry.field(
        default=None, description="Dates that differ; each replaces what its date had."
    )
    dropped: list[date] | None = strawberry.field(
        default=None, description="Dates that no longer differ."
    )


@strawberry.type(description="What a mutation on a calendar answers.")
class CalendarPayload(Payload):
    """What a mutation on a calendar answers."""

    calendar: Calendar | None = payload_field(
        "key", description="As it stands now, with the clocks to recompute; null if refused."
    )


@strawberry.input(description="How long one thread may take at one priority (R-CAT-03).")
class ServiceTargetInput:
    """How long one thread may take at one priority: one of working time or working days."""

    priority: Priority = strawberry.field(description="At this priority,")
    thread: Thread = strawberry.field(description="for this thread.")
    target: timedelta | None = strawberry.field(
        default=None, description="Working time; or give `targetWorkingDays`."
    )
    target_working_days: Decimal | None = strawberry.field(
        default=None, description="Working days, at most 3 decimals; or give `target` (R-CAL-04)."
    )


@strawberry.input(description="That a waiting reason pauses threads (R-CAT-03).")
class ServicePauseInput:
    """That a waiting reason pauses threads."""

    reason: WaitingReason = strawberry.field(description="While a request waits for this,")
    threads: list[Thread] = strawberry.field(description="these threads do not count.")


@strawberry.input(description="One entry of a priority matrix (R-PRI-01).")
class MatrixEntryInput:
    """The priority of one fault level and impact."""

    fault_level: FaultLevel = strawberry.field(description="At this fault level,")
    impact: Impact = strawberry.field(description="with this impact,")
    priority: Priority = strawberry.field(description="this is the priority.")


@strawberry.input(description="The share a control point has of its thread (R-OLA-01).")
class ControlPointShareInput:
    """The share a control point has of its thread."""

    number: int = strawberry.field(description="Which control point, 1 to 30.")
    percent: Decimal = strawberry.field(description="Its share, 0 to 100, at most 3 decimals.")


@strawberry.input(description="A service level as it shall be: a new version (R-CAT-03).")
class SaveServiceLevelInput(MutationInput):
    """A service level as it shall be: a new version."""

    id: UUID | None = id_of(ServiceLevel, default=None, description=_WHICH)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)
    name: str = strawberry.field(description=_NAME)
    calendar_id: UUID = id_of(Calendar, description="The calendar that counts.")
    targets: list[ServiceTargetInput] = strawberry.field(
        description="What is promised; a thread left out at a priority is not promised anything."
    )
    pauses: list[ServicePauseInput] | None = strawberry.field(
        default=None, description="What waiting pauses which threads; nothing if left out."
    )
    matrix: list[MatrixEntryInput] | None = strawberry.field(
        default=None, description="Its own priority matrix, all 16 entries; or the default."
    )
    alarm_percents: list[int] | None = strawberry.field(
        default=None, description="Alarm levels, ending with 100; 50, 75, 90, 100 if left out."
    )
    alarm_rules: AlarmRulesInput | None = strawberry.field(
        default=None, description="Whom its alarms tell; left out, as R-ALM-01 says."
    )
    control_point_shares: list[ControlPointShareInput] | None = strawberry.field(
        default=None, description="Shares that differ from the default ones."
    )
    confirmation_working_days: int = strawberry.field(
        default=3, description="Silence confirms after so many working days, 1 to 60."
    )
    house: bool | None = strawberry.field(
        default=None, description="Make it the house level, or no longer; left out, as before."
    )


@strawberry.input(description="A service level that shall promise nothing any more.")
class SwitchOffServiceLevelInput(MutationInput):
    """A service level that shall promise nothing any more."""

    id: UUID = id_of(ServiceLevel, description="Which service level.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.type(description="What a mutation on a service level answers.")
class ServiceLevelPayload(Payload):
    """What a mutation on a service level answers."""

    service_level: ServiceLevel | None = payload_field(
        "key", description="As it stands now; null when nothing was done."
    )


@strawberry.input(description="A product as it shall be.")
class SaveProductInput(MutationInput):
    """A product as it shall be."""

    id: UUID | None = id_of(Product, default=None, description=_WHICH)
    name: str = strawberry.field(description=_NAME)
    served: bool = strawberry.field(default=True, description="Whether it is served (R-ENT-01).")


@strawberry.type(description="What saving a product answers.")
class ProductPayload(Payload):
    """What saving a product answers."""

    product: Product | None = payload_field("key", description="As it stands now.")


@strawberry.input(description="An amount of money.")
class MoneyInput:
    """An amount of money: exact, never a float."""

    amount: Decimal = strawberry.field(description="The amount, at most 2 decimals.")
    currency: str = strawberry.field(default="CNY", description="ISO 4217 code, e.g. CNY.")


@strawberry.input(description="A service that can be priced alone, as it shall be (R-CAT-01).")
class SaveCatalogueItemInput(MutationInput):
    """A service that can be priced alone, as it shall be."""

    id: UUID | None = id_of(CatalogueItem, default=None, description=_WHICH)
    name: str = strawberry.field(description=_NAME)
    charge_kind: ChargeKind = strawberry.field(description="What it charges for.")
    price: MoneyInput = strawberry.field(description="Its price, without tax.")
    tax_percent: Decimal = strawberry.field(
        default=Decimal(0), description="The tax on the price, in per cent."
    )
    target: str = strawberry.field(description="Its one measurable target.")
    quality_standard: str = strawberry.field(description="Its quality standard.")
    product_id: UUID | None = id_of(
        Product, default=None, description="The product it is for; left out, any."
    )


@strawberry.type(description="What saving a catalogue item answers.")
class CatalogueItemPayload(Payload):
    """What saving a catalogue item answers."""

    catalogue_item: CatalogueItem | None = payload_field("key", description="As it stands now.")


@strawberry.input(description="Catalogue items sold together, as they shall be (R-CAT-01).")
class SaveServiceProductInput(MutationInput):
    """Catalogue items sold together, as they shall be."""

    id: UUID | None = id_of(ServiceProduct, default=None, description=_WHICH)
    name: str = strawberry.field(description=_NAME)
    item_ids: list[UUID] = ids_of(CatalogueItem, description="All items it is made of.")


@strawberry.type(description="What saving a service product answers.")
class ServiceProductPayload(Payload):
    """What saving a service product answers."""

    service_product: ServiceProduct | None = payload_field("key", description="As it stands now.")


@strawberry.input(description="Service products sold together, as they shall be (R-CAT-01).")
class SavePackageInput(MutationInput):
    """Service products sold together, as they shall be."""

    id: UUID | None = id_of(Package, default=None, description=_WHICH)
    name: str = strawberry.field(description=_NAME)
    service_product_ids: list[UUID] = ids_of(
        ServiceProduct, description="All service products it is made of."
    )


@strawberry.type(description="What saving a package answers.")
class PackagePayload(Payload):
    """What saving a package answers."""

    package: Package | None = payload_field("key", description="As it stands now.")


@strawberry.input(description="One line of a contract as it shall be (R-CAT-02).")
class ContractLineInput:
    """One line of a contract as it shall be; a quota has a unit and a number (R-ENT-03)."""

    number: int = strawberry.field(description="Its number within the contract, 1 to 10 000.")
    service_level_id: UUID | None = id_of(
        ServiceLevel,
        default=None,
        description="At which level; left out, the record is incomplete.",
    )
    package_id: UUID | None = id_of(Package, default=None, description="Which package was bought.")
    product_id: UUID | None = id_of(
        Product, default=None, description="Covered product; left out, all."
    )
    project_id: UUID | None = id_of(
        Project, default=None, description="Covered project; left out, all."
    )
    phase: Phase = strawberry.field(
        default=Phase.AFTER_ACCEPTANCE, description="Which phase it covers."
    )
    quota_unit: QuotaUnit | None = strawberry.field(
        default=None, description="What its quota counts; left out, there is no limit."
    )
    quota: int | None = strawberry.field(default=None, description="Units per contract year.")


@holding(BULK)
@strawberry.input(description="A contract as it shall be (R-CAT-02).")
class SaveContractInput(MutationInput):
    """A contract as it shall be; lines not given stay as they are."""

    id: UUID | None = id_of(Contract, default=None, description=_WHICH)
    number: str = strawberry.field(description="Its number, at most 60 characters.")
    customer_id: UUID = id_of(Organisation, description="Whose it is; it never moves.")
    starts_on: date = strawberry.field(description="Its first day.")
    ends_on: date = strawberry.field(description="Its last day.")
    fee: Decimal | None = strawberry.field(default=None, description="What it costs.")
    penalty: Decimal | None = strawberry.field(default=None, description="Per breach.")
    currency: str = strawberry.field(default="CNY", description="ISO 4217 code, e.g. CNY.")
    lines: list[ContractLineInput] = strawberry.field(
        default_factory=list, description="Lines to keep, by number; others stay (R-ENT-02)."
    )


@strawberry.type(description="What saving a contract answers.")
class ContractPayload(Payload):
    """What saving a contract answers."""

    contract: Contract | None = payload_field("key", description="As it stands now.")


@strawberry.input(description="Whether a customer's clocks count make-up days (R-CAL-03).")
class SetMakeUpDaysInput(MutationInput):
    """Whether a customer's clocks count make-up days."""

    customer_id: UUID = id_of(Organisation, description="Which customer.")
    make_up_days: bool = strawberry.field(
        description="True: weekends that make up for holidays are worked; false: opted out."
    )


@strawberry.type(description="What a mutation on an organisation's calendar answers.")
class MakeUpDaysPayload(Payload):
    """What a mutation on an organisation's calendar answers."""

    customer: Organisation | None = payload_field("key", description="As it stands now.")

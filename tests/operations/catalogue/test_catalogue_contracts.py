"""Saving products, items, packages and contracts (R-CAT-01, R-CAT-02)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from itr.actors.roles import Role
from itr.catalogue.models import Contract, ContractLine, Package, Product
from itr.catalogue.operations import (
    ContractLineDraft,
    save_catalogue_item,
    save_contract,
    save_package,
    save_product,
    save_service_product,
)
from itr.catalogue.terms import ChargeKind, QuotaUnit
from itr.errors import DomainError, Forbidden
from itr.people.names import NameTaken
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("database")

ITEM: Mapping[str, Any] = {
    "charge_kind": ChargeKind.SUPPORT,
    "price": Decimal("800.00"),
    "target": "4 小时内响应",
    "quality_standard": "由认证工程师\n远程处理",
    "now": desk.NOW,
}


async def refusal_of_contract(
    *lines: ContractLineDraft, **more: Any
) -> tuple[str, tuple[Any, ...]]:
    wanted: dict[str, Any] = {
        "number": desk.named("refused"),
        "customer_id": more.pop("customer_id", None) or await desk.organisation(),
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 12, 31),
        "lines": lines,
        "now": desk.NOW,
    }
    before = await Contract.all().count()
    with pytest.raises(DomainError) as refused:
        await save_contract(desk.SETUP, **{**wanted, **more})
    assert await Contract.all().count() == before
    return refused.value.code, refused.value.path


async def test_items_make_up_service_products_and_those_make_up_packages() -> None:
    """R-CAT-01."""
    items = [
        await save_catalogue_item(desk.SETUP, name=desk.named("item"), **ITEM) for _ in range(2)
    ]
    products = [
        await save_service_product(
            desk.SETUP, name=desk.named("service"), item_ids=items, now=desk.NOW
        )
    ]

    package_id = await save_package(
        desk.SETUP, name="complete", service_product_ids=products, now=desk.NOW
    )

    package = await Package.get(id=package_id).prefetch_related("service_products__items")
    sold = {item.id for product in package.service_products for item in product.items}
    assert sold == set(items)


async def test_saving_a_package_again_replaces_what_it_is_made_of() -> None:
    """R-CAT-01."""
    first, second = [
        await save_service_product(
            desk.SETUP, name=desk.named("service"), item_ids=[], now=desk.NOW
        )
        for _ in range(2)
    ]
    for products in ([first], [second]):
        package_id = await save_package(
            desk.SETUP, name="replaced", service_product_ids=products, now=desk.NOW
        )

    package = await Package.get(id=package_id).prefetch_related("service_products")
    assert [product.id for product in package.service_products] == [second]


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"target": " "}, "REQUIRED", "target"),
        ({"target": "x" * 401}, "TOO_LONG", "target"),
        ({"quality_standard": "a\x07b"}, "INVALID", "quality_standard"),
        ({"price": Decimal("-0.01")}, "INVALID", "price"),
        ({"price": Decimal("1.001")}, "INVALID", "price"),
        ({"price": Decimal("1e12")}, "INVALID", "price"),
        ({"price": Decimal("NaN")}, "INVALID", "price"),
        ({"currency": "yuan"}, "INVALID", "currency"),
        ({"product_id": UUID(int=7)}, "NOT_FOUND", "product_id"),
    ],
)
async def test_an_item_has_one_target_a_price_and_a_quality_standard(
    more: Mapping[str, Any], code: str, path: str
) -> None:
    """R-CAT-01."""
    with pytest.raises(DomainError) as refused:
        await save_catalogue_item(desk.SETUP, name=desk.named("item"), **{**ITEM, **more})

    assert (refused.value.code, refused.value.path) == (code, (path,))


async def test_a_product_can_leave_service_and_keep_its_name() -> None:
    """R-ENT-01."""
    product_id = await save_product(desk.SETUP, name="exchange", now=desk.NOW)

    again = await save_product(desk.SETUP, name="exchange", served=False, now=desk.NOW)

    assert again == product_id
    assert (await Product.get(id=product_id)).served is False


async def test_two_products_cannot_share_a_name() -> None:
    """R-CAT-01."""
    await save_product(desk.SETUP, name="taken", now=desk.NOW)
    other = await desk.product()

    with pytest.raises(NameTaken):
        await save_product(desk.SETUP, name="taken", product_id=other, now=desk.NOW)


async def test_a_contract_has_dates_fee_penalty_and_lines_with_level_and_quota() -> None:
    """R-CAT-02."""
    customer, level = await desk.organisation(), await desk.level()
    contract_id = await save_contract(
        desk.SETUP,
        number="C-1",
        customer_id=customer,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 1, 1),
        fee=Decimal("1000.50"),
        penalty=Decimal("10"),
        lines=[
            ContractLineDraft(number=1, service_level_id=level),
            ContractLineDraft(number=2, quota_unit=QuotaUnit.VISIT, quota=12),
        ],
        now=desk.NOW,
    )

    contract = await Contract.get(id=contract_id)
    assert (contract.fee, contract.penalty) == (Decimal("1000.50"), Decimal("10.00"))
    lines = await ContractLine.filter(contract_id=contract_id).order_by("number").values()
    assert [(each["service_level_id"], each["quota"]) for each in lines] == [
        (level, None),
        (None, 12),
    ]
    (fact,) = await desk.facts_of(contract_id)
    assert fact["type"] == "ContractSaved"


@pytest.mark.parametrize(
    ("line", "code", "path"),
    [
        (ContractLineDraft(number=0), "BAD_LINE_NUMBER", "number"),
        (ContractLineDraft(number=1, quota=3), "BAD_QUOTA", "quota"),
        (ContractLineDraft(number=1, quota_unit=QuotaUnit.REQUEST), "BAD_QUOTA", "quota"),
        (
            ContractLineDraft(number=1, quota=-1, quota_unit=QuotaUnit.REQUEST),
            "BAD_QUOTA",
            "quota",
        ),
        (
            ContractLineDraft(number=1, service_level_id=UUID(int=1)),
            "NOT_FOUND",
            "service_level_id",
        ),
        (ContractLineDraft(number=1, product_id=UUID(int=1)), "NOT_FOUND", "product_id"),
        (ContractLineDraft(number=1, package_id=UUID(int=1)), "NOT_FOUND", "package_id"),
        (ContractLineDraft(number=1, project_id=UUID(int=1)), "NOT_FOUND", "project_id"),
    ],
)
async def test_a_line_that_cannot_stand_is_refused_with_code_and_path(
    line: ContractLineDraft, code: str, path: str
) -> None:
    """R-CAT-02, R-ENT-03."""
    assert await refusal_of_contract(line) == (code, ("lines", 0, path))


async def test_two_lines_with_one_number_are_refused() -> None:
    """R-CAT-02."""
    refused = await refusal_of_contract(ContractLineDraft(number=1), ContractLineDraft(number=1))

    assert refused == ("BAD_LINE_NUMBER", ("lines", 1, "number"))


async def test_a_line_names_no_project_of_another_customer() -> None:
    """R-CAT-02, R-ROLE-04: as if it did not exist."""
    project = await desk.project(await desk.organisation())

    refused = await refusal_of_contract(ContractLineDraft(number=1, project_id=project))

    assert refused == ("NOT_FOUND", ("lines", 0, "project_id"))


async def test_a_contract_that_ends_before_it_starts_is_refused() -> None:
    """R-CAT-02."""
    refused = await refusal_of_contract(ends_on=date(2025, 12, 31))

    assert refused == ("BAD_PERIOD", ("ends_on",))


async def test_only_customers_have_contracts() -> None:
    """R-CAT-02, R-ORG-01."""
    assert await refusal_of_contract(customer_id=await desk.partner()) == (
        "WRONG_ORGANISATION",
        ("customer_id",),
    )
    assert await refusal_of_contract(customer_id=uuid4()) == ("NOT_FOUND", ("customer_id",))


async def test_a_contract_never_moves_to_another_customer() -> None:
    """R-ENT-02."""
    number = desk.named("staying")
    await desk.contract(await desk.organisation(), number=number)

    refused = await refusal_of_contract(number=number)

    assert refused == ("CUSTOMER_OF_CONTRACT", ("customer_id",))


async def test_saving_a_contract_again_completes_a_line_and_leaves_the_others() -> None:
    """R-ENT-02."""
    customer, number, level = await desk.organisation(), desk.named("kept"), await desk.level()
    contract_id = await desk.contract(
        customer, ContractLineDraft(number=1), ContractLineDraft(number=2), number=number
    )
    before = {each.number: each.id for each in await ContractLine.filter(contract_id=contract_id)}

    await desk.contract(
        customer, ContractLineDraft(number=2, service_level_id=level), number=number
    )

    lines = await ContractLine.filter(contract_id=contract_id)
    assert {each.number: each.id for each in lines} == before


async def test_only_who_manages_contracts_saves_them() -> None:
    """R-ROLE-02."""
    somebody = await desk.person(await desk.branch(), Role.PROCESS_MANAGER, Role.LINE1)

    with pytest.raises(Forbidden):
        await save_contract(
            somebody,
            number="forbidden",
            customer_id=await desk.organisation(),
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            now=desk.NOW,
        )
    with pytest.raises(Forbidden):
        await save_product(somebody, name="forbidden", now=desk.NOW)

"""Two of everything: a customer and a partner firm with a life of their own, made twice.

What is made for one side must be nothing to the people of the other (S1).
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from itr.access.operations.persons import create_person
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.operations import ContractLineDraft, save_contract
from itr.catalogue.organisations import create_organisation
from itr.catalogue.projects import create_project
from itr.people.operations import create_queue
from tests.support.desk import FOUNDER, Desk, level_named
from tests.support.requests import CRITICAL, do, submitted

SOLVED = {"solution": "换模块", "restoresService": True}


async def settled(desk: Desk, side: str, branch: str) -> None:
    """A customer with a contract and a project, and a partner firm with a queue."""
    ids, now = desk.ids, desk.time.now
    for kind in (OrganisationKind.CUSTOMER, OrganisationKind.PARTNER):
        name = f"{kind.value.lower()} {side}"
        ids[name] = await create_organisation(
            FOUNDER, kind=kind, name=name, now=now, branch_id=ids[branch]
        )
    for who, firm, role in (
        ("contact", "customer", Role.CUSTOMER),
        ("technician", "partner", Role.PARTNER),
    ):
        name = f"{who} {side}"
        ids[name] = await create_person(
            FOUNDER, ids[f"{firm} {side}"], name, [role], now=now, email=f"{who}@{side}.example"
        )
    ids[f"queue {side}"] = await create_queue(
        FOUNDER,
        name=f"queue {side}",
        line=2,
        now=now,
        partner_id=ids[f"partner {side}"],
        member_ids=[ids[f"technician {side}"]],
    )
    contract = await save_contract(
        FOUNDER,
        number=f"contract {side}",
        customer_id=ids[f"customer {side}"],
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        lines=[ContractLineDraft(number=1, service_level_id=await level_named("gold"))],
        now=now,
    )
    ids[f"contract {side}"] = contract
    ids[f"project {side}"] = await create_project(
        FOUNDER,
        name=f"project {side}",
        customer_id=ids[f"customer {side}"],
        contract_id=contract,
        manager_id=ids["PROJECT_MANAGER"],
        member_ids=[ids["PROJECT_MANAGER"], ids["LINE2"]],
        now=now,
    )


async def lived(desk: Desk, side: str) -> dict[str, str]:
    """Requests of a side in every stage, with all that hangs on them; their ids by stage."""
    made = {}
    made["registered"] = await _asked(desk, side)
    made["waiting"] = await _begun(desk, side, "LINE1", "queue1")
    await _talked_about(desk, side, made["waiting"])
    made["ours"] = await _begun(desk, side, "LINE1", "queue1")
    made["with partner"] = await _begun(desk, side, f"technician {side}", f"queue {side}")
    await _worked_by_partner(desk, side, made["with partner"])
    made["handed back"] = await _begun(desk, side, f"technician {side}", f"queue {side}")
    why = f"不在 {side} 范围"
    await do(desk, f"technician {side}", "handBackRequest", id=made["handed back"], reason=why)
    made["closed"] = await _begun(desk, side, "LINE1", "queue1")
    await do(desk, "LINE1", "deliverRequest", id=made["closed"], **SOLVED)
    await do(desk, f"contact {side}", "confirmRequest", id=made["closed"])
    await do(desk, "LINE1", "closeRequest", id=made["closed"])
    made["emergency"] = await _emergency(desk, side)
    made["parent"] = await _family(desk, side)
    made["survivor"] = await _duplicates(desk, side)
    return made


async def _asked(desk: Desk, side: str) -> str:
    project = desk.public("prj", f"project {side}")
    words = {"title": f"title {side}", "description": f"description {side}"}
    request = await submitted(desk, f"contact {side}", projectId=project, **words)
    id_: str = request["id"]
    return id_


async def _begun(desk: Desk, side: str, owner: str, queue: str) -> str:
    id_ = await _asked(desk, side)
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    place = desk.public("que", queue)
    await do(desk, "DISPATCH_MANAGER", "dispatchRequest", id=id_, queueId=place)
    await do(desk, owner, "startRequest", id=id_)
    return id_


async def _talked_about(desk: Desk, side: str, id_: str) -> None:
    await do(desk, "LINE1", "noteOnRequest", id=id_, text=f"internal {side}")
    await do(desk, "LINE1", "respondToRequest", id=id_, text=f"public {side}")
    plan: dict[str, Any] = {"summary": f"plan {side}", "expectedAt": "2026-03-04T01:00:00Z"}
    await do(desk, "LINE1", "planRequest", id=id_, **plan)
    await do(desk, "LINE1", "openProblem", id=id_, title=f"problem {side}")
    await do(desk, "LINE1", "escalateToManagement", id=id_, reason=f"urgent {side}")
    await do(desk, "LINE1", "waitRequest", id=id_, reason="CUSTOMER")


async def _worked_by_partner(desk: Desk, side: str, id_: str) -> None:
    shared = {"text": f"shared {side}", "sharedWithPartner": True}
    await do(desk, "LINE_LEAD", "noteOnRequest", id=id_, **shared)
    await do(desk, f"technician {side}", "noteOnRequest", id=id_, text=f"partner {side}")
    await do(desk, f"technician {side}", "respondToRequest", id=id_, text=f"answer {side}")


async def _emergency(desk: Desk, side: str) -> str:
    id_ = await _begun(desk, side, "LINE1", "queue1")
    await do(desk, "PROCESS_MANAGER", "declareEmergency", id=id_, reason=f"outage {side}")
    told = {"kind": "FIRST", "text": f"bulletin {side}"}
    await do(desk, "PROCESS_MANAGER", "publishBulletin", id=id_, **told)
    return id_


async def _family(desk: Desk, side: str) -> str:
    id_ = await _begun(desk, side, "LINE1", "queue1")
    children = [{"productId": desk.public("prd", "toaster"), "title": f"child {side}"}]
    await do(desk, "LINE1", "splitRequest", id=id_, children=children)
    return id_


async def _duplicates(desk: Desk, side: str) -> str:
    survivor, duplicate = await _asked(desk, side), await _asked(desk, side)
    await do(desk, "LINE1", "mergeRequests", survivorId=survivor, duplicateId=duplicate)
    return survivor


def key_in(public: str) -> UUID:
    """The row's key in a public id."""
    return UUID(public.partition("_")[2])

"""The timeline in types: every kind of fact says what it names (R-REQ-01, R-REQ-07)."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.schema.requests.timeline_facts import NAMED
from api.schema.requests.timeline_words import FACTS
from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import CRITICAL, ask, attempt, brought_to, do, read, submitted

PRODUCT = Path(__file__).parents[3] / "itr"
OF_OTHER_SUBJECTS = {
    "CalendarSaved",
    "OrganisationChanged",
    "PersonChanged",
    "ProblemAdvanced",
    "ProblemOpened",
    "ProductSaved",
    "QueueChanged",
    "RecalculationProgressed",
    "ServiceLevel",
    "SwitchedOff",
    "UnderpinningContract",
}
"""Facts that stand on no request's timeline, or parts of their names."""
TOUCHING_REQUESTS = (
    "requests",
    "tickets",
    "sla",
    "recalculations",
    "problems",
    "imports",
    "catalogue",
)
NODES = """timeline(first: 100) { nodes { __typename fact actor { id } actorName text
    ... on RequestDispatchedEvent { queue { id name } assignee { id } }
    ... on RequestStartedEvent { assignee { name } }
    ... on RequestWaitingEvent { waitingReason }
    ... on RequestPlannedEvent { expectedAt }
    ... on RequestConfirmedEvent { bySilence }
    ... on RequestMergedEvent { survivor { id } }
    ... on DuplicateMergedEvent { duplicate { id } } } }"""


@pytest.fixture(scope="module")
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as desk:
        yield desk


@pytest.fixture
def desk(opened: Desk) -> Desk:
    return opened


async def entries(desk: Desk, who: str, id: str) -> dict[str, dict[str, Any]]:
    """What somebody sees of what happened: the last entry of each type."""
    found = await read(desk, who, id, NODES)
    assert found is not None
    return {each["__typename"]: each for each in found["timeline"]["nodes"]}


class Words(ast.NodeVisitor):
    """Collects words that look like facts, where they are values: not types, not names."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "slice"}:
                continue
            if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]):
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    self.visit(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.found |= set(re.findall(r"\A(?:[A-Z][a-z]+){2,}\Z", node.value))


def words() -> set[str]:
    """Every word like a fact in what touches requests."""
    seen = Words()
    for area in TOUCHING_REQUESTS:
        for path in (PRODUCT / area).rglob("*.py"):
            seen.visit(ast.parse(path.read_text(encoding="utf-8")))
    return seen.found


def test_every_fact_the_product_records_on_a_request_has_a_type_of_its_own() -> None:
    assert words() - OF_OTHER_SUBJECTS == set(FACTS)
    assert set(NAMED) <= set(FACTS)


async def test_an_entry_names_the_actor_the_queue_and_the_person(desk: Desk) -> None:
    """R-REQ-01."""
    request = await submitted(desk)
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    await do(
        desk,
        "DISPATCH_MANAGER",
        "dispatchRequest",
        id=request["id"],
        queueId=desk.public("que", "queue1"),
        assigneeId=desk.public("per", "LINE1"),
    )
    await do(desk, "LINE1", "startRequest", id=request["id"])
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="CUSTOMER", note="why?")

    found = await entries(desk, "LINE2", request["id"])

    dispatched = found["RequestDispatchedEvent"]
    assert dispatched["fact"] == "REQUEST_DISPATCHED"
    assert dispatched["actor"] == {"id": desk.public("per", "DISPATCH_MANAGER")}
    assert dispatched["queue"] == {"id": desk.public("que", "queue1"), "name": "Line 1"}
    assert dispatched["assignee"] == {"id": desk.public("per", "LINE1")}
    assert found["RequestStartedEvent"]["assignee"] == {"name": "LINE1"}
    waiting = found["RequestWaitingEvent"]
    assert (waiting["waitingReason"], waiting["text"]) == ("CUSTOMER", "why?")
    assert "queue" not in waiting


async def test_a_merged_request_names_the_other_as_far_as_the_reader_sees_it(desk: Desk) -> None:
    """R-REQ-13, R-ROLE-04."""
    survivor = (await submitted(desk))["id"]
    duplicate = (await submitted(desk))["id"]
    await attempt(desk, "LINE1", "mergeRequests", duplicateId=duplicate, survivorId=survivor)

    ended = await entries(desk, "CUSTOMER", duplicate)
    kept = await entries(desk, "CUSTOMER", survivor)

    assert ended["RequestMergedEvent"]["survivor"] == {"id": survivor}
    assert kept["DuplicateMergedEvent"]["duplicate"] == {"id": duplicate}


async def test_entries_are_found_by_what_happened(desk: Desk) -> None:
    request = await brought_to(desk, "CLOSED")
    query = """query($id: ID!) { node(id: $id) { ... on ServiceRequest { timeline(
        filter: { fact: { in: [REQUEST_CONFIRMED, REQUEST_CLOSED] } }) { totalCount nodes {
            __typename id ... on RequestConfirmedEvent { bySilence } } } } } }"""

    found = await ask(desk, "CUSTOMER", query, id=request["id"])

    page = found["node"]["timeline"]
    assert page["totalCount"] == 2
    assert [each["__typename"] for each in page["nodes"]] == [
        "RequestConfirmedEvent",
        "RequestClosedEvent",
    ]
    assert page["nodes"][0]["bySilence"] is False
    one = await ask(desk, "CUSTOMER", "query($id: ID!) { node(id: $id) { __typename id } }",
                    id=page["nodes"][1]["id"])  # fmt: skip
    assert one["node"]["__typename"] == "RequestClosedEvent"


@pytest.mark.parametrize(
    ("language", "label"), [("ZH", "已派单"), ("EN", "Sent to a queue or person")]
)
async def test_programs_read_what_people_call_the_values_of_enums(
    desk: Desk, language: str, label: str
) -> None:
    query = """query($language: Language!, $names: [String!]) {
        enumLabels(language: $language, names: $names) { name values { value label } } }"""

    one = await ask(desk, "CUSTOMER", query, language=language, names=["RequestStatus"])
    every = await ask(desk, "CUSTOMER", query, language=language)

    (status,) = one["enumLabels"]
    assert {each["value"]: each["label"] for each in status["values"]}["DISPATCHED"] == label
    shown = {each["name"] for each in every["enumLabels"]}
    assert {"TimelineFact", "Verb", "BreachReason", "Role", "Priority"} <= shown
    words = [value["label"] for each in every["enumLabels"] for value in each["values"]]
    assert all(bool(re.search("[一-鿿]", word)) is (language == "ZH") for word in words)

"""The mappings that are shipped, each tried on ten lines as its system writes them (R-IMP-01)."""

import re
import tomllib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import get_args

import asyncpg
import pytest

from itr import imports
from itr.database import connected
from itr.imports.mapping import Document
from itr.imports.meanings import Events
from itr.imports.terms import Kind
from itr.settings import Settings
from tests.support.desk import START, furnish
from tests.support.pages import example, text_of

ROOT = Path(__file__).parents[3]
EXPORTS = Path(__file__).parents[1] / "exports"
SHIPPED = sorted(path.stem for path in (ROOT / "mappings").glob("*.toml"))
_ASKED = (
    "select r.status, r.priority, r.line, w.name as owner, a.name as asked, o.name as customer,"
    " r.registered_at, r.first_response_at, r.delivered_at, r.waiting_reason, r.source_met"
    " from request r join person a on a.id = r.requester_id"
    " join organisation o on o.id = r.customer_id left join person w on w.id = r.assignee_id"
    " where source = $1 and external_id = $2"
)


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with connected(settings) as database:
        await furnish(START)
        yield database.reads


def test_every_shipped_mapping_is_tried_here_or_on_the_whole_log() -> None:
    """R-IMP-01."""
    assert sorted([*{case[0] for case in CASES}, "bpi2013"]) == SHIPPED


def test_the_page_names_every_key_and_every_kind() -> None:
    """R-IMP-01: whoever writes a mapping finds all of the language there."""
    page = text_of("docs/import.md")
    kinds = {
        kind for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", page, re.M) for kind in NAMES(row)
    }
    tables = [field.annotation for field in Document.model_fields.values()]
    parts = [
        part for each in tables for part in (each, *get_args(each)) if hasattr(part, "model_fields")
    ]

    assert kinds == set(Kind)
    assert {key for part in parts for key in part.model_fields} - set(NAMES(page)) == set()
    assert set(Document.model_fields) - set(NAMES(page)) == set()
    Events.model_validate(tomllib.loads(example("docs/import.md", "toml"))["events"])


NAMES = re.compile(r"`(\w+)`").findall


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


CASES = [
    ("servicenow_incidents", "servicenow", 2, {
        "INC1001": {
            "status": "CLOSED", "priority": "P1", "line": 2, "owner": "net three",
            "asked": "caller a", "customer": "Plant North", "source_met": True,
            "registered_at": at("2026-03-02T01:00"), "delivered_at": at("2026-03-02T07:40"),
        },
        "INC1002": {
            "status": "WAITING", "waiting_reason": "CUSTOMER", "owner": "desk one",
            "customer": "ServiceNow", "source_met": False,
        },
    }),
    ("servicenow_audit", "servicenow_audit", 1, {
        "a1f0": {
            "status": "CLOSED", "priority": "P1", "line": 2, "asked": "caller.a",
            "customer": "Plant North", "first_response_at": at("2026-03-02T01:20"),
            "delivered_at": at("2026-03-02T04:00"),
        },
    }),
    ("jira_export", "jira", 10, {
        "HD-1": {
            "status": "CLOSED", "priority": "P1", "owner": "agent one", "asked": "user a",
            "registered_at": at("2026-03-02T01:05"), "delivered_at": at("2026-03-03T03:30"),
            "first_response_at": at("2026-03-02T01:50"), "source_met": False,
        },
        "HD-2": {"status": "DISPATCHED", "owner": None, "customer": "Jira", "source_met": True},
        "HD-3": {"status": "IN_PROGRESS", "registered_at": at("2026-03-04T01:07")},
        "HD-4": {"status": "WAITING"},
        "HD-5": {"status": "CANCELLED", "source_met": None},
        "HD-6": {"status": "DELIVERED", "delivered_at": at("2026-03-05T02:00")},
        "HD-7": {"status": "WAITING", "waiting_reason": "THIRD_PARTY"},
        "HD-10": {"status": "CLOSED", "delivered_at": at("2026-03-05T07:00")},
    }),
    ("jira_changelog", "jira_changelog", 2, {
        "HD-21": {
            "status": "CLOSED", "priority": "P1", "owner": "agent two",
            "delivered_at": at("2026-03-02T08:00"),
        },
        "HD-22": {"status": "CANCELLED"},
    }),
    ("zammad_history", "zammad", 1, {
        "90": {
            "status": "CLOSED", "priority": "P2", "line": 2, "owner": "agent two",
            "asked": "someone@plant-north.example",
            "registered_at": at("2026-03-02T01:00:00.120"),
            "first_response_at": at("2026-03-02T01:25"), "delivered_at": at("2026-03-02T04:00"),
        },
    }),
    ("glpi_list", "glpi", 9, {
        "2 001": {
            "status": "CLOSED", "owner": "tech one", "asked": "user a", "customer": "Root > Nord",
            "registered_at": at("2026-03-10T08:00"), "delivered_at": at("2026-03-10T14:00"),
        },
        "2 002": {"status": "DISPATCHED", "owner": None},
        "2 003": {"status": "IN_PROGRESS", "priority": "P1", "line": 2, "owner": "tech two"},
        "2 004": {"status": "WAITING", "waiting_reason": "CUSTOMER"},
        "2 005": {"status": "DELIVERED", "priority": "P2"},
    }),
    ("glpi_logs", "glpi_logs", 1, {
        "3001": {
            "status": "CLOSED", "priority": "P1", "owner": "tech one",
            "registered_at": at("2026-03-10T08:00"), "delivered_at": at("2026-03-10T14:00"),
        },
    }),
    ("otrs_history", "otrs", 1, {
        "2026031010000011": {
            "status": "CLOSED", "priority": "P1", "line": 2, "owner": "agent.two",
            "customer": "NORTH", "first_response_at": at("2026-03-10T08:20"),
            "delivered_at": at("2026-03-10T11:00"),
        },
    }),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "requests", "wanted"), CASES, ids=lambda v: str(v)[:20])
async def test_ten_lines_of_another_system_go_in_as_they_were_meant(
    settings, pool, name, source, requests, wanted
):
    """R-IMP-01, L3, L4, L5: registered, answered, delivered and closed when that system says."""
    file = EXPORTS / f"{name}.csv"

    outcome = await imports.run(settings, ROOT / "mappings" / f"{name}.toml", file, lambda *_: None)

    assert (outcome.requests, outcome.refused, outcome.notes) == (requests, [], []), str(outcome)
    for external_id, expected in wanted.items():
        row = await pool.fetchrow(_ASKED, source, external_id)
        assert {key: row[key] for key in expected} == expected, external_id

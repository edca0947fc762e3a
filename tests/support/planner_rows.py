"""Tables, rows and actors of the planner tests' own small service desk."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

NOW = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)

TABLES = """
create table firm (id uuid primary key, name text not null, secret text, rank int not null);
create table human (
  id uuid primary key, name text not null, firm_id uuid not null, joined date not null,
  phone text);
create table ticket (
  id uuid primary key, number text not null, title text, opened_at timestamptz not null,
  closed_at timestamptz, priority int not null, state text not null, target_us bigint,
  cost numeric, cost_currency text, weight bigint not null, ratio float8, due date,
  urgent boolean not null, tags text[] not null, marks timestamptz[], note text, pace_id int,
  firm_id uuid not null, owner_id uuid, subject_kind text, subject_id uuid,
  title_folded text generated always as (lower(normalize(title, NFKC))) stored);
create table step (
  id uuid primary key, ticket_id uuid not null, place int, name text not null,
  spent_us bigint not null);
create table entry (
  id bigint generated always as identity, ticket_id uuid not null, version int not null,
  text text not null, at timestamptz not null, unique (ticket_id, version));
create table pace (id int primary key, us bigint not null);
create index on ticket (opened_at, id);
create index on step (ticket_id);
"""
NAMES = ("firm", "human", "ticket", "step", "entry", "pace")


@dataclass(frozen=True)
class Scope:
    """Which rows an actor of the tests sees."""

    all: bool
    firms: frozenset[UUID]


@dataclass(frozen=True)
class Someone:
    """An actor of the tests."""

    id: UUID
    permissions: frozenset[str]
    scope: Scope


def _uuid(*what: object) -> UUID:
    return UUID(bytes=hashlib.md5(repr(what).encode()).digest(), version=4)


FIRMS = [_uuid("firm", n) for n in range(4)]
HUMANS = [_uuid("human", n) for n in range(7)]

ALL_PERMISSIONS = frozenset({"people", "secrets", "notes", "log", "history", "close", "dates"})
ACTORS = {
    "director": Someone(HUMANS[0], ALL_PERMISSIONS, Scope(all=True, firms=frozenset())),
    "clerk": Someone(HUMANS[1], frozenset({"people"}), Scope(all=True, firms=frozenset())),
    "customer": Someone(
        HUMANS[2], frozenset({"log"}), Scope(all=False, firms=frozenset(FIRMS[:1]))
    ),
    "partner": Someone(
        HUMANS[3],
        frozenset({"people", "history", "close"}),
        Scope(all=False, firms=frozenset(FIRMS[1:3])),
    ),
    "guest": Someone(HUMANS[4], frozenset(), Scope(all=False, firms=frozenset())),
}

PHONES = (
    "+86 138-0013-8000",
    "１３８００１３８０００",
    "010-6552 1234",
    "+86 (0)10 6552 1234",
    "0086 21 5550 0001",
    "+49 30 1234567",
    None,
)

_WORDS = (
    "Ｐｒｉｎｔｅｒ",
    "50% off",
    "a_b",
    "back\\slash",
    "'quote'",
    "服务器 down",
    "😀",
    "",
    "Printer",
)


def make_rows(seed: int = 7, *, tickets: int = 30) -> dict[str, list[dict[str, Any]]]:
    """Make rows with all the awkward values: nulls, ties, negatives, Chinese, quotes."""
    dice = random.Random(seed)
    start = datetime(2026, 2, 1, tzinfo=UTC)

    def perhaps(value: Any) -> Any:
        return value if dice.random() < 0.7 else None

    firms = [
        {"id": key, "name": f"Firm {n % 3}", "secret": perhaps(f"s{n}"), "rank": n % 2}
        for n, key in enumerate(FIRMS)
    ]
    humans = [
        {
            "id": key,
            "name": f"P{n % 4}",
            "firm_id": FIRMS[n % 4],
            "joined": date(2020, 1, 1 + n % 3),
            "phone": PHONES[n],
        }
        for n, key in enumerate(HUMANS)
    ]
    rows: dict[str, list[dict[str, Any]]] = {"firm": firms, "human": humans, "ticket": []}
    for n in range(tickets):
        cost = perhaps(Decimal(dice.randrange(-(10**6), 10**6)).scaleb(-dice.randrange(4)))
        kind = dice.choice(["firm", "human", "other", None])
        marks = [start + timedelta(microseconds=dice.randrange(10**12)) for _ in range(n % 3)]
        micro = dice.choice([0, 0, 1, 500_000, 123_456])
        rows["ticket"].append(
            {
                "id": _uuid("ticket", n),
                "number": f"T-{n:04}",
                "title": perhaps(dice.choice(_WORDS)),
                "opened_at": start + timedelta(days=dice.randrange(5), microseconds=micro),
                "closed_at": perhaps(start + timedelta(hours=dice.randrange(4))),
                "priority": dice.randrange(1, 5),
                "state": dice.choice(["OPEN", "WAITING", "DONE"]),
                "target_us": perhaps(
                    dice.choice([0, 1, -1, 90_061_000_001, -3_600_000_000, 2**62])
                ),
                "cost": cost,
                "cost_currency": "CNY" if cost is not None else None,
                "weight": dice.choice([2**63 - 1, -(2**63), 0, 5]),
                "ratio": perhaps(dice.choice([0.1, -2.5, 1e30])),
                "due": perhaps(date(2026, 3, 1 + dice.randrange(3))),
                "urgent": dice.random() < 0.5,
                "tags": dice.sample(["a", "b,c", '"d"'], dice.randrange(3)),
                "marks": perhaps(marks),
                "note": perhaps("internal"),
                "pace_id": perhaps(dice.randrange(3)),
                "firm_id": dice.choice(FIRMS),
                "owner_id": perhaps(dice.choice(HUMANS)),
                "subject_kind": kind,
                "subject_id": dice.choice(FIRMS if kind == "firm" else HUMANS),
            }
        )
    rows["step"] = [
        {
            "id": _uuid("step", n),
            "ticket_id": dice.choice(rows["ticket"])["id"],
            "place": perhaps(dice.randrange(3)),
            "name": dice.choice(["call", "visit", "fix"]),
            "spent_us": dice.randrange(10**10),
        }
        for n in range(tickets * 3)
    ]
    rows["entry"] = [
        {
            "ticket_id": ticket["id"],
            "version": version,
            "text": dice.choice(["opened", "moved"]),
            "at": ticket["opened_at"] + timedelta(hours=version),
        }
        for ticket in rows["ticket"]
        for version in range(1, dice.randrange(1, 5))
    ]
    rows["pace"] = [{"id": n, "us": n * 1_000_001} for n in range(2)]
    return rows

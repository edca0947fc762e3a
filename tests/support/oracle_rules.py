"""The rules of the planner tests' own tables, said in Python for the oracle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.oracle import Oracle, Row, Rules
from tests.support.planner_tables import Human, Ticket

MICROSECOND = timedelta(microseconds=1)


def _firm(oracle: Oracle, row: Row) -> bool:
    scope = oracle.actor.scope
    return scope.all or row["id"] in scope.firms


def _human(oracle: Oracle, row: Row) -> bool:
    scope = oracle.actor.scope
    return scope.all or row["firm_id"] in scope.firms


def _ticket(oracle: Oracle, row: Row) -> bool:
    scope = oracle.actor.scope
    mine = row["owner_id"] == oracle.actor.id
    return scope.all or row["firm_id"] in scope.firms or mine


def _with_ticket(oracle: Oracle, row: Row) -> bool:
    ticket = next(it for it in oracle.tables["ticket"] if it["id"] == row["ticket_id"])
    return _ticket(oracle, ticket)


def _pace(oracle: Oracle, row: Row) -> Any:
    found = [it for it in oracle.tables["pace"] if it["id"] == row["pace_id"]]
    return found[0]["us"] + oracle.now.second if found else None


def _history(oracle: Oracle, row: Row) -> dict[str, Any]:
    steps = [it for it in oracle.tables["step"] if it["ticket_id"] == row["id"]]
    steps.sort(key=lambda it: (it["spent_us"], it["id"]))
    listed = [{"us": it["spent_us"], "name": it["name"]} for it in steps]
    opened = row["opened_at"].isoformat()
    return {"opened_at": opened, "number": row["number"], "steps": listed or None}


RULES = Rules(
    visible={
        "frm": _firm,
        "hum": _human,
        "tic": _ticket,
        "stp": _with_ticket,
        "ent": _with_ticket,
    },
    values={
        "Ticket.age": lambda oracle, row: (oracle.now - row["opened_at"]) // MICROSECOND,
        "Ticket.late": lambda oracle, row: (
            row["due"] is not None and row["due"] < oracle.now.date()
        ),
        "Ticket.pace": _pace,
        "Ticket.mine": lambda oracle, row: row["owner_id"] == oracle.actor.id,
        "Ticket.cost": lambda _, row: row["cost"] is not None,
        "Plan.money": lambda _, row: row["cost"] is not None,
    },
    related={
        "Ticket.siblings": lambda _, parent, child: (
            child["firm_id"] == parent["firm_id"] and child["id"] != parent["id"]
        ),
        "Query.myTickets": lambda oracle, _, row: row["owner_id"] == oracle.actor.id,
    },
    inputs={
        "Human.years": lambda _, row: {"joined": row["joined"].isoformat()},
        "Ticket.deeds": lambda _, row: {"state": row["state"]},
        "Ticket.history": _history,
    },
    own={
        "Human.joined": lambda oracle, row: row["id"] == oracle.actor.id,
        "Human.years": lambda oracle, row: row["id"] == oracle.actor.id,
    },
    ids={"ent": lambda row: f"ent_{row['ticket_id'].hex}_{row['version']}"},
    roots={
        "Query.plain": lambda _: 7,
        "Query.node": lambda oracle, **args: oracle.node(args["id"]),
        "Query.nodes": lambda oracle, ids: [oracle.node(each) for each in ids],
        "Query.ticket": lambda oracle, **args: oracle.by_id(Ticket, args["id"]),
        "Query.human": lambda oracle, **args: oracle.by_id(Human, args["id"]),
        "Query.numbered": lambda oracle, number: next(
            iter(oracle.list_of(Ticket, lambda row: row["number"] == number)), None
        ),
        "Query.openTickets": lambda oracle, priority: oracle.list_of(
            Ticket,
            lambda row: row["state"] != "DONE" and row["priority"] == priority,
            lambda row: row["number"],
        ),
    },
)

"""Verbs of tickets: declared once, followed everywhere (R-REQ-01, R-ROLE-02)."""

from datetime import UTC, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from api.resolvers.root import product_schema
from api.schema.tickets.verbs import documentation_of
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Permission, Role
from itr.errors import Forbidden
from itr.requests.lifecycle import RequestVerb
from itr.tickets.policy import HandedBack, NotOwner, Standing, ensure_may, verbs_open_to
from itr.tickets.verbs import MoveNotAllowed, Verb, Verbs, owner_or, requester_or


class Loan(StrEnum):
    """Where a loan stands."""

    ASKED = "ASKED"
    OUT = "OUT"
    BACK = "BACK"


class LoanVerb(Verbs):
    """What can be done to a loan: a kind that only this module knows."""

    LEND = Verb(
        "LEND",
        Permission.WORK_ON_REQUEST,
        {Loan.ASKED},
        {Loan.OUT},
        owner_or(Role.LINE_LEAD),
        ("期限", "a date"),
        called=("借出", "Lend"),
        does="Hand it out until a date.",
    )
    DROP = Verb(
        "DROP",
        Permission.CANCEL_REQUEST,
        {Loan.ASKED},
        {Loan.BACK},
        requester_or(Role.LINE1),
        called=("撤回", "Do without"),
        fits=lambda it: it.owner is not None,
    )


def person(*roles: Role, of: OrganisationKind = OrganisationKind.BRANCH) -> Actor:
    return Actor(
        id=uuid4(),
        name="somebody",
        organisation_id=uuid4(),
        organisation_kind=of,
        roles=frozenset(roles),
    )


def loan(status: Loan = Loan.ASKED, **more: Any) -> Any:
    nobody = dict.fromkeys(("assignee_id", "partner_id", "requester_id", "contact_id"))
    return SimpleNamespace(status=status, **(nobody | more))


def test_who_may_not_what_is_not_possible_and_whose_it_is_not_are_told_apart() -> None:
    """R-ROLE-02, R-REQ-01, R-ROLE-07."""
    owner, lead, customer = person(Role.LINE1), person(Role.LINE_LEAD), person(Role.CUSTOMER)
    firm = person(Role.PARTNER, of=OrganisationKind.PARTNER)
    its = loan(assignee_id=owner.id)

    ensure_may(owner, LoanVerb.LEND, its)

    for actor, ticket, refusal in (
        (customer, its, Forbidden),
        (firm, its, HandedBack),
        (owner, loan(Loan.OUT, assignee_id=owner.id), MoveNotAllowed),
        (person(Role.LINE2), its, NotOwner),
        (lead, its, Forbidden),
    ):
        with pytest.raises(refusal):
            ensure_may(actor, LoanVerb.LEND, ticket)


def test_what_is_the_requesters_stays_theirs_when_no_firm_of_theirs_has_it() -> None:
    """R-ROLE-07."""
    firm = person(Role.PARTNER, of=OrganisationKind.PARTNER)

    ensure_may(firm, LoanVerb.DROP, loan(requester_id=firm.id))

    with pytest.raises(NotOwner):
        ensure_may(firm, LoanVerb.DROP, loan())


def test_the_verbs_open_to_somebody_are_those_that_then_succeed() -> None:
    """R-ROLE-02."""
    owner = person(Role.LINE1)

    def open_to(status: Loan, owned: bool) -> list[LoanVerb]:
        standing = Standing(
            actor=owner,
            now=datetime(2026, 5, 1, tzinfo=UTC),
            status=status,
            owner=owner.id if owned else None,
        )
        return verbs_open_to(LoanVerb, standing)

    assert open_to(Loan.ASKED, owned=True) == [LoanVerb.LEND, LoanVerb.DROP]
    assert open_to(Loan.ASKED, owned=False) == []  # DROP fits only what somebody has
    assert open_to(Loan.OUT, owned=True) == []


def test_a_mutation_is_documented_by_its_verb() -> None:
    told = documentation_of(LoanVerb.LEND.declared)

    assert told.splitlines() == [
        "Hand it out until a date. 借出",
        "Permission / 权限: `WORK_ON_REQUEST` (owner / 责任人 `LINE_LEAD`)",
        "From / 自: `ASKED` → `OUT`",
        "Needs / 需要: a date / 期限",
    ]


@pytest.mark.parametrize("verb", list(RequestVerb), ids=str)
def test_every_verb_has_its_mutations_with_its_permission_and_words(verb: RequestVerb) -> None:
    """R-ROLE-02: and nothing of it is said twice."""
    fields = product_schema()._schema.mutation_type.fields  # type: ignore[union-attr]

    for name in verb.declared.mutations:
        field = fields[name]
        (permission,) = field.extensions["strawberry-definition"].permission_classes
        assert permission.needed is verb.declared.permission
        assert str(field.description).endswith(documentation_of(verb.declared).partition("\n")[2])
        assert all(verb.declared.called)


def test_members_are_called_as_they_are_declared() -> None:
    assert [each.value for each in RequestVerb] == [each.name for each in RequestVerb]

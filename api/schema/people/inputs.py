"""What mutations on people, organisations and queues take."""

from uuid import UUID

import strawberry

from api.schema.inputs import MutationInput, id_of, ids_of
from api.schema.people.types import Language, Organisation, Person, Queue
from itr.actors.roles import OrganisationKind, Role


@strawberry.input(description="Add a person with their roles (R-ROLE-01).")
class CreatePersonInput(MutationInput):
    """Add a person with their roles."""

    organisation_id: UUID = id_of(Organisation, description="Where they belong.")
    name: str = strawberry.field(description="Their name.")
    roles: list[Role] = strawberry.field(
        description="What they do: CUSTOMER for customers' people, PARTNER for partners', "
        "any other role for our own."
    )
    email: str | None = strawberry.field(default=None, description="E-mail address.")
    phone: str | None = strawberry.field(default=None, description="Telephone number.")
    language: Language = strawberry.field(default=Language.ZH, description="What they are told in.")
    machine: bool = strawberry.field(default=False, description="Whether it is a firm's machine.")


@strawberry.input(description="A mutation on one person.")
class PersonInput(MutationInput):
    """A mutation on one person."""

    id: UUID = id_of(Person, description="Id of the person.")


@strawberry.input(description="Correct what is known of a person; what is left out stays.")
class ChangePersonInput(PersonInput):
    """Correct what is known of a person; what is left out stays."""

    name: str | None = strawberry.field(default=strawberry.UNSET, description="Their name.")
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="E-mail address; null for none."
    )
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="Telephone number; null for none."
    )
    language: Language | None = strawberry.field(
        default=strawberry.UNSET, description="What they are told in."
    )


@strawberry.input(description="A role of one person (R-ROLE-01).")
class PersonRoleInput(PersonInput):
    """A role of one person."""

    role: Role = strawberry.field(description="The role.")


@strawberry.input(description="Add a branch, a customer or a partner (R-ORG-01).")
class CreateOrganisationInput(MutationInput):
    """Add a branch, a customer or a partner."""

    kind: OrganisationKind = strawberry.field(description="What it is to us.")
    name: str = strawberry.field(description="Its name.")
    branch_id: UUID | None = id_of(
        Organisation, default=None, description="The branch that serves it."
    )
    phone: str | None = strawberry.field(default=None, description="Telephone number.")
    email: str | None = strawberry.field(default=None, description="E-mail address.")
    make_up_days: bool = strawberry.field(
        default=True, description="Whether make-up days count for it (R-CAL-03)."
    )


@strawberry.input(description="Open a queue of our own or of a partner firm (R-ORG-04).")
class CreateQueueInput(MutationInput):
    """Open a queue of our own or of a partner firm."""

    name: str = strawberry.field(description="Its name.")
    line: int = strawberry.field(description="Support line 1, 2 or 3.")
    branch_id: UUID | None = id_of(
        Organisation, default=None, description="The branch it stands in."
    )
    partner_id: UUID | None = id_of(
        Organisation, default=None, description="The partner firm that works it, if one does."
    )
    lead_id: UUID | None = id_of(Person, default=None, description="Who leads it.")
    member_ids: list[UUID] = ids_of(
        Person, default_factory=list, description="Who may take its work."
    )


@strawberry.input(description="Who may take a queue's work (R-ORG-04).")
class QueueMemberInput(MutationInput):
    """Who may take a queue's work."""

    id: UUID = id_of(Queue, description="Id of the queue.")
    person_id: UUID = id_of(Person, description="The person.")

"""Administration: persons, their roles and access, organisations, queues; by MANAGE_PEOPLE."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import strawberry

from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.people import inputs as given
from api.schema.people.payloads import OrganisationPayload, PersonPayload, QueuePayload
from itr.access.operations import persons
from itr.access.operations.persons import PersonChanges
from itr.actors.roles import Permission
from itr.catalogue.organisations import create_organisation
from itr.errors import Required
from itr.people.operations import add_queue_member, create_queue, remove_queue_member

Info = strawberry.Info


def _mutation(description: str) -> Any:
    return strawberry.mutation(
        permission_classes=[may(Permission.MANAGE_PEOPLE)], description=description
    )


@strawberry.type
class AdministrationMutation:
    """What administrators do; no business decisions."""

    @_mutation("Add a person with their roles.")
    async def create_person(
        self, info: Info, input: given.CreatePersonInput
    ) -> PersonPayload | None:
        """Add a person."""

        async def act() -> UUID:
            return await persons.create_person(
                info.context.actor,
                input.organisation_id,
                input.name,
                input.roles,
                email=input.email,
                phone=input.phone,
                language=input.language.value.lower(),
                machine=input.machine,
                now=info.context.now,
            )

        return await answered(PersonPayload, info, input, act)

    @_mutation("Correct what is known of a person; what is left out stays.")
    async def change_person(
        self, info: Info, input: given.ChangePersonInput
    ) -> PersonPayload | None:
        """Change a person."""

        async def act() -> UUID:
            changes = _changes(input)
            return await persons.change_person(
                info.context.actor, input.id, changes, now=info.context.now
            )

        return await answered(PersonPayload, info, input, act)

    @_mutation("Give a person one more role; again is nothing.")
    async def assign_role(self, info: Info, input: given.PersonRoleInput) -> PersonPayload | None:
        """Assign a role."""
        return await _on_person(info, input, persons.assign_role, input.role)

    @_mutation("Take a role from a person; what it let them see ends with the next event.")
    async def withdraw_role(self, info: Info, input: given.PersonRoleInput) -> PersonPayload | None:
        """Withdraw a role."""
        return await _on_person(info, input, persons.revoke_role, input.role)

    @_mutation("End a person's access at once: tokens, sockets and sessions (S9).")
    async def deactivate_person(self, info: Info, input: given.PersonInput) -> PersonPayload | None:
        """Deactivate a person."""
        return await _on_person(info, input, persons.deactivate_person)

    @_mutation("Let a person sign in again, with the roles they had; what had ended stays so.")
    async def reactivate_person(self, info: Info, input: given.PersonInput) -> PersonPayload | None:
        """Reactivate a person."""
        return await _on_person(info, input, persons.reactivate_person)

    @_mutation(
        "Have a person erased: who they are is masked, their name and contacts leave all texts and"
        " the log, what they have open passes on. For good, once a second person approves (S18)."
    )
    async def erase_person(self, info: Info, input: given.PersonInput) -> PersonPayload | None:
        """Erase a person."""
        return await _on_person(info, input, persons.erase_person)

    @_mutation("Add a branch, a customer or a partner.")
    async def create_organisation(
        self, info: Info, input: given.CreateOrganisationInput
    ) -> OrganisationPayload | None:
        """Add an organisation."""

        async def act() -> UUID:
            return await create_organisation(
                info.context.actor,
                kind=input.kind,
                name=input.name,
                branch_id=input.branch_id,
                phone=input.phone,
                email=input.email,
                make_up_days=input.make_up_days,
                now=info.context.now,
            )

        return await answered(OrganisationPayload, info, input, act)

    @_mutation("Open a queue of our own or of a partner firm, with its people.")
    async def create_queue(self, info: Info, input: given.CreateQueueInput) -> QueuePayload | None:
        """Open a queue."""

        async def act() -> UUID:
            return await create_queue(
                info.context.actor,
                name=input.name,
                line=input.line,
                branch_id=input.branch_id,
                partner_id=input.partner_id,
                lead_id=input.lead_id,
                member_ids=input.member_ids,
                now=info.context.now,
            )

        return await answered(QueuePayload, info, input, act)

    @_mutation("Let a person take a queue's work; again is nothing.")
    async def add_queue_member(
        self, info: Info, input: given.QueueMemberInput
    ) -> QueuePayload | None:
        """Add a member."""
        return await _on_member(info, input, add_queue_member)

    @_mutation("Stop a person from taking a queue's work; what they own stays theirs.")
    async def remove_queue_member(
        self, info: Info, input: given.QueueMemberInput
    ) -> QueuePayload | None:
        """Remove a member."""
        return await _on_member(info, input, remove_queue_member)


async def _on_person(
    info: Info, input: given.PersonInput, operation: Callable[..., Awaitable[UUID]], *more: Any
) -> PersonPayload:
    async def act() -> UUID:
        person = input.id
        return await operation(info.context.actor, person, *more, now=info.context.now)

    return await answered(PersonPayload, info, input, act)


async def _on_member(
    info: Info, input: given.QueueMemberInput, operation: Callable[..., Awaitable[UUID]]
) -> QueuePayload:
    async def act() -> UUID:
        queue = input.id
        person = input.person_id
        return await operation(info.context.actor, queue, person, now=info.context.now)

    return await answered(QueuePayload, info, input, act)


def _changes(input: given.ChangePersonInput) -> PersonChanges:
    """What was written, null or not; a name and a language cannot be taken away."""
    changes = PersonChanges()
    if input.name is not strawberry.UNSET:
        changes["name"] = _there(input.name, "name")
    if input.email is not strawberry.UNSET:
        changes["email"] = input.email
    if input.phone is not strawberry.UNSET:
        changes["phone"] = input.phone
    if input.language is not strawberry.UNSET:
        language = input.language.value.lower() if input.language else None
        changes["language"] = _there(language, "language")
    return changes


def _there(value: str | None, path: str) -> str:
    if value is None:
        raise Required(path=[path])
    return value

"""Demanding a permission of a root field (R-ROLE-02)."""

from functools import cache
from typing import Any

import strawberry
from strawberry.permission import BasePermission

from api.schema.tickets.verbs import documentation_of
from itr.actors.roles import Permission
from itr.errors import Forbidden
from itr.tickets.verbs import Verbs


@cache
def may(permission: Permission) -> type[BasePermission]:
    """A permission class that lets only actors with `permission` through."""

    class May(BasePermission):
        """Refuses with FORBIDDEN."""

        needed = permission

        def has_permission(
            self,
            source: Any,  # noqa: ARG002 - the actor decides, not the object
            info: strawberry.Info,
            **kwargs: Any,  # noqa: ARG002
        ) -> bool:
            """Whether the actor carries the permission."""
            held: bool = info.context.actor.may(permission)
            return held

        def on_unauthorized(self) -> None:
            """Refuse in the caller's language."""
            raise Forbidden()

    return May


def mutation(permission: Permission, description: str) -> Any:
    """Declare a mutation that demands `permission`."""
    return strawberry.mutation(permission_classes=[may(permission)], description=description)


def verb_mutation(verb: Verbs, sentence: str | None = None) -> Any:
    """Declare a mutation that does what a verb is for: its permission and words are the verb's."""
    return mutation(verb.declared.permission, documentation_of(verb.declared, sentence))

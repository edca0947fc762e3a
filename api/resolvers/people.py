"""People: who is asking, organisations, persons, queues, projects."""

import strawberry

from api.planner.fields import page_field
from api.resolvers.permissions import may
from api.schema.people.types import (
    OrganisationConnection,
    PersonConnection,
    ProjectConnection,
    QueueConnection,
    Viewer,
)
from itr.actors.roles import Permission

P = Permission


@strawberry.type
class PeopleQuery:
    """Reading people."""

    organisations: OrganisationConnection = page_field(
        permission_classes=[may(P.READ_DIRECTORY)],
        description="Organisations within your sight, by name.",
    )
    persons: PersonConnection = page_field(
        permission_classes=[may(P.READ_DIRECTORY)],
        description="Persons within your sight, by name.",
    )
    queues: QueueConnection = page_field(
        permission_classes=[may(P.READ_HANDLING)],
        description="Queues work waits in, by name.",
    )
    projects: ProjectConnection = page_field(
        permission_classes=[may(P.READ_REQUESTS)],
        description="Projects within your sight, by name.",
    )

    @strawberry.field(description="Who is asking, and what they may do. 当前用户")
    def viewer(self) -> Viewer:
        """Who is asking; open to everybody who is signed in."""
        return Viewer()

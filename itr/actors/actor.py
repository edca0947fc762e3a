"""The actor: who is acting, with which roles, and which rows they may see."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from itr.actors.policy import permissions_of
from itr.actors.roles import OrganisationKind, Permission, Role

_INTERNAL = frozenset(Role) - {
    Role.CUSTOMER,
    Role.PARTNER,
    Role.BRANCH_MANAGER,
    Role.WALLBOARD,
    Role.ADMIN,
}


class Reach(StrEnum):
    """How far an actor's sight goes (R-ROLE-03)."""

    ALL = "ALL"
    BRANCH = "BRANCH"
    CUSTOMER = "CUSTOMER"
    PARTNER = "PARTNER"


@dataclass(frozen=True)
class Scope:
    """The rows an actor sees; actors of equal scope may share a computation.

    `reaches` is a union: a branch manager who also works on line 1 sees everything.
    """

    reaches: frozenset[Reach]
    organisation_id: UUID | None
    boards: bool = False
    """Whether it sees everybody's requests as a board shows them: figures and numbers."""

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from it."""
        return Reach.ALL in self.reaches


@dataclass(frozen=True)
class Actor:
    """A person, a firm's machine, or the system itself, as it acts now."""

    id: UUID
    name: str
    organisation_id: UUID | None
    organisation_kind: OrganisationKind | None
    roles: frozenset[Role]
    client_id: str = "itr"
    machine: bool = False
    """Whether it is a firm's program, not a person."""
    firm: str | None = None
    """The name of the customer or partner firm it is of; None for our own people."""
    narrowed_to: frozenset[Permission] | None = None
    """What the program it acts through may use of its permissions; None: all of them."""

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """The union of what its roles may do (R-ROLE-01), within what its token is good for."""
        held = permissions_of(self.roles)
        return held if self.narrowed_to is None else held & self.narrowed_to

    @property
    def only_reads(self) -> bool:
        """Whether its token is good for reading and nothing else, whatever its roles may do."""
        narrowed = self.narrowed_to
        return narrowed is not None and all(each.value.startswith("READ_") for each in narrowed)

    @cached_property
    def scope(self) -> Scope:
        """Which rows it sees: own firm, own branch, what was handed over, or everything."""
        reaches = set()
        if self.roles & _INTERNAL and self.organisation_kind is OrganisationKind.BRANCH:
            reaches.add(Reach.ALL)
        elif Role.BRANCH_MANAGER in self.roles:
            reaches.add(Reach.BRANCH)
        if Role.CUSTOMER in self.roles and self.organisation_kind is OrganisationKind.CUSTOMER:
            reaches.add(Reach.CUSTOMER)
        if Role.PARTNER in self.roles and self.organisation_kind is OrganisationKind.PARTNER:
            reaches.add(Reach.PARTNER)
        organisation = self.organisation_id if reaches and Reach.ALL not in reaches else None
        inside = self.organisation_kind is OrganisationKind.BRANCH
        boards = Reach.ALL in reaches or (Role.WALLBOARD in self.roles and inside)
        return Scope(frozenset(reaches), organisation, boards)

    @property
    def stands_for(self) -> str | None:
        """The name that stands in the log, which is nobody's: a firm's, or the server's own.

        Persons are found by id when the log is read (R-ROLE-08, R-ROLE-09).
        """
        return self.firm if self.in_person else self.name

    @property
    def in_person(self) -> bool:
        """Whether it is somebody of an organisation, not the server itself as it is set up."""
        return self.organisation_id is not None

    def may(self, permission: Permission) -> bool:
        """Whether any of its roles carries the permission."""
        return permission in self.permissions


SYSTEM = Actor(
    id=UUID("00000000-0000-4000-8000-000000000001"),
    name="ITR Desk",
    organisation_id=None,
    organisation_kind=None,
    roles=frozenset(),
    client_id="itr",
)

"""Who takes the place of whom when nobody holds a role: the next above, by name (R-ROLE-07)."""

from itr.actors.roles import Role

ABOVE = (Role.DISPATCH_MANAGER, Role.PROCESS_MANAGER, Role.OPERATIONS_DIRECTOR)
"""Who stands in where nobody is in charge, in this order."""
_OTHERS = {
    Role.SPARES_MANAGER: (Role.OPERATIONS_DIRECTOR, Role.PROCESS_MANAGER),
    Role.OPERATIONS_DIRECTOR: (Role.PROCESS_MANAGER,),
}


def stand_ins(role: str) -> tuple[Role, ...]:
    """The roles that take over what nobody of this role is there for, the first one first.

    Spare parts go to the director, the director's own to the process manager, all else to the
    dispatch manager and from there upwards.
    """
    ways = _OTHERS.get(Role(role), ABOVE) if role in set(Role) else ABOVE
    return tuple(each for each in ways if each != role)

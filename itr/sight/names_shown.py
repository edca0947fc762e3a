"""By which name readers know people: staff of partner firms by their firm's (R-ROLE-08).

The one place that says so: timelines, owners and notices ask here; figures are read by our own
people alone. SQL over a row `{t}` for the reader `:actor`. The firm itself and our own people read
who it is. Under row-level security nobody else's staff can be read, so there the firm's name is all
there is.
"""

_PERSON = (
    "person staff join organisation firm on firm.id = staff.organisation_id,"
    " person reader join organisation theirs on theirs.id = reader.organisation_id"
)
_MAY_KNOW = "(theirs.kind = 'BRANCH' or theirs.id = firm.id)"
NO_PARTNERS = f"(firm.kind <> 'PARTNER' or {_MAY_KNOW})"
"""Whether the person is named to the reader, or stands for the firm."""


def _named(person: str, condition: str) -> str:
    return (
        f"(select staff.name from {_PERSON}"
        f" where staff.id = {person} and reader.id = :actor and {condition})"
    )


def name_of(person: str) -> str:
    """The name of the person whose id the SQL `person` is: theirs, their firm's, or the server's.

    Null where there is nobody, or nobody who can be read.
    """
    named = f"case when {NO_PARTNERS} then staff.name else firm.name end"
    return f"(select {named} from {_PERSON} where staff.id = {person} and reader.id = :actor)"


_ACTED_FOR_IT = "coalesce({t}.actor_name, firm.name) = firm.name"
_HOUSE = "(select house.name from organisation house where house.id = {t}.branch_id)"

ACTOR_NAME = (
    "coalesce("
    + _named("{t}.actor_id", f"({_MAY_KNOW} or firm.kind <> 'PARTNER' and {_ACTED_FOR_IT})")
    + f", {{t}}.actor_name, {_HOUSE}, '')"
)
"""Who did what an event tells; the log itself names the firms of others, and nobody of ours."""

ASSIGNEE_NAME = (
    "case when {t}.assignee_id is not null then coalesce("
    + _named("{t}.assignee_id", NO_PARTNERS)
    + ", (select working.name from organisation working where working.id = {t}.partner_id)) end"
)
"""Who owns a request."""

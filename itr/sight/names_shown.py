"""By which name readers know people: staff of partner firms by their firm's (R-ROLE-08).

SQL over a row `{t}` for the reader `:actor`. The firm itself and our own people read who it is.
Under row-level security nobody else's staff can be read, so there the firm's name is all there is.
"""

_READER = "person reader join organisation theirs on theirs.id = reader.organisation_id"
_MAY_KNOW = "(theirs.kind = 'BRANCH' or theirs.id = firm.id)"

ACTOR_NAME = (
    "coalesce((select staff.name from person staff"
    " join organisation firm on firm.id = staff.organisation_id and firm.kind = 'PARTNER',"
    f" {_READER} where staff.id = {{t}}.actor_id and reader.id = :actor and {_MAY_KNOW}),"
    " {t}.actor_name)"
)
"""Who did what an event tells; the log itself names the firm."""

ASSIGNEE_NAME = (
    "case when {t}.assignee_id is not null then coalesce((select staff.name from person staff"
    f" join organisation firm on firm.id = staff.organisation_id, {_READER}"
    " where staff.id = {t}.assignee_id and reader.id = :actor"
    f" and (firm.kind <> 'PARTNER' or {_MAY_KNOW})),"
    " (select working.name from organisation working where working.id = {t}.partner_id)) end"
)
"""Who owns a request."""

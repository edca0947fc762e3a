"""What a partner firm reads of a request it gave back: what it could read then (R-ROLE-03).

SQL over a request's row `{t}` for the reader `:actor`; for everybody else it hides nothing.
"""

_FIRM = "(select reader.organisation_id from person reader where reader.id = :actor)"
_HELD = (
    f"select 1 from hand_over held where held.request_id = {{t}}.id and held.partner_id = {_FIRM}"
)

GIVEN_BACK = (
    f"(exists ({_HELD}) and not exists ({_HELD} and (held.returned_at is null or held.follows)))"
)
"""Whether the reader's firm had the request and has given it back."""


def as_it_was(column: str, since: str | None) -> str:
    """The column, but null for a firm that gave the request back before it was written.

    `since` is the column that says when that was; without one it is always later.
    """
    hidden = GIVEN_BACK
    if since is not None:
        hidden += f" and not exists ({_HELD} and {{t}}.{since} < held.returned_at)"
    return f"case when {{t}}.{column} is null or ({hidden}) then null else {{t}}.{column} end"

"""Which rows an actor sees, written for a statement of numbered parameters."""

from itr.sight.row_filter import RowFilter


def test_a_name_that_begins_like_another_keeps_its_own_value_and_casts_stay() -> None:
    """R-ROLE-03."""
    sight = RowFilter("{alias}.a = :firm::uuid and {alias}.b = :firm_id", {"firm": 1, "firm_id": 2})

    assert sight.numbered("r", 3) == ("r.a = $4::uuid and r.b = $5", [1, 2])

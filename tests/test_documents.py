"""Documents say what the code does."""

from pathlib import Path

from tests.support.role_table import role_table

TOP = Path(__file__).parents[1]


def test_the_roles_page_is_the_one_table_of_the_code() -> None:
    """R-ROLE-02: one table, in code, printed in the docs."""
    assert (TOP / "docs" / "roles.md").read_text(encoding="utf-8") == role_table()

"""Row-level security is said for every table there is (Decision 6)."""

import importlib

from itr.database import MODELS
from itr.sight.row_level_security import SEEN, UNREADABLE, WITHHELD
from itr.tables import Table


def tables() -> set[str]:
    """Every table of the models, with those that join two of them."""
    found = set()
    for module in map(importlib.import_module, MODELS):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Table) and each is not Table:
                found.add(each._meta.db_table)
                joins = each._meta.m2m_fields
                found |= {each._meta.fields_map[name].through for name in joins}  # type: ignore[attr-defined]
    return found


def test_every_table_has_row_level_security_or_says_why_nobody_outside_reads_it() -> None:
    """R-ROLE-04: name a new table in `row_level_security`: the rows a firm reads, or why none."""
    said = {*SEEN, *UNREADABLE}

    assert tables() - said == set()
    by_hand = {"calendar_span", "event", "reference_change"}
    assert said - tables() == by_hand, "made by hand in a migration"
    assert not SEEN.keys() & UNREADABLE.keys()
    assert WITHHELD.keys() <= SEEN.keys()


def test_what_nobody_outside_reads_says_why() -> None:
    assert all(reason.strip() for reason in UNREADABLE.values())

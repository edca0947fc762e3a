"""Every situation a clock must survive has a test that carries its number."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
SITUATIONS = range(1, 32)
REAL = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, *range(20, 32)}
"""Where rules alone cannot go wrong: these are shown by real operations on a real database."""
AT_HOME = ("operations", "api", "workers")

_NAMED = re.compile(r"situations?[ _](\d+(?:(?:, ?| and |_and_|_)\d+)*)", re.IGNORECASE)


def numbers_in(text: str) -> set[int]:
    """Situations a name or docstring carries: `situation_12_…`, `Situations 22 and 24`."""
    return {int(each) for found in _NAMED.findall(text) for each in re.findall(r"\d+", found)}


def named_in(path: Path) -> set[int]:
    """The situations the test functions of a module carry."""
    text = path.read_text(encoding="utf-8")
    if not _NAMED.search(text):
        return set()
    tree = ast.parse(text)
    return {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        for number in numbers_in(f"{node.name} {ast.get_docstring(node) or ''}")
    }


@cache
def shown_where() -> dict[int, set[str]]:
    """The folders of tests in which each situation is shown."""
    where: dict[int, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for number in named_in(path):
            where[number].add(path.relative_to(TESTS).parts[0])
    return where


def test_numbers_are_read_as_people_write_them() -> None:
    assert numbers_in("test_situations_22_and_24_cancelled_clocks") == {22, 24}
    assert numbers_in("R-REQ-13, situation 24 (Zammad 904); Situation 9.") == {9, 24}
    assert numbers_in("test_situation_23_line_1_to_2_to_1_is_three_stints") == {23}


def test_every_situation_is_shown_by_a_test_that_carries_its_number() -> None:
    where = shown_where()

    assert sorted(where) == list(SITUATIONS)


def test_what_rules_alone_cannot_show_is_shown_on_a_real_database() -> None:
    where = shown_where()

    assert {number for number in REAL if not where[number] & set(AT_HOME)} == set()

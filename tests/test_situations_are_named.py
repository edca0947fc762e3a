"""Every situation the product must survive has a test with its number, or waits for its area.

`SLA-12` is of clocks (`situation 12` is the same), `CMP-12` of complaints, reviews and knowledge,
`SAT-12` of satisfaction, `SPA-12` of spare parts, `REP-12` of deliveries and reports.
`situations_not_yet.txt` says of each that no test carries what it waits for; it only shrinks.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
NOT_YET = TESTS / "situations_not_yet.txt"
HOW_MANY = {"SLA": 31, "CMP": 35, "REP": 35, "SAT": 35, "SPA": 35}
SITUATIONS = {
    f"{area}-{number}" for area, last in HOW_MANY.items() for number in range(1, last + 1)
}
REAL = {f"SLA-{number}" for number in range(10, 32)}
"""Where rules alone cannot go wrong: these are shown by real operations on a real database."""
AT_HOME = ("operations", "api", "workers")

_BY_WORD = re.compile(r"situations?[ _](\d+(?:(?:, ?| and |_and_|_)\d+)*)", re.IGNORECASE)
_BY_AREA = re.compile(rf"(?<![\w-])({'|'.join(HOW_MANY)})-(\d+)")


def situations_in(text: str) -> set[str]:
    """Situations a name or docstring carries: `situation_12_…`, `Situations 22 and 24`, `CMP-7`."""
    of_clocks = {each for found in _BY_WORD.findall(text) for each in re.findall(r"\d+", found)}
    of_areas = {f"{area}-{int(number)}" for area, number in _BY_AREA.findall(text)}
    return {f"SLA-{int(number)}" for number in of_clocks} | of_areas


def named_in(path: Path) -> set[str]:
    """The situations the test functions of a module carry."""
    text = path.read_text(encoding="utf-8")
    if not (_BY_WORD.search(text) or _BY_AREA.search(text)):
        return set()
    tree = ast.parse(text)
    return {
        situation
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        for situation in situations_in(f"{node.name} {ast.get_docstring(node) or ''}")
    }


@cache
def shown_where() -> dict[str, set[str]]:
    """The folders of tests in which each situation is shown."""
    where: dict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for situation in named_in(path):
            where[situation].add(path.relative_to(TESTS).parts[0])
    return where


def waiting() -> list[tuple[str, str]]:
    """What no test carries yet, and what each waits for: `SPA-3: spare parts`."""
    lines = NOT_YET.read_text(encoding="utf-8").splitlines()
    return [(situation, what) for situation, _, what in (line.partition(": ") for line in lines)]


def in_order(situation: str) -> tuple[str, int]:
    """By area, then by number."""
    area, _, number = situation.partition("-")
    return area, int(number)


def test_numbers_are_read_as_people_write_them() -> None:
    assert situations_in("test_situations_22_and_24_cancelled_clocks") == {"SLA-22", "SLA-24"}
    assert situations_in("R-REQ-13, situation 24 (Zammad 904); SLA-9.") == {"SLA-9", "SLA-24"}
    assert situations_in("test_situation_23_line_1_to_2_to_1_is_three_stints") == {"SLA-23"}
    assert situations_in("CMP-07, SPA-12; R-SLA-08 is a rule") == {"CMP-7", "SPA-12"}


def test_tests_carry_only_situations_there_are() -> None:
    unknown = set(shown_where()) - SITUATIONS

    assert not unknown, f"no such situations: {sorted(unknown)}"


def test_every_situation_is_shown_by_a_test_that_carries_its_number_or_waits() -> None:
    shown, listed = set(shown_where()), {situation for situation, _ in waiting()}

    print(f"{len(listed)} of {len(SITUATIONS)} situations wait for their area")  # noqa: T201

    assert not listed & shown, f"shown by now, take off the list: {sorted(listed & shown)}"
    assert not SITUATIONS - shown - listed, f"no test shows {sorted(SITUATIONS - shown - listed)}"


def test_the_list_is_in_order_and_says_what_each_waits_for() -> None:
    situations = [situation for situation, _ in waiting()]

    assert situations == sorted(set(situations), key=in_order)
    assert set(situations) <= SITUATIONS
    assert all(what for _, what in waiting())


def test_no_situation_of_clocks_waits() -> None:
    assert not [situation for situation, _ in waiting() if situation.startswith("SLA-")]


def test_what_rules_alone_cannot_show_is_shown_on_a_real_database() -> None:
    where = shown_where()

    assert {each for each in REAL if not where[each] & set(AT_HOME)} == set()
